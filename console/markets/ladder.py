"""The newest book that was sampled of a market: its levels, what lies up to each, and how old it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from console.markets import slices
from console.markets.shelves import Filed, shelves
from console.place import Place
from polymarket_assets.collecting.accounts import part_of
from polymarket_assets.lake import layout
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.report.subject import Subject, window

if TYPE_CHECKING:
    import pyarrow as pa

# Older ones are no book to look at, but what is known.
FRESH = timedelta(seconds=60)
_E6 = 1e6
# Where the last snapshot is looked for, one after the other.
_BACK = (2 * HOUR, 26 * HOUR)


@dataclass(frozen=True)
class Level:
    """Shares at a price, dollars; `usd` rest up to it, from the best price on."""

    price: float
    shares: float
    usd: float


@dataclass(frozen=True)
class Book:
    """Levels of the canonical outcome, best first."""

    slot_at: datetime
    received_at: datetime
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


def newest_quote(place: Place, found: Subject) -> dict[str, Any] | None:
    """The newest row of `snapshots` of a market, of its columns that are shown; None: never sampled."""
    now = place.clock()
    whole = window([found], None, None, now)
    if whole is None:
        return None
    end = min(whole.end, now + HOUR)
    starts = (*(max(whole.start, end - HOUR - back) for back in _BACK), whole.start)
    for span in (Span(start, end) for start in dict.fromkeys(starts)):
        rows = slices.rows(place, "snapshots", [found.market_id], span)
        if rows.num_rows:
            return _newest(rows)
    return None


def newest_book(place: Place, found: Subject) -> Book | None:
    """The book of the newest snapshot; None where there is none any more. Raises `LakeError`."""
    return book_of(place, found, newest_quote(place, found))


def book_of(place: Place, found: Subject, quote: dict[str, Any] | None) -> Book | None:
    """The same of a row of `newest_quote`."""
    if quote is None:
        return None
    files = _files(place, quote["tier"], quote["slot_at"])
    book = _newest(slices.of_files(place, "orderbooks", [found.market_id], files))
    if book is None:
        return None
    return Book(book["slot_at"], book["received_at"], _levels(book["bids"]), _levels(book["asks"]))


def _newest(rows: pa.Table) -> dict[str, Any] | None:
    """The row of the newest slot: of an hour's rows, each with all its levels, one is made Python's."""
    found: list[dict[str, Any]] = rows.sort_by([("slot_at", "descending")]).slice(0, 1).to_pylist()
    return found[0] if found else None


def _files(place: Place, tier: str, slot_at: datetime) -> list[Filed]:
    """The part of a slot and what the hour was merged into; where neither is there, all that the hour has."""
    hour = hour_of(slot_at)
    held = [f for f in shelves(place).files("orderbooks", Span(hour, hour + HOUR)) if f.tier == tier]
    return [f for f in held if f.is_sealed or f.file.endswith(layout.part(part_of(slot_at)))] or held


def _levels(levels: Sequence[dict[str, int]]) -> tuple[Level, ...]:
    found, usd = [], 0.0
    for level in levels:
        price, shares = level["price_e6"] / _E6, level["size_e6"] / _E6
        usd += price * shares
        found.append(Level(price, shares, usd))
    return tuple(found)
