"""Real resolved markets, from the imported dataset to the verdict: the number is what it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from polymarket_assets.history_import import importing
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span, day_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import evaluation, training, training_set
from polymarket_assets.learning.evidence import history as of_history

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(datasets_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The daily temperature markets of four cities, imported and turned into features."""
    made = Lake(tmp_path_factory.mktemp("real") / "lake")
    importing.run(made, [datasets_dir], only=["weather"], clock=lambda: NOW)
    days = Span(day_of(date(2026, 2, 27)), day_of(date(2026, 5, 10)))
    assert sum(written.rows for written in of_history.publish_history_days(made, days)) > 30_000
    return made


@pytest.fixture(scope="module")
def rows(lake: Lake) -> pa.Table:
    return training_set.build(lake, now=NOW).rows


def test_every_row_of_an_event_is_in_one_group_and_weighs_what_it_should(lake: Lake, rows: pa.Table) -> None:
    frame = rows.to_pandas()
    assert frame["group_id"].nunique() == frame["event_id"].nunique() == 264
    assert frame["weight"].sum() == pytest.approx(264)
    winners = frame[frame["label"] == 1].groupby("event_id")["market_id"].nunique()
    assert winners.max() == 1, "exactly one bucket of a day wins"


def test_prices_are_older_than_their_instants_and_before_the_close(lake: Lake, rows: pa.Table) -> None:
    """Against the raw prices, by another way than the as-of join of the features."""
    sample = rows.take(np.random.default_rng(0).choice(rows.num_rows, 200, replace=False)).to_pylist()
    prices = reading.rows(lake, "history_prices").sort_by(
        [("market_id", "ascending"), ("priced_at", "ascending")]
    )
    for row in sample:
        its = prices.filter(pc.equal(prices.column("market_id"), row["market_id"])).to_pylist()
        known = [price for price in its if price["known_at"] <= row["as_of"]]
        assert row["mid"] == known[-1]["price_e6"] / 1e6
        assert row["as_of"] < row["scheduled_end"]


def test_the_verdict_on_real_markets_is_credible(rows: pa.Table) -> None:
    """A lower bound above +1 % would be a leak before it was an edge."""
    judged = evaluation.evaluate(training.train(rows, seed=7).out_of_fold)
    assert not judged.overall.suspicious, judged.verdict
    assert abs(judged.overall.brier_skill.value) < 0.02
    assert [scores.part for scores in judged.scores] == ["all", "weather"]
