"""What an hour holds of each market: how often it was sampled of the times it was due, and how well its book was seen.

A market is due in a tier at every slot of the grid from its first snapshot there to its last; markets cross tiers, so
one has a row for each tier that it was in. What the tier lost before the first or after the last shows in `sweeps`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from polymarket_assets.collecting import queries, slots
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS

PART = "market_hours"


@dataclass(frozen=True)
class MarketHoursReport:
    """What was built."""

    markets: int
    snapshots: int
    # Of all rows, snapshots ÷ slots due, 0 … 1; None: nothing was sampled.
    completeness: float | None
    # Markets that missed a slot between their first and their last.
    incomplete: int
    bytes: int


def build_market_hours(lake: Lake, hour: datetime) -> MarketHoursReport:
    """Build `market_hours` of an hour from its snapshots; a repetition replaces them. Raises `LakeUnwritable`."""
    span = Span.hour(hour)
    with queries.over(lake, snapshots=span) as connection:
        connection.register("grid", _grid(span))
        rows = connection.sql(_ROWS, params={"hour": span.start}).to_arrow_table()
    table = rows.select(TABLES["market_hours"].names)
    written = lake.publish("market_hours", table, part=PART, at=span.start)
    due, got = (sum(table.column(name).to_pylist()) for name in ("due", "snapshots"))
    return MarketHoursReport(
        markets=len(set(table.column("market_id").to_pylist())),
        snapshots=got,
        completeness=got / due if due else None,
        incomplete=sum(row["snapshots"] < row["due"] for row in table.to_pylist()),
        bytes=written.bytes,
    )


def _grid(span: Span) -> pa.Table:
    """Every slot of every tier in an hour, numbered within its tier."""
    rows = [
        {"tier": tier.name, "slot_at": at, "n": n}
        for tier in TIERS
        for n, at in enumerate(slots.hour_grid(tier, span.start))
    ]
    fields = [("tier", pa.string()), ("slot_at", pa.timestamp("us", tz="UTC")), ("n", pa.int32())]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


# Slots off the grid (a window that a person started at some second) are samples, but no one was due for them.
_ROWS = """
with sampled as (
    select s.*, g.n, epoch_us(s.slot_at - lag(s.slot_at) over (partition by s.market_id, s.tier order by s.slot_at)) / 1e6 as pause_s
    from snapshots s left join grid g using (tier, slot_at)
)
select
    market_id,
    $hour::timestamptz as hour_at,
    tier,
    arg_max(category, slot_at) as category,
    min(slot_at) as first_slot_at,
    max(slot_at) as last_slot_at,
    coalesce(max(n) - min(n) + 1, 0)::integer as due,
    count(distinct n)::integer as snapshots,
    case when count(n) > 0 then count(distinct n) / (max(n) - min(n) + 1)::double end as completeness,
    max(pause_s) as longest_pause_s,
    count(*) filter (not is_one_sided) / count(*)::double as two_sided,
    median(book_age_s) as median_book_age_s,
    median(listing_age_s) as median_listing_age_s
from sampled group by market_id, tier order by market_id, tier
"""
