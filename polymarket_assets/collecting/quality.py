"""What an hour of a tier is worth: wrong rows, lost slots, filled columns. One DuckDB pass per table.

Figures only; what fails on them is for the shell to say. Memory follows DuckDB's streaming, not the hour's size.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from polymarket_assets.collecting import slots
from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import Tier

# Core column of `snapshots` -> the least share of rows that fill it. What the venue tells of every market may be absent of
# a few; prices are, where a side of the book is empty.
FLOORS: dict[str, float] = {
    "best_bid": 0.5, "best_ask": 0.5, "mid": 0.5, "microprice": 0.5, "spread": 0.5, "last_trade": 0.3,
    "bid_depth_5c_usd": 0.5, "ask_depth_5c_usd": 0.5, "imbalance_top": 0.5,
    "volume_usd": 0.9, "liquidity_usd": 0.5, "tick": 0.9, "effective_close": 0.9, "venue_at": 0.9,
}  # fmt: skip
# Tier -> floors of its own. T0 has the markets without an end and the dead; near and past their end most books have one side left.
FLOORS_OF_TIER: dict[str, dict[str, float]] = {
    "t0": {"effective_close": 0.3},
    "t4": dict.fromkeys(("best_bid", "best_ask", "mid", "microprice", "spread", "bid_depth_5c_usd", "ask_depth_5c_usd", "imbalance_top"), 0.1),
}  # fmt: skip
# Of fewer rows of a category one odd market is a share of its own.
LEAST_ROWS = 50

_PRICES = ("best_bid", "best_ask", "mid", "microprice", "last_trade")


@dataclass(frozen=True)
class BookQuality:
    """Counts of an hour of `orderbooks`; the first three must be 0."""

    rows: int
    duplicate_keys: int
    impossible_prices: int  # books with a level or last trade not between 0 and 1
    unordered: int  # books whose bids do not fall or whose asks do not rise from level to level
    crossed: int  # books whose best bid is at or above their best ask
    newest_at: datetime | None  # receipt of the newest


@dataclass(frozen=True)
class SnapshotQuality:
    """Counts of an hour of `snapshots`; the first two counts must be 0."""

    rows: int
    duplicate_keys: int
    impossible_prices: int
    markets: int
    # Rows of a market ÷ slots taken between its first and last, 0 … 1: its mean and its least over markets.
    mean_completeness: float | None
    least_completeness: float | None


@dataclass(frozen=True)
class SlotQuality:
    """The grid of an hour against `sweeps`."""

    expected: int
    accounted: int
    taken: int  # taken or late: has rows
    missing: tuple[datetime, ...]  # slots of the grid that nobody accounted for
    partial: tuple[datetime, ...]  # taken, but with markets that no answer spoke of
    last_at: datetime | None  # the last slot that was due
    mirrored: int  # pairs of books compared
    mirror_differs: tuple[str, ...]  # markets whose two books were not each other's mirror


def books(lake: Lake, tier: Tier, hour: datetime) -> BookQuality:
    """The quality of a tier's books of an hour."""
    files = reading.files(lake, "orderbooks", Span.hour(hour), tier=tier.name)
    return BookQuality(*(_row(_BOOKS, files) if files else (0, 0, 0, 0, 0, None)))


def snapshots(lake: Lake, tier: Tier, hour: datetime) -> SnapshotQuality:
    """The quality of a tier's snapshots of an hour."""
    files = reading.files(lake, "snapshots", Span.hour(hour), tier=tier.name)
    return SnapshotQuality(*(_row(_SNAPSHOTS, files) if files else (0, 0, 0, 0, None, None)))


def filled(lake: Lake, tier: Tier, hour: datetime) -> list[dict[str, Any]]:
    """Per category the rows of `snapshots` and of each column that may be null the share that is not, 0 … 1."""
    files = reading.files(lake, "snapshots", Span.hour(hour), tier=tier.name)
    return _query(_FILLED, files) if files else []


@dataclass(frozen=True)
class Emptied:
    """A column that fewer rows of a category fill than should."""

    category: str
    column: str
    share: float
    floor: float

    def __str__(self) -> str:
        return f"{self.category}: {self.column} in {self.share:.0%} of the rows, at least {self.floor:.0%}"


