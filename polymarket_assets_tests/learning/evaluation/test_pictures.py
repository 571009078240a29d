"""Pictures: one for everything there is, none for what is not, each a PNG on its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polymarket_assets.learning import evaluation
from polymarket_assets.learning.evaluation import marks, pictures
from polymarket_assets.learning.explained import Explained
from polymarket_assets_tests.learning.evaluation.rows import rows

OF_ROWS = ["baselines", "reliability", "skill_by_week", "corrections", "skill_by_slice"]
OF_MODEL = ["feature_gain", "feature_effects", "learning_curve"]
EXPLAINED = Explained(
    gains={"spread_c": 0.7, "logit_mid": 0.3, "age_h": 0.0},
    effects={"spread_c": [(0.5, -0.1), (2.0, 0.2)], "category": [("sports", 0.05), ("crypto", -0.01)]},
    learning_curve=[(100, -0.001), (400, 0.002)],
)


@pytest.fixture(scope="module")
def judged() -> evaluation.Evaluation:
    return evaluation.evaluate(rows(900, off=0.4), draws=100)


def test_every_picture_is_drawn_as_a_png(judged: evaluation.Evaluation, tmp_path: Path) -> None:
    drawn = pictures.write(pictures.pictures(judged, EXPLAINED), tmp_path)
    assert sorted(path.stem for path in drawn) == sorted(OF_ROWS + OF_MODEL)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_what_there_is_nothing_of_is_left_out(judged: evaluation.Evaluation) -> None:
    assert list(pictures.pictures(judged, Explained())) == OF_ROWS
    bare = rows(30).select(["market_id", "group_id", "label", "weight", "mid", "probability"])
    few = evaluation.judge_predictions(bare.slice(0, 3), draws=50)
    assert list(pictures.pictures(few, Explained())) == OF_ROWS[:-1]


def test_charts_hold_the_figures_of_the_evaluation(judged: evaluation.Evaluation) -> None:
    drawn = {name: values(panel.chart) for name, panel in pictures.pictures(judged, EXPLAINED).items()}
    assert {row["baseline"] for row in drawn["baselines"]} == {"mid", "b1m", "b1n", "b2", "b2i", "b3", "b4"}
    (over_mid,) = [r for r in drawn["baselines"] if r["baseline"] == "mid" and r["kind"] == "over groups"]
    assert over_mid["value"] == pytest.approx(1e3 * judged.overall.against["mid"].gain.by_group.value)
    assert drawn["skill_by_week"][-1]["so_far"] == pytest.approx(1e3 * judged.overall.gain_over_best.value)
    assert len(drawn["skill_by_slice"]) == len(judged.slices)
    assert sum(row["share"] for row in drawn["corrections"]) == pytest.approx(1)
    assert [row["feature"] for row in drawn["feature_gain"]] == ["spread_c", "logit_mid"]
    assert {row["value"] for row in drawn["feature_effects"]} == {"0.5", "2", "sports", "crypto"}


def test_an_interval_without_an_end_is_drawn_without_it() -> None:
    """JSON has no infinity: a week of one group must not break a page."""
    lone = marks.drawn(evaluation.Interval(0.001, float("-inf"), float("inf")))
    assert json.loads(json.dumps(lone, allow_nan=False)) == {"value": 1.0, "low": None, "high": None}


def test_one_wild_slice_does_not_squeeze_all_others() -> None:
    tame = [evaluation.Interval(v, v - 0.002, v + 0.002) for v in (0.0, 0.001, 0.002)]
    low, high = marks.range_of([*tame, evaluation.Interval(0.001, -9.0, 9.0)])
    assert -12 < low < -2
    assert 4 < high < 14


def values(chart: object) -> list[dict[str, object]]:
    """The rows of the first layer that has any beyond the rule at nothing."""
    spec = chart.to_dict()  # type: ignore[attr-defined]
    held = [part["data"] for part in (spec, *spec["layer"]) if "data" in part]
    sets = [spec["datasets"][data["name"]] if "name" in data else data["values"] for data in held]
    found: list[list[dict[str, object]]] = [each for each in sets if each != [{"none": 0}]]
    return found[0]
