"""The engine: money is never borrowed, no group holds more than its cap, and every dollar is accounted for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.learning.backtest import filled
from polymarket_assets.learning.backtest.books import Books
from polymarket_assets.learning.backtest.fees import FREE, Schedule
from polymarket_assets.learning.backtest.portfolio import End, Portfolio
from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.learning.backtest.stakes import Flat, Kelly, Stakes
from polymarket_assets.learning.backtest.strategies import Wishes
from polymarket_assets.learning.backtest.trading import Decisions, Fate, Trader
from polymarket_assets_tests.learning.backtest.worlds import T0, book

T0_US = int(T0.timestamp() * 1e6)
BANKROLL = 1_000.0
Wish = tuple[int, int, int, float, float]  # market, minutes, outcome, mid of it, belief above it


def decisions(wishes: list[Wish], *, ends: dict[str, End] | None = None, depth: float = 1e4, schedule: Schedule = FREE) -> tuple[Decisions, Wishes]:  # fmt: skip
    """Two markets a group; every book stands a cent above the mid of its wish, a minute later."""
    yes = [mid if outcome == 0 else 1 - mid for _, _, outcome, mid, _ in wishes]
    made = [book("", T0, [(mid - 0.01, depth)], [(mid + 0.01, depth)]) for mid in yes]
    at = [T0_US + minutes * 60_000_000 for _, minutes, *_ in wishes]
    levels = pa.list_(pa.struct([("price_e6", pa.int32()), ("size_e6", pa.int64())]))
    books = Books.of(
        pa.table({
            "n": np.arange(len(made)), "at_us": [t + 60_000_000 for t in at],
            "bids": pa.array([b["bids"] for b in made], levels), "asks": pa.array([b["asks"] for b in made], levels),
        }),
        len(made),
    )  # fmt: skip
    markets = [f"m{market}" for market, *_ in wishes]
    of = Decisions(markets, [f"g{market // 2}" for market, *_ in wishes], at, [schedule] * len(at), books, ends or {})  # fmt: skip
    outcome, mid, belief = (np.array(x) for x in zip(*((o, m, m + above) for _, _, o, m, above in wishes), strict=True))  # fmt: skip
    return of, Wishes(outcome, belief, mid)


def trader(stakes: Stakes | None = None) -> Trader:
    return Trader(Rules(stakes=stakes or Kelly(), bankroll_usd=BANKROLL), Portfolio(BANKROLL))


many = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 600), st.integers(0, 1), st.integers(5, 90).map(lambda c: c / 100), st.floats(0, 0.5)),
    min_size=1, max_size=40,
).map(lambda wishes: sorted(((m, t, o, mid, min(above, 0.99 - mid)) for m, t, o, mid, above in wishes), key=lambda w: w[1]))  # fmt: skip
payouts = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 900), st.sampled_from([0.0, 1.0, 0.5, math.nan])), max_size=8)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    many,
    payouts,
    st.sampled_from([Kelly(), Kelly(1.0, 0.3), Flat(300)]),
    st.sampled_from([FREE, Schedule(0.05)]),
)
def test_money_is_conserved_never_borrowed_and_spread(wishes: list[Wish], paid: list[Any], stakes: Stakes, schedule: Schedule) -> None:  # fmt: skip
    ends = {f"m{market}": End(T0_US + minutes * 60_000_000 + 1, payout) for market, minutes, payout in paid}
    of, wished = decisions(wishes, ends=ends, depth=2_000, schedule=schedule)
    of_us = trader(stakes)
    held = of_us.portfolio
    for row in range(len(wishes)):
        of_us.settle(of.at_us[row])
        before, bankroll = dict(held.exposure_usd), held.bankroll_usd
        of_us.trade(of, wished, [row])
        assert held.cash_usd >= 0
        for group, usd in held.exposure_usd.items():
            assert usd <= max(stakes.cap_usd(bankroll), before.get(group, 0.0)) + 1e-6
        assert held.bankroll_usd == pytest.approx(BANKROLL + held.realised_usd)
        assert held.locked_usd == pytest.approx(sum(p.cost_usd for p in held.open.values()), abs=1e-6)
    of_us.settle(2**62)
    assert not set(ends) & set(held.open)
    fills = filled.table(of_us.done, of, wished)
    bought = {name: np.nansum(fills.column(name).to_numpy().astype(float)) for name in ("cost_usd", "fee_usd", "payout_usd")}  # fmt: skip
    assert held.fees_usd == pytest.approx(bought["fee_usd"])
    assert held.cash_usd == pytest.approx(BANKROLL - bought["cost_usd"] + bought["payout_usd"])
    gained = [payout - position.cost_usd for position, _, payout in of_us.settled]
    assert held.realised_usd == pytest.approx(sum(gained), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(many)
def test_buying_no_is_buying_yes_of_the_mirrored_book(wishes: list[Wish]) -> None:
    turned = [(market, at, 1 - outcome, mid, above) for market, at, outcome, mid, above in wishes]
    one, other = trader(), trader()
    for which, given_ in ((one, wishes), (other, turned)):
        of, wished = decisions(given_, schedule=Schedule(0.05))
        which.trade(of, wished, range(len(given_)))
    assert [(d.row, d.fate) for d in one.done] == [(d.row, d.fate) for d in other.done]
    assert one.portfolio.cash_usd == pytest.approx(other.portfolio.cash_usd, abs=0.05)


@pytest.mark.parametrize(
    ("wishes", "fates"),
    [
        ([(0, 0, 0, 0.5, 0.1), (0, 60, 0, 0.5, 0.1)], [Fate.FILLED, Fate.NO_ROOM]),
        ([(0, 0, 0, 0.5, 0.1), (1, 0, 1, 0.5, 0.1)], [Fate.FILLED, Fate.NO_ROOM]),
        ([(0, 0, 0, 0.5, 0.1), (2, 0, 1, 0.5, 0.1)], [Fate.FILLED, Fate.FILLED]),
        ([(0, 0, 0, 0.5, 0.1), (0, 60, 1, 0.5, 0.1)], [Fate.FILLED, Fate.OTHER_HELD]),
        ([(0, 0, 0, 0.5, 0.0105), (0, 60, 0, 0.5, 0.2)], [Fate.TOO_DEAR, Fate.FILLED]),
        ([(0, 0, 0, 0.5, 0.0)], [Fate.NO_EDGE]),
        ([(6, 0, 0, 0.5, 0.1)], [Fate.FILLED]),
        ([(6, 31, 0, 0.5, 0.1)], [Fate.OVER]),
        ([(6, 29, 0, 0.5, 0.1)], [Fate.FILLED]),
        ([(6, 30, 0, 0.5, 0.1)], [Fate.NO_BOOK]),
    ],
)
def test_what_becomes_of_a_wish(wishes: list[Wish], fates: list[Fate]) -> None:
    """The stake of a group is bought once, by all its markets and instants together; nothing is bought of what is over."""
    of_us = trader()
    of, wished = decisions(wishes, ends={"m6": End(T0_US + 30 * 60_000_000 + 30_000_000, 1.0)})
    of_us.trade(of, wished, range(len(wishes)))
    assert [done.fate for done in of_us.done] == fates


def test_a_book_is_taken_from_once() -> None:
    """Two decisions that meet one book would take the same quarter of its depth twice."""
    of, wished = decisions([(0, 0, 0, 0.5, 0.3), (0, 1, 0, 0.5, 0.3)], depth=40)
    of.books.at_us[1] = of.books.at_us[0]
    of_us = trader()
    of_us.trade(of, wished, [0, 1])
    assert [done.fate for done in of_us.done] == [Fate.FILLED, Fate.NO_OFFER]
    assert of_us.portfolio.open["m0"].shares == 10


def test_capital_is_locked_until_the_market_pays() -> None:
    wishes = [(2 * n, n, 0, 0.5, 0.4) for n in range(4)]
    ends = {"m0": End(T0_US + 150_000_000, 1.0)}
    of_us = trader(Kelly(1.0, 0.45))
    of, wished = decisions(wishes, ends=ends)
    of_us.trade(of, wished, range(4))
    assert [done.fate for done in of_us.done] == [Fate.FILLED] * 4
    costs = [done.fill.cost_usd for done in of_us.done if done.fill]
    assert costs[0] == pytest.approx(450, abs=0.01)
    assert costs[2] == pytest.approx(100, abs=0.01)
    # The first was paid 150 seconds in: its capital and its gain are there for the fourth.
    assert costs[3] > 450


@pytest.mark.parametrize(
    ("outcome", "payout", "got"), [(0, 1.0, 10.0), (1, 1.0, 0.0), (1, 0.0, 10.0), (0, 0.5, 5.0), (1, 0.5, 5.0), (1, math.nan, 4.4)]
)  # fmt: skip
def test_payouts(outcome: int, payout: float, got: float) -> None:
    """A split pays half a dollar a share of either outcome; what is annulled gives the cost back, fees and all."""
    from polymarket_assets.learning.backtest.portfolio import payout_usd

    assert payout_usd(outcome, 10.0, 4.4, payout) == got
