"""Events of markets in order of market and instant: which lies where, and what a stretch of them adds up to.

Searching and summing run in numpy: a search of sorted instants takes a fifteenth of the CPU of DuckDB's as-of join, running
sums a thirtieth of its windows (`python -m benchmarks features`). Sums are of whole numbers: differences of running ones are
exact whatever was added before, also where the running one went round 64 bits, as long as the difference does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Whole = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Values = TypeVar("Values", bound=npt.NDArray[Any])
Columns = dict[str, pa.Array]

US = 1_000_000
HOUR_US, DAY_US = 3_600 * US, 86_400 * US

# Instants of one market stay below this; of it a market's number is a multiple. A hundred days of microseconds.
_LIFE_US = 2**43
_MOST_MARKETS = 2**20


@dataclass(frozen=True)
class Series:
    """Events by `keys`, which grow with market and instant.

    Searching is fast where what is looked for is in the same order.
    """

    first_us: int
    keys: Whole

    @classmethod
    def over(cls, market: Whole, at_us: Whole) -> Series:
        """Of events in order of market and instant.

        Raises:
            ValueError: they lie farther apart than a hundred days, or are of more than a million markets.
        """
        first_us = int(at_us.min()) if at_us.size else 0
        series = cls(first_us, key(market, at_us, first_us))
        if at_us.size and (int(at_us.max()) - first_us >= _LIFE_US - 1 or int(market.max()) >= _MOST_MARKETS):
            raise ValueError("events of more than a hundred days or a million markets at once")
        return series

    def before(self, market: Whole, at_us: Whole) -> Whole:
        """How many events come before: all of the markets before, and of its own those before the instant, strictly."""
        return np.searchsorted(self.keys, self._key(market, at_us))

    def until(self, market: Whole, at_us: Whole) -> Whole:
        """The same, with those of the instant."""
        return np.searchsorted(self.keys, self._key(market, at_us), side="right")

    def newest(self, market: Whole, count: Whole) -> Whole:
        """Where the last of the first `count` events stands, as counted by `before` or `until`; −1: it is of another market."""
        if not self.keys.size:
            return np.full(count.shape, -1)
        last = count - 1
        return np.where((count > 0) & (self.keys[last] // _LIFE_US == market), last, -1)

    def latest(self, market: Whole, at_us: Whole) -> Whole:
        """Where the market's newest event up to the instant stands; −1: there is none."""
        return self.newest(market, self.until(market, at_us))

    def exactly(self, market: Whole, at_us: Whole) -> Whole:
        """Where the market's last event of the very instant stands; −1: there is none."""
        place = self.latest(market, at_us)
        if self.keys.size:
            place[self.keys[place] != self._key(market, at_us)] = -1
        return place

    def _key(self, market: Whole, at_us: Whole) -> Whole:
        return key(market, np.clip(at_us, self.first_us - 1, self.first_us + _LIFE_US - 2), self.first_us)


def key(market: Whole, at_us: Whole, first_us: int) -> Whole:
    """Numbers that grow with market and instant."""
    found = market * _LIFE_US
    found += at_us
    found -= first_us
    return found


def in_order(market: Whole, at_us: Whole, *ties: Whole) -> Whole:
    """How to take events so that they are in order of market and instant, equal ones by `ties`, then as they were."""
    keys = key(market, at_us, int(at_us.min()) if at_us.size else 0)
    # What comes in order of time, as trades do, has its markets sorted in a tenth of the time: by digits, which few markets allow.
    is_timed = market.max(initial=0) < 2**16 and (at_us[1:] >= at_us[:-1]).all()
    order = np.argsort(market.astype(np.uint16) if is_timed else keys, kind="stable")
    keys = keys[order]
    same = keys[1:] == keys[:-1]
    if ties and same.any():
        # Sorting by everything takes three times as long, and few are equal.
        equal = np.flatnonzero(np.append(same, False) | np.append(False, same))
        which = order[equal]
        order[equal] = which[np.lexsort((*(tie[which] for tie in reversed(ties)), keys[equal]))]
    return order


def last_of_equal(found: pa.Table) -> Whole:
    """How to take rows with `m`, `at_us` and `tie` so that they are in order of market and instant, of equal ones the last by `tie`."""
    market, at_us, tie = (whole(found, name) for name in ("m", "at_us", "tie"))
    order = in_order(market, at_us, tie)
    return order[ends(market[order], at_us[order])]


def ends(*groups: Whole) -> Flags:
    """The last of each run of events that are equal in all of `groups`."""
    found = np.zeros(groups[0].size, dtype=bool)
    found[-1:] = True
    for values in groups:
        found[:-1] |= values[1:] != values[:-1]
    return found


def running(terms: Values) -> Values:
    """Sums of the first 0, 1, 2 … terms."""
    found = np.zeros(terms.size + 1, dtype=terms.dtype)
    np.cumsum(terms, out=found[1:])
    return cast(Values, found)


def last_where(flags: Flags) -> Whole:
    """For each event, where the last flagged one up to it stands; −1: nowhere."""
    return np.maximum.accumulate(np.where(flags, np.arange(flags.size), -1))


def next_where(flags: Flags) -> Whole:
    """For each event, where the first flagged one from it on stands; their number: nowhere."""
    return np.minimum.accumulate(np.where(flags, np.arange(flags.size), flags.size)[::-1])[::-1]


def earlier(values: Values) -> Values:
    """What the event before has, whatever its market; of the first, −1."""
    return cast(Values, np.concatenate([np.full(1, -1, dtype=values.dtype), values[:-1]]))


def extreme(of: np.ufunc, values: Whole, first: Whole, last: Whole) -> Whole:
    """The least (`np.minimum`) or greatest (`np.maximum`) of `values[first … last]`, of tables over powers of two."""
    power = np.frexp(last - first + 1)[1] - 1
    found, table = np.empty(first.size, dtype=values.dtype), values
    for n in range(int(power.max(initial=-1)) + 1):
        rows = np.flatnonzero(power == n)
        found[rows] = of(table[first[rows]], table[last[rows] - 2**n + 1])
        table = of(table[: -(2**n)], table[2**n :])
    return found


def whole(rows: pa.Table, name: str) -> Whole:
    """A column as whole numbers; null is 0."""
    column = rows.column(name)
    found: Whole = (pc.fill_null(column, 0) if column.null_count else column).to_numpy().astype(np.int64, copy=False)  # fmt: skip
    return found


def flags(rows: pa.Table, name: str) -> Flags:
    """A column as flags; null is false."""
    found: Flags = pc.fill_null(rows.column(name), False).to_numpy()
    return found


def known(rows: pa.Table, name: str) -> Flags:
    """Where a column is not null."""
    found: Flags = rows.column(name).is_valid().to_numpy()
    return found


def given(values: Any, where: Flags) -> pa.Array:
    """A column that is null elsewhere."""
    return pa.array(values, mask=~where)
