"""Books that orders meet: of each order the first that was received once it could be there, from `orderbooks` and `history_books`.

The lake holds the canonical token's book. The other token's is its mirror: who bids p for one offers the other at 1 − p.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.evidence.history import CLOSES_WITHIN

if TYPE_CHECKING:
    import duckdb

Whole = npt.NDArray[np.int64]

# Offers further down are left out: at the ticks there are, thirty levels are 3 to 30 cents, beyond what any edge pays for.
LEVELS = 30
_E6 = 1e6
_US_A_SECOND = 1_000_000


@dataclass(frozen=True)
class Side:
    """Offers of one outcome in all books, best first: those of book n lie from `first[n]` up to `first[n + 1]`."""

    first: Whole
    price: npt.NDArray[np.float64]
    size: npt.NDArray[np.float64]

    def best(self, book: int) -> float:
        """The lowest price; NaN: nothing is offered."""
        at = self.first[book]
        return float(self.price[at]) if at < self.first[book + 1] else float("nan")

    def offers(self, book: int) -> Iterator[tuple[float, float]]:
        """(price, shares), best first."""
        held = slice(self.first[book], self.first[book + 1])
        return zip(self.price[held].tolist(), self.size[held].tolist(), strict=True)


@dataclass(frozen=True)
class Books:
    """Of each wanted row its book: its number in the sides (−1: none came in time) and when it was received."""

    book: Whole
    at_us: Whole
    outcomes: tuple[Side, Side]

    @classmethod
    def of(cls, found: pa.Table, wanted: int) -> Books:
        """Of rows (n, at_us, bids, asks); a crossed book is two moments in one, and offers nothing."""
        found = found.filter(pc.invert(_is_crossed(found)))
        book, at_us = np.full(wanted, -1), np.zeros(wanted, np.int64)
        n = found.column("n").to_numpy()
        book[n], at_us[n] = np.arange(len(n)), found.column("at_us").to_numpy()
        return cls(book, at_us, (_side(found.column("asks"), False), _side(found.column("bids"), True)))

    def mid(self, n: int) -> float:
        """Half-way between bid and ask of row n's book; NaN: there is no book, or one side is empty."""
        if self.book[n] < 0:
            return float("nan")
        yes, no = (side.best(int(self.book[n])) for side in self.outcomes)
        return (yes + 1 - no) / 2


def _is_crossed(found: pa.Table) -> Any:
    best = [pc.list_element(_whole(found, side), 0) for side in ("bids", "asks")]
    bid, ask = (pc.struct_field(one, "price_e6") for one in best)
    return pc.fill_null(pc.greater_equal(bid, ask), False)


def _whole(found: pa.Table, side: str) -> Any:
    """A side's levels, with one that says nothing where there are none, so that every book has a first."""
    levels = found.column(side)
    nothing = pa.scalar([{"price_e6": None, "size_e6": None}], levels.type)
    return pc.if_else(pc.equal(pc.list_value_length(levels), 0), nothing, levels)


def _side(levels: pa.ChunkedArray, is_mirrored: bool) -> Side:
    lists = pa.concat_arrays(levels.chunks) if levels.num_chunks else pa.array([], levels.type)
    flat = lists.flatten()
    first = np.concatenate([[0], np.cumsum(np.asarray(lists.value_lengths()))]).astype(np.int64)
    price, size = (np.asarray(flat.field(name)).astype(np.float64) for name in ("price_e6", "size_e6"))
    # Whole millionths are turned round, so that mirroring twice gives the same price.
    price = _E6 - price if is_mirrored else price
    return Side(first, np.asarray(price / _E6, np.float64), np.asarray(size / _E6, np.float64))


def executable(lake: Lake, wanted: pa.Table, *, wait_s: float) -> Books:
    """Of each row (market_id, from_at) the first book received from then on, within `wait_s` seconds."""
    return _found(lake, wanted, "w.from_us <= b.at_us", "b.at_us - w.from_us", wait_s, after=True)


def standing(lake: Lake, wanted: pa.Table, *, within_s: float) -> Books:
    """Of each row (market_id, from_at) the newest book received by then, at most `within_s` seconds before."""
    return _found(lake, wanted, "w.from_us >= b.at_us", "w.from_us - b.at_us", within_s, after=False)


def _found(lake: Lake, wanted: pa.Table, order: str, apart: str, within_s: float, *, after: bool) -> Books:
    if not wanted.num_rows:
        return Books.of(_EMPTY.empty_table(), 0)
    with _over(lake, wanted, within_s, after) as connection:
        connection.execute(_WANTED)
        connection.execute(_BOOKED)
        connection.execute(_FOUND.format(order=order, apart=apart), {"most": int(within_s * _US_A_SECOND)})
        found = connection.sql(_LEVELS, params={"levels": LEVELS}).to_arrow_table()
    return Books.of(found, wanted.num_rows)


@contextmanager
def _over(lake: Lake, wanted: pa.Table, within_s: float, after: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    ends: dict[str, datetime] = pc.min_max(wanted.column("from_at")).as_py()
    reach = timedelta(seconds=within_s)
    # Recorded books are filed by their slot, some seconds before they are received; imported ones by the day of close.
    recorded = Span(ends["min"] - HOUR - (timedelta(0) if after else reach), ends["max"] + reach)
    imported = Span(recorded.start, recorded.end + CLOSES_WITHIN)
    with queries.over(lake, orderbooks=recorded, history_books=imported) as connection:
        connection.register("asked", wanted.append_column("n", pa.array(np.arange(wanted.num_rows))))
        yield connection


_EMPTY = pa.schema([("n", pa.int64()), ("at_us", pa.int64())]).append(
    pa.field("bids", pa.list_(pa.struct([("price_e6", pa.int32()), ("size_e6", pa.int64())])))
)
_EMPTY = _EMPTY.append(pa.field("asks", _EMPTY.field("bids").type))

_WANTED = """
create temp table wanted as
    select n, market_id, epoch_us(from_at) as from_us, dense_rank() over (order by market_id) as m from asked
"""

# Instants alone, of wanted markets alone: levels are read of the books that are met.
_BOOKED = """
create temp table booked as
    with every as (
        select market_id, epoch_us(received_at) as at_us from orderbooks
        union all select market_id, epoch_us(known_at) from history_books
    )
    select distinct m, at_us from every join (select distinct market_id, m from wanted) using (market_id)
"""

_FOUND = """
create temp table found as
    select w.n, w.market_id, b.at_us from wanted w asof join booked b on w.m = b.m and {order}
    where {apart} <= $most
"""

_LEVELS = """
with every as (
    select market_id, epoch_us(received_at) as at_us, bids, asks from orderbooks
    union all select market_id, epoch_us(known_at), bids, asks from history_books
), met as (
    select market_id, at_us, any_value(struct_pack(bids := bids[1:$levels], asks := asks[1:$levels])) as book
    from every semi join found using (market_id, at_us) group by all
)
select n, at_us, book.bids as bids, book.asks as asks from found join met using (market_id, at_us) order by n
"""
