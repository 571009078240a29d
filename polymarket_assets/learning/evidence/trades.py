"""Trades as they had been heard: sums over windows that end at the instant, as differences of sums since the beginning.

A trade counts when it was received before the instant, strictly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence.listening import Listened
from polymarket_assets.learning.evidence.quotes import Instants
from polymarket_assets.learning.evidence.series import (
    DAY_US,
    US,
    Columns,
    Flags,
    Reals,
    Series,
    Whole,
    flags,
    given,
    in_order,
    running,
    whole,
)
from polymarket_assets.learning.features.flow import VPIN_BUCKETS, VPIN_LEAST_TRADES, WHALE_USD, WINDOWS_S

# No trade is worth more: sums of so many stay within 64 bits.
MOST_USD_E6 = 10**14
# SQL, of a trade of either outcome: its dollars in millionths, and whether it is for the canonical one.
# Sizes whose product fits 64 bits, all there are in practice, take a sixth of the time.
_PLAIN_SIZE_E6 = 9 * 10**12
USD_E6 = f"""case when size_e6 < {_PLAIN_SIZE_E6} then least(price_e6::bigint * size_e6 // 1000000, {MOST_USD_E6})
    else least((price_e6::hugeint * size_e6) // 1000000, {MOST_USD_E6})::bigint end"""
IS_FOR = "is_buy = (outcome_index = 0)"

_LAST_BITS = 2**22 - 1
# Instants whose borders of buckets are looked for at once: some tens of megabytes.
_AT_ONCE = 100_000


@dataclass(frozen=True)
class Trades:
    """Trades in order of market, receipt, size and side, each once; `of[name][i]` is the sum of the first `i` of them."""

    series: Series
    at_us: Whole
    of: dict[str, Whole]

    @classmethod
    def over(cls, found: pa.Table) -> Trades:
        """Of rows of `dealt`, in any order and with copies."""
        kept = found.drop_columns(["copy_of"]).take(pa.array(_once(found)))
        at_us, usd = whole(kept, "at_us"), whole(kept, "usd_e6")
        signed, is_large = np.where(flags(kept, "is_for"), usd, -usd), usd >= WHALE_USD * US
        terms = {
            "usd_e6": usd, "signed_e6": signed, "whale_e6": usd * is_large, "whale_signed_e6": signed * is_large,
            "known_sides": flags(kept, "is_known").astype(np.int64),
        }  # fmt: skip
        sums = {"trades": np.arange(usd.size + 1)} | {name: running(term) for name, term in terms.items()}
        return cls(Series.over(whole(kept, "m"), at_us), at_us, sums)

    def before(self, market: Whole, at_us: Whole) -> Whole:
        """How many trades come before: all of the markets before, and of its own those received before the instant, strictly."""
        return self.series.before(market, at_us)

    def between(self, name: str, first: Whole, last: Whole) -> Whole:
        """What was added between two counts of `before`."""
        sums = self.of[name]
        return sums[last] - sums[first]


def _once(found: pa.Table) -> Whole:
    """Where the first of all copies of each trade stands, by market, receipt, size and side."""
    order = in_order(
        whole(found, "m"),
        whole(found, "at_us"),
        whole(found, "usd_e6"),
        flags(found, "is_for").astype(np.int64),
    )
    names = whole(found, "copy_of")[order]
    copies = _repeated(names)
    _, first = np.unique(names[copies], return_index=True)
    return np.delete(order, np.delete(copies, first))


def _repeated(names: Whole) -> Whole:
    """Where names stand that there are more than once: few, so that those that share their last bits are looked at first."""
    values = np.sort(names)
    again = np.unique(values[1:][values[1:] == values[:-1]])
    if not again.size:
        return again
    alike = np.zeros(_LAST_BITS + 1, dtype=bool)
    alike[again & _LAST_BITS] = True
    found = np.flatnonzero(alike[names & _LAST_BITS])
    is_one: Flags = again[np.minimum(np.searchsorted(again, names[found]), again.size - 1)] == names[found]
    return found[is_one]


def flow(at: Instants, trades: Trades, listened: Listened) -> Columns:
    """Of each instant what was traded in the windows that were listened to for long enough, `<sum>_<window>`, and how long ago."""
    now = trades.before(at.market, at.as_of_us)
    found = {
        f"unheard_{window}_of": given(us / (WINDOWS_S[window] * US), listened.is_heard)
        for window, us in listened.unheard_us.items()
    }
    for window, seconds in WINDOWS_S.items():
        since, is_whole = trades.before(at.market, at.as_of_us - seconds * US), listened.is_whole(window)
        found |= {f"{name}_{window}": given(trades.between(name, since, now), is_whole) for name in trades.of}
    # The last window is the day.
    found["vpin_24h_of"] = _vpin(trades, since, now, is_whole)
    last = trades.series.newest(at.market, now)
    last_us = np.where(last >= 0, trades.at_us[last] if trades.at_us.size else -1, -1)
    ago = at.as_of_us - np.maximum(np.maximum(last_us, listened.since_us), at.as_of_us - DAY_US)
    return found | {"traded_us_ago": given(ago, is_whole)}


def _vpin(trades: Trades, first: Whole, last: Whole, is_whole: Flags) -> pa.Array:
    is_enough = (last - first >= VPIN_LEAST_TRADES) & (trades.between("usd_e6", first, last) > 0)
    where, found = is_whole & is_enough, np.zeros(first.size)
    found[where] = one_sidedness(
        trades.of["usd_e6"], trades.of["signed_e6"], first[where], last[where], VPIN_BUCKETS
    )
    return given(found, where)


def one_sidedness(volume: Whole, signed: Whole, first: Whole, last: Whole, buckets: int) -> Reals:
    """Mean of abs(for − against) / volume over buckets of equal volume between two counts of trades; a trade across a border is divided.

    `volume` and `signed` are running sums. Source: VPIN of Easley, López de Prado, O'Hara 2012.
    """
    found = [np.zeros(0)]
    for begin in range(0, first.size, _AT_ONCE):
        rows = slice(begin, begin + _AT_ONCE)
        low, high = volume[first[rows]], volume[last[rows]]
        borders = low[:, None] + (high - low)[:, None] * np.arange(buckets + 1) // buckets
        after = np.searchsorted(volume, borders)
        direction = np.sign(signed[after] - signed[np.maximum(after - 1, 0)])
        at_border = signed[after] - direction * (volume[after] - borders)
        found.append(np.abs(np.diff(at_border, axis=1)).sum(axis=1) / (high - low))
    return np.concatenate(found)