def emptied(shares: list[dict[str, Any]], tier: Tier) -> list[Emptied]:
    """What of `filled` lies under its floor, category by category; those with few rows say nothing."""
    return [
        Emptied(row["category_"], column, row[column], floor)
        for row in shares
        if row["rows_"] >= LEAST_ROWS
        for column in FLOORS
        if row[column] < (floor := floor_of(column, tier))
    ]


def floor_of(column: str, tier: Tier) -> float:
    """The least share of rows that fill a core column."""
    return FLOORS_OF_TIER.get(tier.name, {}).get(column, FLOORS[column])


def is_fresh(newest_at: datetime | None, slots: SlotQuality, tier: Tier) -> bool:
    """Whether books were received up to the end of an hour: of its last slot, or of the one before. Without a book there is nothing to be old."""
    return newest_at is None or slots.last_at is None or newest_at >= slots.last_at - tier.every


def slot_account(lake: Lake, tier: Tier, hour: datetime, *, now: datetime) -> SlotQuality:
    """The slots due before `now` that schedules would sample, and what `sweeps` says of them."""
    due = [at for at in slots.hour_grid(tier, hour) if at + tier.every <= now]
    rows = reading.rows(lake, "sweeps", Span.hour(hour), tier=tier.name).to_pylist()
    status = {row["slot_at"]: row["status"] for row in rows}
    taken = sum(status.get(at) in ("taken", "late") for at in due)
    missing = tuple(at for at in due if at not in status)
    partial = [row["slot_at"] for row in rows if row["status"] in ("taken", "late") and (row["unanswered"] or row["unasked"])]  # fmt: skip
    return SlotQuality(
        expected=len(due),
        accounted=len(due) - len(missing),
        taken=taken,
        missing=missing,
        partial=tuple(sorted(partial)),
        last_at=due[-1] if due else None,
        mirrored=sum(row["mirrored"] or 0 for row in rows),
        mirror_differs=tuple(sorted({name for row in rows for name in row["mirror_differs"] or ()})),
    )


def _query(query: str, files: list[str]) -> list[dict[str, Any]]:

    with opening.connected() as connection:
        found: pa.Table = connection.execute(query, {"files": files}).to_arrow_table()
    return list(found.to_pylist())


def _row(query: str, files: list[str]) -> tuple[Any, ...]:
    return tuple(_query(query, files)[0].values())


_FILES = "read_parquet($files, union_by_name = true)"
_KEYS = "count(*) - count(distinct (market_id, slot_at))"
_OUTSIDE = "not between 0 and 1000000"

_BOOKS = f"""
with prices as (
    select *, [l.price_e6 for l in bids] as bid, [l.price_e6 for l in asks] as ask from {_FILES}
)
select
    count(*),
    {_KEYS},
    count(*) filter (
        list_min(bid) {_OUTSIDE} or list_max(bid) {_OUTSIDE} or list_min(ask) {_OUTSIDE} or list_max(ask) {_OUTSIDE}
        or last_trade_e6 {_OUTSIDE}
    ),
    count(*) filter (
        bid <> list_reverse_sort(bid) or ask <> list_sort(ask)
        or len(bid) <> len(list_distinct(bid)) or len(ask) <> len(list_distinct(ask))
    ),
    count(*) filter (bid[1] >= ask[1]),
    max(received_at) as newest_at
from prices
"""

_SNAPSHOTS = f"""
with s as (select market_id, slot_at, {", ".join(_PRICES)} from {_FILES}),
taken as (select slot_at, row_number() over (order by slot_at) as n from (select distinct slot_at from s)),
scores as (
    select count(distinct slot_at) / (max(n) - min(n) + 1)::double as score
    from s join taken using (slot_at) group by market_id
)
select
    (select count(*) from s) as rows_,
    (select {_KEYS} from s) as duplicates,
    (select count(*) from s where {" or ".join(f"{name} not between 0 and 1" for name in _PRICES)}) as impossible,
    (select count(*) from scores) as markets,
    (select avg(score) from scores) as mean_score,
    (select min(score) from scores) as least_score
"""

_NULLABLE = [column.name for column in TABLES["snapshots"].columns if column.nullable]
_FILLED = f"""
select coalesce(category, 'none') as category_, count(*) as rows_,
    {", ".join(f'count("{name}") / count(*)::double as "{name}"' for name in _NULLABLE)}
from {_FILES} group by 1 order by 1
"""
