"""Fills: never better than the best offer, never more than a share of each, never more than is wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.learning.backtest.fees import FREE, Schedule
from polymarket_assets.learning.backtest.fills import walk
from polymarket_assets.learning.backtest.stakes import Flat, Kelly

ladders = st.lists(
    st.tuples(st.integers(1, 999).map(lambda p: p / 1000), st.floats(0.01, 1e5)), max_size=20
).map(lambda levels: sorted(dict(levels).items()))
schedules = st.sampled_from([FREE, Schedule(0.05), Schedule(0.25, 2.0, times_price=True, decimals=4)])
beliefs = st.floats(0.001, 0.999)


@given(ladders, schedules, beliefs, st.floats(1, 1e6), st.sampled_from([Kelly(), Kelly(1.0, 1.0), Flat(200)]))
def test_an_order_takes_its_share_of_offers_worth_their_price(offers, schedule, belief, bankroll, stakes) -> None:  # type: ignore[no-untyped-def] # fmt: skip
    fill = walk(offers, schedule, lambda each: stakes.target_usd(belief, each, bankroll), 0.25)
    worth = [(p, s) for p, s in offers if p + schedule.per_share(p) < belief]
    assert fill.shares <= sum(0.25 * s for _, s in worth) + 1e-6
    assert fill.cost_usd <= stakes.cap_usd(bankroll) + 1e-9
    assert not fill.shares or worth[0][0] - 1e-9 <= fill.price <= worth[-1][0] + 1e-9


@pytest.mark.parametrize(
    ("offers", "usd", "shares", "paid"),
    [
        ([(0.5, 1000)], 50, 99.99, 49.995),
        ([(0.5, 100), (0.6, 1000)], 50, 25 + 62.49, 12.5 + 37.494),
        ([(0.5, 100), (0.9, 1000)], 50, 25, 12.5),
        ([], 50, 0, 0),
        ([(0.5, 0.02), (0.6, 1000)], 50, 83.33, 49.998),
    ],
)
def test_a_book_is_walked_level_by_level(offers: list[tuple[float, float]], usd: float, shares: float, paid: float) -> None:  # fmt: skip
    """A quarter of each level, whole hundredths of shares, and nothing of what costs 0.9 when it is worth 0.8."""
    fill = walk(offers, FREE, lambda each: usd if each < 0.8 else 0.0, 0.25)
    assert (fill.shares, fill.paid_usd) == (pytest.approx(shares), pytest.approx(paid))


def test_every_match_pays_its_fee() -> None:
    fill = walk([(0.4, 40), (0.5, 40)], Schedule(0.05), lambda each: 1_000, 0.25)
    assert fill.fee_usd == pytest.approx(10 * 0.05 * 0.24 + 10 * 0.05 * 0.25)


@given(beliefs, st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_demand_falls_as_the_price_rises(belief: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert Kelly().target_usd(belief, low, 1000) >= Kelly().target_usd(belief, high, 1000)


def test_kelly_is_a_quarter_of_the_textbook_and_capped() -> None:
    assert Kelly(0.25, 1.0).target_usd(0.6, 0.5, 1000) == pytest.approx(0.25 * 0.2 * 1000)
    assert Kelly().target_usd(0.6, 0.5, 1000) == pytest.approx(10)
    assert Kelly().target_usd(0.5, 0.5, 1000) == 0
