"""What we saw of markets ourselves, where it moves their phase: a listing alone does not tell who still trades.

- Overdue and quiet: past its effective close, and in ten minutes neither a trade was heard nor did its book change. It
  is looked at as seldom as T1 until it moves again.
- Without a book: three sweeps in a row that asked for it got none, and none since. It is dead until one is seen.

Discovery makes these observations and stores them with the market, so that windows and the streamer see the same. They
stand until the contrary is seen: nothing sampled is no evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import T0, T1
from polymarket_assets.venue.lifecycle import CLOSED, DEAD, OVERDUE

# Overdue markets that trade do so every few minutes; those that wait for their resolution do not for hours.
QUIET_AFTER = timedelta(minutes=10)
# One missing answer is a hiccup of the venue's, two may be.
GONE_AFTER = 3
# Farther back than an hour between two looks at the dead.
LOOK_BACK = timedelta(minutes=75)


@dataclass(frozen=True)
class Seen:
    """What was seen of a market lately; None: never."""

    # A slot with its book, and the sweeps since that got none.
    book_at: datetime | None
    gone: int
    # Its last trade or change of its book, by the venue's clock.
    moved_at: datetime | None


def seen(lake: Lake, now: datetime) -> dict[str, Seen]:
    """What was seen of each market in `LOOK_BACK`."""
    span = Span(now - LOOK_BACK, now + timedelta.resolution)
    with queries.over(lake, sweeps=span, snapshots=span, trades_raw=span) as connection:
        rows = connection.execute(_SEEN, {"now": now}).fetchall()
    return {market_id: Seen(book_at, gone, moved_at) for market_id, book_at, gone, moved_at in rows}


_SEEN = """
with books as (
    select market_id, max(slot_at) as book_at, max(venue_at) as moved_at from snapshots where received_at <= $now group by 1
),
missing as (
    select market_id, slot_at from (select unnest(gone) as market_id, slot_at, status from sweeps where started_at <= $now)
    where status <> 'missed'
),
gone as (
    select m.market_id, count(*) filter (b.book_at is null or m.slot_at > b.book_at) as times
    from missing m left join books b using (market_id) group by 1
),
trades as (select market_id, max(venue_at) as moved_at from trades_raw where received_at <= $now group by 1)
select market_id, b.book_at, coalesce(g.times, 0), greatest(b.moved_at, t.moved_at)
from books b full join gone g using (market_id) full join trades t using (market_id)
"""


def observed(row: dict[str, Any], known: Mapping[str, Any] | None, seen: Seen | None, now: datetime) -> dict[str, Any]:  # fmt: skip
    """A row of `markets` as listed at `now`, with the phase and the tier that what was seen of it makes of it."""
    quiet = row["phase"] == OVERDUE and _is_quiet(known, seen, now)
    bookless = row["phase"] != CLOSED and _is_bookless(known, seen)
    row = {**row, "is_quiet": quiet or None, "is_bookless": bookless or None}
    if bookless:
        return {**row, "phase": DEAD, "tier": T0.name}
    return {**row, "tier": T1.name} if quiet and row["phase"] != DEAD else row


def _is_quiet(known: Mapping[str, Any] | None, seen: Seen | None, now: datetime) -> bool:
    before = bool(known and known.get("is_quiet"))
    if seen is None or (seen.book_at is None and seen.moved_at is None):
        return before
    if seen.moved_at is not None and now - seen.moved_at <= QUIET_AFTER:
        return False
    # A book that did not change is evidence as far as it was looked at.
    return before or (seen.book_at is not None and now - seen.book_at <= QUIET_AFTER)


def _is_bookless(known: Mapping[str, Any] | None, seen: Seen | None) -> bool:
    before = bool(known and known.get("is_bookless"))
    if seen is None or (seen.book_at is None and not seen.gone):
        return before
    return seen.gone >= GONE_AFTER or (before and seen.gone > 0)
