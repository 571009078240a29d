"""The pages Models and Whales: each part says what it has or why not, and what the venue or MLflow says is text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.promotion.deciding import Decision
from polymarket_assets.learning.tracking.registry import Version
from polymarket_assets.watching.models import DECIDED, GATES
from polymarket_assets_tests.console import models_lake, tracked
from polymarket_assets_tests.console.models_lake import CHALLENGER, NOW
from polymarket_assets_tests.console.served import Console, served, settings_of

REFUSED = Decision(Version("2", "run", {}), "challenger to shadow", (
    Gate("better than every baseline", True, "+4.2 thousandths of a nat"), Gate("no leak", False, "<i>future</i> | is red"),
))  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's instance with a review of yesterday."""
    folder = tmp_path_factory.mktemp("dagster")
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    said = {DECIDED: dg.MetadataValue.json([REFUSED.said]), GATES: dg.MetadataValue.md(REFUSED.table())}
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("promotion", metadata=said))
    return folder


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Console]:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    models_lake.fill(lake)
    with tracked.tracking(tmp_path_factory.mktemp("mlflow")) as (address, _), served(settings_of(lake, mlflow_tracking_uri=address, dagster_home=home), clock=lambda: NOW) as found:  # fmt: skip
        yield found


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with served(settings_of(tmp_path_factory.mktemp("bare"))) as found:
        yield found


def test_every_version_stands_in_the_table_with_its_role_and_links(console: Console) -> None:
    html = console.part("models", "versions")
    for said in ("champion, says the price", "challenger", "+2.10% (+0.40% … +3.90%)", "+4.20 (-1.00 … +9.00)", "/models?version=3", "/#/models/polymarket/versions/2?"):  # fmt: skip
        assert said in html


def test_a_version_is_shown_with_what_was_said_of_it_as_text(console: Console) -> None:
    """Descriptions may be written by anybody who reaches MLflow."""
    html = console.part("models", "version", version="2")
    assert "&lt;b&gt;better&lt;/b&gt; than the price" in html
    assert "kappa" in html
    assert "there is no version &#39;77&#39;" in console.part("models", "version", version="77")
    assert "polymarket/2" in console.part("models", "version"), "the champion says the price"


def test_the_last_review_is_told_gate_by_gate(console: Console) -> None:
    html = console.part("models", "promotion")
    assert html.count("does not hold") == 1
    assert "&lt;i&gt;future&lt;/i&gt; | is red" in html
    assert "/assets/promotion" in html
    (decision,) = console.json("/api/models")["review"]["decisions"]
    assert (decision["version"], decision["asked"], decision["answered"]) == ("polymarket/2", "challenger to shadow", "refused")  # fmt: skip
    assert [gate["is_held"] for gate in decision["gates"]] == [True, False]


def charts(html: str) -> dict[str, dict[str, Any]]:
    """The charts of a part by their names."""
    return {name: json.loads(spec) for name, spec in re.findall(r'data-chart="chart-(\w+)">(.*?)</script>', html, re.S)}  # fmt: skip


def test_reliability_and_weeks_are_drawn_of_the_model_that_is_asked_for(console: Console) -> None:
    html = console.part("models", "live", version="2")
    assert f"{CHALLENGER}: what came true" in html
    drawn = charts(html)
    assert set(drawn) == {"reliability", "weeks"}
    weeks = max(drawn["weeks"]["datasets"].values(), key=len)
    assert [row["week"] for row in weeks] == ["2026-04-06", "2026-04-13", "2026-04-20"]
    assert all(row["low"] < row["gain"] < row["high"] for row in weeks)


def test_a_model_of_which_nothing_is_decided_says_what_is_missing(console: Console) -> None:
    assert "None of what polymarket/3 said is decided yet" in console.part("models", "live", version="3")


def test_portfolios_are_drawn_and_positions_lead_to_their_markets(console: Console) -> None:
    assert set(charts(console.part("models", "paper"))) == {"curve"}
    assert 'href="/market/pm%3A' in console.part("models", "positions")
    assert "trainings" in console.part("models", "tried")


def test_large_orders_lead_to_their_markets_whatever_their_names(console: Console) -> None:
    html = console.part("whales", "orders")
    assert "<script>alert" not in html
    assert "pm:&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "1 to 50 of 60" in html
    assert "/whales?offset=50" in html
    assert "51 to 60 of 60" in console.part("whales", "orders", offset=50)
    assert set(charts(console.part("whales", "hours"))) == {"whales"}
    assert 'name="least_usd"' in console.page("/whales?least_usd=7000")


@pytest.mark.parametrize(
    "given", [{"offset": "-1"}, {"offset": "x"}, {"least_usd": "inf"}, {"offset": "1e8"}]
)
def test_addresses_that_mean_nothing_are_a_sentence_in_their_place(console: Console, given: dict[str, str]) -> None:  # fmt: skip
    assert "is a number from 0 on" in console.part("whales", "orders", **given)


@pytest.mark.parametrize(("page", "part", "said"), [
    ("models", "versions", "no tracking server answers"), ("models", "promotion", "no Dagster instance is named"), ("models", "live", "No prediction is stored yet"),
    ("models", "paper", "Nothing was traded on paper yet"), ("models", "positions", "No position was ever opened"), ("models", "version", "no tracking server answers"),
    ("whales", "hours", "No large order was recorded"), ("whales", "orders", "No large order was recorded"),
])  # fmt: skip
def test_what_is_not_there_says_so_in_its_own_place(bare: Console, page: str, part: str, said: str) -> None:
    assert said in bare.part(page, part)
