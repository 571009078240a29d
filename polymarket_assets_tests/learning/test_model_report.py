"""The report of a model: the verdict first, everything it rests on, and one file that needs nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from polymarket_assets.learning import evaluation, model_report
from polymarket_assets.learning.evaluation.pictures import pictures
from polymarket_assets.learning.explained import Explained
from polymarket_assets.report import page as pages
from polymarket_assets.report.page import Grid, Panel
from polymarket_assets_tests.learning.evaluation.rows import replaced, rows
from polymarket_assets_tests.report.test_page import parsed

HOSTILE = "</script><script>alert(1)</script>"
FACTS = [("Model", HOSTILE), ("Code", "abc1234")]


@pytest.fixture(scope="module")
def judged() -> evaluation.Evaluation:
    given = rows(900, off=0.4)
    return evaluation.evaluate(replaced(given, updown_labels=np.arange(2700) >= 2400), draws=100)


@pytest.fixture(scope="module")
def content(judged: evaluation.Evaluation, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    path = model_report.write(judged, Explained({"spread_c": 1.0}), FACTS, folder)
    assert path == folder / "model_report.html"
    return path.read_text(encoding="utf-8")


def test_the_verdict_stands_before_everything_else(judged: evaluation.Evaluation) -> None:
    made = model_report.page(
        judged, pictures(judged, Explained()), FACTS, made_at=datetime(2026, 4, 1, tzinfo=UTC)
    )
    assert made.title.endswith("?")
    assert made.lead.startswith(f"The model {judged.overall.finding}. On 800 groups")
    assert "This is no claim yet" in made.lead
    assert made.made.startswith("Made 2026-04-01")


def test_tables_and_charts_are_all_there(judged: evaluation.Evaluation) -> None:
    made = model_report.page(judged, pictures(judged, Explained({"spread_c": 1.0})), FACTS)
    grids = {grid.title: grid for grid in made.panels if isinstance(grid, Grid)}
    assert [len(grid.rows) > 0 for grid in grids.values()] == [True] * 8
    assert all(len(row) == len(grid.headings) for grid in grids.values() for row in grid.rows)
    assert len(grids["Every baseline"].rows) == 1 + 9 - 1
    assert len(grids["Weeks"].rows) == len(judged.weekly.weeks)
    assert len(grids["Slices"].rows) == len(judged.slices)
    assert [row[0] for row in grids["Parts, each judged for itself"].rows] == ["all but up/down", "up/down series, apart", "source: recorded"]  # fmt: skip
    assert len([panel for panel in made.panels if isinstance(panel, Panel)]) == 6


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({}, "Sealed weeks were not opened"),
        ({"updown_labels": True}, "up/down series alone"),
        ({"updown_labels": np.arange(600) < 300}, "Up/down series (100 groups) stand apart"),
        ({"probability": np.full(600, 0.5), "mid": np.full(600, 0.01)}, "likelier a leak than an edge"),
        ({"label_seen_at": [datetime(2026, 4, 1, tzinfo=UTC)] * 600}, "too few resolution days"),
        ({}, "fewer than the 4,000 of a claim"),
    ],
)
def test_caveats_stand_beside_the_figures(columns: dict[str, object], said: str) -> None:
    judged = evaluation.evaluate(rows(200, **columns), draws=50)
    assert said in " ".join(model_report.caveats(judged))


def test_a_sealed_report_has_no_caveat_of_sealed_weeks() -> None:
    opened = evaluation.evaluate(rows(200, is_sealed=True), draws=50, sealed=True)
    assert not [text for text in model_report.caveats(opened) if "Sealed" in text]
    assert "sealed weeks" in model_report.page(opened, pictures(opened, Explained()), []).badges


def test_the_page_asks_for_nothing_from_elsewhere(content: str) -> None:
    """It is mailed, and opened where there is no network."""
    tags = parsed(content).tags
    assert not [attributes for _, attributes in tags if {"src", "href"} & set(attributes)]
    assert len(content) < 3_000_000


def test_what_a_fact_says_is_text(content: str) -> None:
    assert "alert(1)</script>" not in content
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in content


def test_the_page_is_a_picture_too(judged: evaluation.Evaluation) -> None:
    """Tables among the panels are left out of it; charts are not."""
    made = model_report.page(judged, pictures(judged, Explained()), FACTS)
    assert pages.png(made).startswith(b"\x89PNG")


def test_a_handful_of_stored_predictions_makes_a_page(tmp_path: Path) -> None:
    bare = rows(3).select(["market_id", "group_id", "label", "weight", "mid", "probability"])
    judged = evaluation.judge_predictions(bare, draws=50)
    assert "stored predictions" in model_report.write(judged, Explained(), [], tmp_path).read_text()
