"""Backtests of worlds whose truth is known: an edge earns, an honest price gives nothing, a coin loses its costs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import returns, running
from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.learning.backtest.running import Backtest, backtest
from polymarket_assets.learning.backtest.strategies import LONGSHOTS, MODEL, RANDOM
from polymarket_assets.learning.errors import NothingToTrade
from polymarket_assets_tests.learning.backtest.worlds import rows, world

GROUPS = 1_500


@pytest.fixture(scope="module")
def edged(tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    """The price is 0.5 logit wrong, and the model knows it."""
    lake = Lake(tmp_path_factory.mktemp("edged"))
    return backtest(lake, world(lake, groups=GROUPS, edge=0.5, claimed=0.5))


@pytest.fixture(scope="module")
def efficient(tmp_path_factory: pytest.TempPathFactory) -> Backtest:
    """The price is right, and the model claims half a logit all the same."""
    lake = Lake(tmp_path_factory.mktemp("efficient"))
    return backtest(lake, world(lake, groups=GROUPS, edge=0.0, claimed=0.5, seed=1))


def test_a_planted_edge_earns_at_every_size_and_latency(edged: Backtest) -> None:
    for figures in (edged.figures[MODEL], *edged.capacity.values(), *(edged.latencies[s] for s in (15.0, 60.0))):  # fmt: skip
        assert figures.earns, figures.verdict
    assert "earns after costs" in edged.verdict


def test_what_an_efficient_price_gives_is_nothing_or_less(efficient: Backtest) -> None:
    for figures in (efficient.figures[MODEL], *efficient.capacity.values()):
        assert figures.roi.low < 0, figures.verdict
        assert not figures.earns
    assert efficient.figures[MODEL].roi.value < 0.02


@pytest.mark.parametrize("world_of", ["edged", "efficient"])
def test_a_random_side_loses_about_its_costs(world_of: str, request: pytest.FixtureRequest) -> None:
    """Whatever the model sees: thrown by a coin it must be worth nothing, and cost what trading costs."""
    figures = request.getfixturevalue(world_of).figures[RANDOM]
    expected = -figures.costs_usd / figures.staked_usd
    assert figures.groups > GROUPS / 2
    assert figures.roi.low < expected < figures.roi.high
    assert -0.05 < expected < -0.02


def test_a_baseline_that_is_the_price_trades_nothing(edged: Backtest) -> None:
    assert edged.figures["b3"].fills == 0
    assert math.isnan(edged.figures["b3"].roi.value)


def test_a_wider_doubt_trades_less_and_one_without_a_bound_nothing(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    given = world(lake, groups=200, edge=0.5, claimed=0.5)
    column = given.schema.get_field_index("correction_sd")
    fills = [
        backtest(lake, given.set_column(column, "correction_sd", [[sd] * 200])).figures[MODEL].fills
        for sd in (0.0, 0.25, 5.0)
    ]
    assert fills[0] > fills[1] > fills[2] == 0
    unbounded = given.set_column(column, "correction_sd", pa.nulls(200, pa.float64()))
    assert backtest(lake, unbounded).figures[MODEL].fills == 0


def test_later_books_than_the_wait_are_never_met(edged: Backtest) -> None:
    """The one book of each market comes 70 s after the decision: too early for orders of 120 s."""
    assert edged.latencies[120.0].fills == 0
    assert edged.latencies[15.0].fills == edged.figures[MODEL].fills


def test_capacity_falls_with_the_size_of_orders(tmp_path: Path) -> None:
    """A large order walks up the book, or is not filled: what it returns is less, dollar by dollar."""
    lake = Lake(tmp_path)
    found = backtest(lake, world(lake, groups=300, edge=0.8, claimed=0.8, depth=2_000)).capacity
    staked, costs = zip(*((f.staked_usd, f.costs_usd / f.staked_usd) for f in found.values()), strict=True)
    assert staked[0] < staked[1] < staked[2] < 300 * 1_000
    assert costs[0] < costs[1] <= costs[2]


def test_figures_equal_their_definitions(edged: Backtest) -> None:
    fills, figures = edged.fills[MODEL].to_pandas(), edged.figures[MODEL]
    gained = fills["payout_usd"] - fills["cost_usd"]
    of_group = gained.groupby(fills["group_id"]).sum()
    cost = fills.groupby("group_id")["cost_usd"].sum()
    assert figures.pnl_usd == pytest.approx(gained.sum())
    assert figures.roi.value == pytest.approx(gained.sum() / cost.sum())
    assert figures.roi_of_groups.value == pytest.approx((of_group / cost).mean())
    best = of_group.nlargest(5).index
    assert figures.roi_without_best.value == pytest.approx(of_group.drop(best).sum() / cost.drop(best).sum())
    assert figures.sharpe_of_groups == pytest.approx((of_group / cost).mean() / (of_group / cost).std())
    daily = gained.groupby(fills["paid_at"].dt.date).sum()
    assert figures.sharpe_of_days == pytest.approx(daily.mean() / daily.std())
    curve = returns.curve(edged.fills[MODEL], 10_000)
    assert curve["equity_usd"][-1] == pytest.approx(10_000 + figures.pnl_usd)
    assert figures.drawdown == pytest.approx(curve["drawdown"].max())
    assert figures.turnover == pytest.approx(cost.sum() / 10_000)
    assert sum(band.fills for band in returns.bands(edged.fills[MODEL])) == figures.fills
    assert sum(band.pnl_usd for band in returns.bands(edged.fills[MODEL])) == pytest.approx(figures.pnl_usd)


def test_a_loss_at_the_beginning_is_a_drawdown(edged: Backtest) -> None:
    """The highest before the first payout is the bankroll itself."""
    fills = edged.fills[MODEL].slice(0, 2)
    lost = fills.set_column(fills.schema.get_field_index("payout_usd"), "payout_usd", pa.array([0.0, 0.0]))
    cost = sum(fills.column("cost_usd").to_pylist())
    assert returns.curve(lost, 1_000)["drawdown"][-1] == pytest.approx(cost / 1_000)


def test_no_fill_is_better_than_the_best_offer_nor_at_the_mid(edged: Backtest) -> None:
    fills = edged.fills[MODEL].to_pandas()
    assert (fills["price"] >= fills["mid"] + 0.005 - 1e-9).all()
    assert (fills["shares"] <= 0.25 * 3 * 2_000 + 1e-6).all()
    assert (fills["price"] + fills["fee_usd"] / fills["shares"] < fills["belief"]).all()
    assert (fills["executed_at"] - fills["as_of"]).dt.total_seconds().between(60, 60 + 900).all()


def test_all_no_longshots_buys_no_of_what_is_cheap_only(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    given = world(lake, groups=400, edge=0.0, claimed=0.0)
    fills = backtest(lake, given).fills[LONGSHOTS].to_pandas()
    assert len(fills) > 0
    assert (fills["outcome_index"] == 1).all()
    assert (fills["mid"] >= 0.85 - 1e-9).all()


def test_the_same_seed_gives_the_same_backtest(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    given = world(lake, groups=150, edge=0.5, claimed=0.5)
    one, again, other = (backtest(lake, given, seed=seed) for seed in (3, 3, 4))
    assert one.metrics() == again.metrics()
    assert all(one.fills[name].equals(again.fills[name]) for name in one.fills)
    assert one.fills[MODEL].equals(other.fills[MODEL])
    assert not one.fills[RANDOM].equals(other.fills[RANDOM])


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    given = world(lake, groups=150, edge=0.5, claimed=0.5)
    turned = given.take(np.random.default_rng(0).permutation(150))
    assert backtest(lake, given).fills[MODEL].equals(backtest(lake, turned).fills[MODEL])


def test_metrics_are_flat_finite_figures(edged: Backtest) -> None:
    metrics = edged.metrics()
    assert all(isinstance(value, float) and math.isfinite(value) for value in metrics.values())
    assert {"backtest/roi", "backtest/roi_low", "backtest/roi.random_side", "backtest/roi.200usd", "backtest/roi.15s"} <= set(metrics)  # fmt: skip
    assert metrics["backtest/roi_low"] < metrics["backtest/roi"] < metrics["backtest/roi_high"]


def test_a_backtest_without_rows_or_without_books_says_so(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(NothingToTrade, match="train a model first"):
        backtest(lake, rows([]))
    given = world(lake, groups=20, edge=0.5, claimed=0.5)
    found = backtest(Lake(tmp_path / "empty"), given)
    assert found.booked == 0
    assert "nothing was bought" in found.verdict


def test_few_groups_tell_nothing(tmp_path: Path) -> None:
    """Of three groups that lost alike the bootstrap would be certain."""
    lake = Lake(tmp_path)
    figures = backtest(lake, world(lake, groups=20, edge=3.0, claimed=3.0)).figures[MODEL]
    assert figures.roi.low > 0
    assert not figures.earns
    assert "too few groups to tell" in figures.verdict


def test_other_rules_are_another_value(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    given = world(lake, groups=100, edge=0.5, claimed=0.5)
    found = backtest(lake, given, rules=replace(Rules(), latency_s=120.0))
    assert found.figures[MODEL].fills == 0 < found.latencies[60.0].fills
    assert tuple(found.capacity) == running.SIZES_USD
