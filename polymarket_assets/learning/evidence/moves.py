"""How prices moved up to the newest one: changes over windows, the day's range, pauses, and steps of the clock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence.quotes import Instants, Prices, first_of_day
from polymarket_assets.learning.evidence.series import (
    HOUR_US,
    US,
    Columns,
    Flags,
    Whole,
    earlier,
    extreme,
    given,
    last_where,
    next_where,
    running,
)
from polymarket_assets.learning.evidence.steps import Steps
from polymarket_assets.learning.features.volatility import GRIDS_S, LEAST_CHANGES, WINDOWS_S

# A longer pause is no pause of collection, and lies beyond what an hour looks back.
_LONGEST_PAUSE_US = 23 * HOUR_US


def moves(at: Instants, prices: Prices) -> Columns:
    """Of each instant what prices did: `logit_u_<window>`, the day and hour, `squares_<grid>`."""
    has_moved = _has_moved(prices)
    return {
        **_lags(at, prices),
        **_day(at, prices, has_moved),
        **_hour(at, prices, has_moved),
        **_squares(at, prices),
    }


def _lags(at: Instants, prices: Prices) -> Columns:
    """Log-odds as long before the newest price as the window is, where a price stood then and prices are no farther apart."""
    found = {}
    spacing_us = prices.spacing_us[at.price]
    for name, seconds in WINDOWS_S.items():
        then = prices.standing(at.market, at.quoted_us - seconds * US)
        is_known = (then >= 0) & prices.is_priced[then] & (spacing_us <= seconds * US)
        found[f"logit_u_{name}"] = given(prices.logit_u[then], is_known)
    return found


def _day(at: Instants, prices: Prices, has_moved: Flags) -> Columns:
    """The first price of a window tells of no change within it."""
    first = first_of_day(at, prices)
    ever = running(prices.is_priced.astype(np.int64))
    count = ever[at.price + 1] - ever[first]
    low, high = (np.where(prices.is_priced, prices.mid_e6x2, other) for other in (2**40, -(2**40)))
    since = prices.at_us[np.minimum(next_where(prices.is_priced)[first], at.price)]
    moved = last_where(has_moved)[at.price]
    return {
        "prices_24h": pa.array(count),
        "lowest_e6x2": given(extreme(np.minimum, low, first, at.price), count > 0),
        "highest_e6x2": given(extreme(np.maximum, high, first, at.price), count > 0),
        "moved_us": given(np.where(moved >= first, prices.at_us[moved], since), count > 0),
    }


def _hour(at: Instants, prices: Prices, has_moved: Flags) -> Columns:
    first = prices.series.before(at.market, at.quoted_us - HOUR_US + 1)
    next_priced = next_where(prices.is_priced)[first]
    prices_1h, moves_1h, missed_1h = (
        (sums := running(flags.astype(np.int64)))[at.price + 1] - sums[first]
        for flags in (prices.is_priced, has_moved, _missed(prices))
    )
    of_first = has_moved[np.minimum(next_priced, at.price)] & (next_priced <= at.price)
    return {
        "prices_1h": pa.array(prices_1h),
        "moves_1h": pa.array(moves_1h - of_first),
        "missed_1h": given(missed_1h, prices.spacing_us[at.price] > 0),
    }


def _has_moved(prices: Prices) -> Flags:
    """Where a mid is not that of the market's mid before."""
    former = earlier(last_where(prices.is_priced))
    is_same = (former >= 0) & (prices.market[former] == prices.market)
    found: Flags = prices.is_priced & is_same & (prices.mid_e6x2[former] != prices.mid_e6x2)
    return found


def _missed(prices: Prices) -> Whole:
    """How many prices should have come between the one before and this one."""
    pause_us, every_us = prices.at_us - earlier(prices.at_us), earlier(prices.spacing_us)
    is_pause = (
        prices.same_market() & (prices.spacing_us > 0) & (every_us > 0) & (pause_us <= _LONGEST_PAUSE_US)
    )
    # Rounded to whole spacings.
    return np.where(is_pause, np.maximum(0, (2 * pause_us + every_us) // np.maximum(2 * every_us, 1) - 1), 0)


def _squares(at: Instants, prices: Prices) -> Columns:
    """Sums of squared changes over the steps of a window, where it has enough of them."""
    found = {}
    for name, (back_s, step_s) in GRIDS_S.items():
        steps, step = Steps.of(prices, step_s * US), at.as_of_us // (step_s * US)
        last, first = steps.at(at.market, step), steps.series.before(at.market, step - back_s // step_s + 1)
        squares, count = (
            running(np.where(steps.follows, steps.change_u**2, 0)),
            running(steps.follows.astype(np.int64)),
        )
        is_known = (last >= 0) & (count[last + 1] - count[first] >= LEAST_CHANGES)
        found[f"squares_{name}"] = given(squares[last + 1] - squares[first], is_known)
    return found
