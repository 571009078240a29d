"""How log-odds answered signed dollars, step of the clock by step of the clock."""

from __future__ import annotations

import numpy as np

from polymarket_assets.learning.evidence.quotes import Instants, Prices
from polymarket_assets.learning.evidence.series import US, Columns, Flags, Reals, Whole, given, running
from polymarket_assets.learning.evidence.steps import Steps
from polymarket_assets.learning.evidence.trades import Trades
from polymarket_assets.learning.features.flow import KYLE_LEAST_STEPS, KYLE_STEP_S
from polymarket_assets.learning.features.volatility import DAY_S

_STEP_US = KYLE_STEP_S * US
_STEPS = DAY_S // KYLE_STEP_S


def impact(at: Instants, prices: Prices, trades: Trades, is_heard: Flags) -> Columns:
    """Of each instant sums over the steps of a day: dollars × change (`impact_24h`) and dollars² (`signed_squares_24h`), of millionths."""
    steps, step = Steps.of(prices, _STEP_US), at.as_of_us // _STEP_US
    dollars, is_met = _met(steps, trades)
    # Whole numbers of any size: products of dollars go beyond 64 bits.
    signed, change = (values[is_met].astype(object) for values in (dollars, steps.change_u))
    count = running(is_met.astype(np.int64))
    newest = steps.at(at.market, step)
    first, last = count[steps.series.before(at.market, step - _STEPS + 1)], count[newest + 1]
    is_known = is_heard & (newest >= 0) & (last - first >= KYLE_LEAST_STEPS)
    return {
        "impact_24h": given(_between(signed * change, first, last, is_known), is_known),
        "signed_squares_24h": given(_between(signed * signed, first, last, is_known), is_known),
    }


def _met(steps: Steps, trades: Trades) -> tuple[Whole, Flags]:
    """Signed dollars of each step's trades, and where there are some and a change; trades at a step's very end belong to the next."""
    first, last = (trades.before(steps.market, step * _STEP_US) for step in (steps.step - 1, steps.step))
    return trades.between("signed_e6", first, last), steps.follows & (last > first)


def _between(terms: np.ndarray, first: Whole, last: Whole, where: Flags) -> Reals:
    sums, found = running(terms), np.zeros(where.size)
    found[where] = sums[last[where]] - sums[first[where]]
    return found
