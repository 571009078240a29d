"""The newest book of each instant, what its levels add up to, and what changed at the best prices from book to book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence import levels
from polymarket_assets.learning.evidence.levels import Side
from polymarket_assets.learning.evidence.quotes import Instants
from polymarket_assets.learning.evidence.series import (
    US,
    Columns,
    Flags,
    Series,
    Whole,
    earlier,
    given,
    last_of_equal,
    running,
    whole,
)
from polymarket_assets.learning.features.flow import OFI_BACK_S

# No best level holds more shares: sums of so many stay within 64 bits.
_MOST_E6 = 10**15


@dataclass(frozen=True)
class Books:
    """Books in order of market and receipt, of several received at once the last; their levels stay where they are."""

    series: Series
    market: Whole
    at_us: Whole
    bids: pa.Array
    asks: pa.Array

    @classmethod
    def of(cls, found: pa.Table) -> Books:
        """Of rows of `booked`, in any order."""
        order = last_of_equal(found)
        market, at_us = whole(found, "m")[order], whole(found, "at_us")[order]
        bids, asks = (_one(found.column(side)).take(pa.array(order)) for side in ("bids", "asks"))
        return cls(Series.over(market, at_us), market, at_us, bids, asks)


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def books(at: Instants, held: Books) -> Columns:
    """Of each instant the newest book, as long as a price stands: when it came (`booked_us`), its sums, the flow of its best levels."""
    newest = held.series.latest(at.market, at.as_of_us)
    if held.at_us.size:
        newest[at.as_of_us - held.at_us[newest] > at.stands_us] = -1
    is_seen = np.zeros(held.at_us.size + 1, dtype=bool)
    is_seen[newest] = True
    seen = np.flatnonzero(is_seen[:-1])
    # Each book is added up once, however many instants see it.
    place = pa.array(np.cumsum(is_seen)[newest] - 1, mask=newest < 0)
    found = {"booked_us": pa.array(held.at_us[seen])} | _sums(held, seen) | _flow(held, seen)
    return {name: column.take(place) for name, column in found.items()}


def _sums(held: Books, seen: Whole) -> Columns:
    bids, asks = (Side.of(side.take(pa.array(seen))) for side in (held.bids, held.asks))
    (of_bids, bid_logs), (of_asks, ask_logs) = levels.shares_and_logs(bids), levels.shares_and_logs(asks)
    shares, is_enough = levels.walked(asks)
    return levels.sums(bids, "bid") | levels.sums(asks, "ask") | {
        "walked_shares": given(shares, is_enough & bids.is_there),
        "level_shares": pa.array(of_bids + of_asks),
        "level_shares_ln": pa.array(bid_logs + ask_logs),
    }  # fmt: skip


def _flow(held: Books, seen: Whole) -> Columns:
    """Cont, Kukanov and Stoikov: what was added to the best bid and taken from the best ask, from book to book.

    The first book of a window tells of no change within it; a one-sided book within leaves none.
    """
    change, both, is_whole = _changes(held)
    first, last = held.series.before(held.market[seen], held.at_us[seen] - OFI_BACK_S * US + 1), seen + 1
    whole_books, changes, sizes = running(is_whole.astype(np.int64)), running(change), running(both)
    count = last - first
    return {
        "books_15m": pa.array(count),
        "ofi_e6_15m": given(
            changes[last] - changes[first + 1], whole_books[last] - whole_books[first] == count
        ),
        "top_e6_15m": pa.array((sizes[last] - sizes[first]) / 2),
    }


def _changes(held: Books) -> tuple[Whole, Whole, Flags]:
    """Of each book the change against the one before, the shares at both best prices, and whether it has both."""
    bids, asks = Side.of(held.bids), Side.of(held.asks)
    bid, ask = (side.best(side.price_e6) for side in (bids, asks))
    bid_size, ask_size = (np.minimum(side.best(side.size_e6), _MOST_E6) for side in (bids, asks))
    change: Whole = np.where(bid >= earlier(bid), bid_size, 0) - np.where(
        bid <= earlier(bid), earlier(bid_size), 0
    )
    change += np.where(ask >= earlier(ask), earlier(ask_size), 0) - np.where(ask <= earlier(ask), ask_size, 0)
    return change, bid_size + ask_size, bids.is_there & asks.is_there
