"""One side of many books: what its levels add up to.

Levels lie one after another, the best of each book first. Sums run over one book at a time, in the order of its levels: they
are the same whatever books stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence.series import Columns, Flags, Reals, Whole, given, running
from polymarket_assets.learning.features.book import MEAN_DISTANCE_C, WALK_USD

_E6_A_CENT = 10_000
_WALK_E12 = WALK_USD * 10**12
# Dollars within so many cents of the best, and shares.
_DOLLARS_C, _SHARES_C = (1, 5), (2, 5)


@dataclass(frozen=True)
class Side:
    """Levels of one side: `counts` for each book, and prices and sizes in millionths of all of them."""

    counts: Whole
    price_e6: Whole
    size_e6: Whole

    @classmethod
    def of(cls, lists: pa.Array) -> Side:
        """Of a list of levels for each book."""
        flat = lists.flatten()
        counts = np.diff(lists.offsets.to_numpy()).astype(np.int64)
        return cls(
            counts, *(flat.field(name).to_numpy().astype(np.int64) for name in ("price_e6", "size_e6"))
        )

    @cached_property
    def starts(self) -> Whole:
        """Where the levels of each book begin."""
        found: Whole = running(self.counts)[:-1]
        return found

    @cached_property
    def is_there(self) -> Flags:
        """Which books have any level of this side."""
        found: Flags = self.counts > 0
        return found

    def best(self, values: Any) -> Any:
        """The best level's of each book; of no meaning where there is none."""
        return values[np.minimum(self.starts, values.size - 1)] if values.size else np.zeros_like(self.counts)

    def each(self, values: Any, how: np.ufunc = np.add) -> Any:
        """All values of each book put together; 0 where it has none."""
        found = np.zeros(self.counts.size, dtype=values.dtype)
        if values.size:
            found[self.is_there] = how.reduceat(values, self.starts[self.is_there])
        return found

    def spread(self, of_books: Any) -> Any:
        """What each book has, for each of its levels."""
        return np.repeat(of_books, self.counts)

    @cached_property
    def sizes(self) -> Reals:
        """Sizes in millionths as reals: sums of them go beyond 64 bits."""
        return self.size_e6.astype(np.float64)

    @cached_property
    def dollars_e12(self) -> Reals:
        """Price × size of each level."""
        return self.sizes * self.price_e6


def sums(side: Side, name: str) -> Columns:
    """Shares and dollars near the best price, the mean distance, the largest level; null for books without this side."""
    away_e6 = np.abs(side.price_e6 - side.spread(side.best(side.price_e6)))
    near = away_e6 <= MEAN_DISTANCE_C * _E6_A_CENT
    shares_near = side.each(side.sizes * near)
    mean_e6 = np.divide(
        side.each(side.sizes * away_e6 * near),
        shares_near,
        out=np.zeros_like(shares_near),
        where=shares_near > 0,
    )
    largest = side.each(side.size_e6, np.maximum)
    found = {
        "best_c": side.best(side.price_e6) / _E6_A_CENT, "shares": side.each(side.sizes) / 1e6, "shares_top": side.each(side.sizes * (away_e6 == 0)) / 1e6,
        "near_levels": side.each(near.astype(np.int64)), "wall_shares": largest / 1e6, "wall_c": _wall(side, largest) / _E6_A_CENT,
    }  # fmt: skip
    found |= {
        f"usd_{cents}c": side.each(side.dollars_e12 * (away_e6 <= cents * _E6_A_CENT)) / 1e12
        for cents in _DOLLARS_C
    }
    found |= {
        f"shares_{cents}c": side.each(side.sizes * (away_e6 <= cents * _E6_A_CENT)) / 1e6
        for cents in _SHARES_C
    }
    columns = {f"{name}_{what}": given(values, side.is_there) for what, values in found.items()}
    return columns | {
        f"{name}_levels": pa.array(side.counts),
        f"{name}_mean_c": given(mean_e6 / _E6_A_CENT, side.is_there & (shares_near > 0)),
    }


def _wall(side: Side, largest: Whole) -> Whole:
    """The price of the first of the largest levels."""
    places = np.where(side.size_e6 == side.spread(largest), np.arange(side.size_e6.size), side.size_e6.size)
    first: Whole = side.each(places, np.minimum)
    return side.price_e6[np.minimum(first, side.price_e6.size - 1)] if side.price_e6.size else first


def shares_and_logs(side: Side) -> tuple[Reals, Reals]:
    """Of each book the shares of all levels, and the sum of shares × ln(shares): what entropy is made of."""
    shares = side.sizes / 1e6
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return side.each(shares), side.each(shares * logs)


def walked(asks: Side) -> tuple[Reals, Flags]:
    """Shares had for `WALK_USD` from the best ask up, and where there is as much on offer."""
    dollars = asks.dollars_e12
    spent = np.where(dollars >= _WALK_E12, _WALK_E12, asks.price_e6 * asks.size_e6)
    before = running(spent)[:-1]
    before = before - asks.spread(asks.best(before))
    index = np.arange(spent.size)
    last = asks.each(np.where(before + spent >= _WALK_E12, index, spent.size), np.minimum)
    is_enough = asks.is_there & (last < spent.size)
    cheaper = asks.each(asks.sizes * (index < asks.spread(last)))
    place = np.minimum(last, max(0, spent.size - 1))
    if not spent.size:
        return np.zeros(asks.counts.size), is_enough
    share = np.divide(_WALK_E12 - before[place], dollars[place], out=np.zeros(place.size), where=is_enough)
    return (cheaper + asks.sizes[place] * share) / 1e6, is_enough
