"""Running sums of all trades, market after market, and what lies between two instants of a market.

Sums are of whole millionths: differences of them are exact, whatever was added before. Searching and summing run in
numpy: windows of DuckDB take thirty times the CPU for the same sums, and joins on inequality cannot place twenty borders a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Whole = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

# Instants of one market stay below this; of it a market's number is a multiple. A year of microseconds.
_LIFE_US = 2**45
# Rows whose borders are looked for at once: some tens of megabytes.
_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Sums:
    """Trades in order of market and receipt; `of[name][i]` is the sum of the first `i` of them."""

    first_us: int
    keys: Whole
    of: dict[str, Whole]

    @classmethod
    def over(cls, trades: pa.Table, terms: dict[str, Whole]) -> Sums:
        """Of trades with `m` and `at_us`, in that order."""
        at = whole(trades, "at_us")
        first_us = int(at.min()) if at.size else 0
        keys = whole(trades, "m") * _LIFE_US + (at - first_us)
        return cls(first_us, keys, {name: np.concatenate([[0], np.cumsum(term)]) for name, term in terms.items()})  # fmt: skip

    def before(self, market: Whole, at_us: Whole) -> Whole:
        """How many trades come before: all of the markets before, and of its own those before the instant, strictly."""
        return np.searchsorted(self.keys, market * _LIFE_US + np.maximum(at_us - self.first_us, 0))

    def between(self, name: str, first: Whole, last: Whole) -> Whole:
        """What was added between two counts of `before`."""
        return self.of[name][last] - self.of[name][first]

    def last_us(self, count: Whole, market: Whole) -> npt.NDArray[np.int64]:
        """When the market's last trade of the first `count` was received; -1: there is none."""
        if not self.keys.size:
            return np.full(count.shape, -1)
        key = self.keys[np.maximum(count - 1, 0)]
        return np.where((count > 0) & (key // _LIFE_US == market), key % _LIFE_US + self.first_us, -1)


def one_sidedness(volume: Whole, signed: Whole, first: Whole, last: Whole, buckets: int) -> Reals:
    """Mean of abs(for − against) / volume over buckets of equal volume between two counts of trades; a trade across a border is divided.

    `volume` and `signed` are running sums. Source: VPIN of Easley, López de Prado, O'Hara 2012.
    """
    found = [np.zeros(0)]
    for begin in range(0, first.size, _ROWS_AT_ONCE):
        rows = slice(begin, begin + _ROWS_AT_ONCE)
        low, high = volume[first[rows]], volume[last[rows]]
        borders = low[:, None] + (high - low)[:, None] * np.arange(buckets + 1) // buckets
        after = np.searchsorted(volume, borders)
        direction = np.sign(signed[after] - signed[np.maximum(after - 1, 0)])
        at_border = signed[after] - direction * (volume[after] - borders)
        found.append(np.abs(np.diff(at_border, axis=1)).sum(axis=1) / (high - low))
    return np.concatenate(found)


def whole(rows: pa.Table, name: str) -> Whole:
    """A column as whole numbers."""
    found: Whole = rows.column(name).to_numpy().astype(np.int64)
    return found
