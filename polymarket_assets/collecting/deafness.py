"""Which gaps of the stream touch an hour, and which markets were deaf in them.

A gap of one market names it. One of a connection made every market deaf that its session heard there; one of
everything (nobody ran) every market of that shard that was streamed in the hours around it. A market that was listed and
ended while nobody ran is in neither: nothing says that it would have been streamed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from polymarket_assets import shards
from polymarket_assets.collecting import queries
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    import duckdb

# A block follows its match by about two seconds (PROTOCOL 6.3); fifty times that is allowed for, at the price of
# asking about gaps that ended so shortly before the hour.
LATE_BLOCK = timedelta(minutes=2)
# A gap is filed by its end. Of one that was longer, only the last of its hours are healed.
LONGEST_GAP = timedelta(days=31)


@dataclass(frozen=True)
class Gap:
    """A gap that touches an hour, with the markets it made deaf."""

    gap_id: str
    from_at: datetime
    to_at: datetime
    markets: frozenset[str]

    def explains(self, market_id: str, traded_at: datetime) -> bool:
        """Whether a trade of that block time can have been missed in it."""
        return self.from_at - timedelta(seconds=1) <= traded_at < self.to_at + LATE_BLOCK and market_id in self.markets  # fmt: skip


@dataclass(frozen=True)
class Deafness:
    """The gaps of an hour by their start, and the start of each deaf market's first gap, busiest market first."""

    gaps: tuple[Gap, ...]
    since: dict[str, datetime]


def touches(span: Span, from_at: datetime, to_at: datetime) -> bool:
    """Whether trades of the hour can have been missed in a gap: blocks come after their matches."""
    return from_at < span.end and to_at > span.start - LATE_BLOCK


def deafness(lake: Lake, span: Span) -> Deafness:
    """What was not heard of an hour, as far as gaps are in the lake by now."""
    with queries.over(lake, stream_gaps=Span(span.start - LATE_BLOCK, span.end + LONGEST_GAP)) as connection:
        connection.execute(_TOUCHING, {"start": span.start - LATE_BLOCK, "end": span.end})
        found = connection.execute(_GAPS).fetchall()
        hours = _hours(
            span, [(from_at, to_at) for _, market_id, from_at, to_at in found if market_id is None]
        )
        return _told(found, _pairs(connection, lake, hours) if found else [])


def _pairs(connection: duckdb.DuckDBPyConnection, lake: Lake, hours: list[datetime]) -> list[tuple[str, str, int]]:  # fmt: skip
    """Each gap with each market that it made deaf, and how many messages those hours hold of it."""
    for table in ("trades_raw", "book_changes"):
        reading.add_view(connection, table, [f for hour in hours for f in reading.files(lake, table, Span.hour(hour))])  # fmt: skip
    connection.execute(_STREAMED)
    markets, named = (
        [one for (one,) in connection.execute(f"select distinct {what}").fetchall()]
        for what in ("market_id from streamed", "shard from touching where shard is not null")
    )
    connection.register("carried", shards.carried(markets, named))
    return connection.execute(_DEAF).fetchall()


_TOUCHING = f"""
create temp table touching as
select distinct gap_id, session_id, connection, market_id, from_at, to_at, {shards.OF_GAP} as shard from stream_gaps
where from_at < $end and to_at > $start
"""

_GAPS = "select gap_id, market_id, from_at, to_at from touching order by from_at, gap_id"

_STREAMED = """
create temp table streamed as
select session_id, connection, market_id, sum(heard) as heard from (
    select session_id, connection, market_id, count(*) as heard from trades_raw group by all
    union all
    select distinct session_id, connection, market_id, 0 from book_changes
) group by all
"""

_DEAF = """
select gap_id, market_id, 0 as heard from touching where market_id is not null
union all
select g.gap_id, s.market_id, sum(s.heard) from touching g join streamed s
on g.market_id is null and case when g.connection is null
    then g.shard is null or (g.shard, s.market_id) in (select (shard, market_id) from carried)
    else g.session_id = s.session_id and g.connection = s.connection end
group by all
"""


def _hours(span: Span, wide: Iterable[tuple[datetime, datetime]]) -> list[datetime]:
    """The hours that tell what was streamed: around the hour, and around both ends of its wide gaps."""
    around = {span.start - HOUR, span.start, span.start + HOUR}
    for from_at, to_at in wide:
        around |= {hour_of(from_at) - HOUR, hour_of(from_at), hour_of(to_at), hour_of(to_at) + HOUR}
    return sorted(around)


def _told(found: list[tuple[str, str | None, datetime, datetime]], pairs: list[tuple[str, str, int]]) -> Deafness:  # fmt: skip
    markets: dict[str, set[str]] = defaultdict(set)
    busy: dict[str, int] = defaultdict(int)
    for gap_id, market_id, heard in pairs:
        markets[gap_id].add(market_id)
        busy[market_id] = max(busy[market_id], heard)
    gaps = tuple(Gap(gap_id, from_at, to_at, frozenset(markets[gap_id])) for gap_id, _, from_at, to_at in found)  # fmt: skip
    since: dict[str, datetime] = {}
    for gap in gaps:
        for market_id in gap.markets:
            since.setdefault(market_id, gap.from_at)
    order = sorted(since, key=lambda market_id: (-busy[market_id], market_id))
    return Deafness(gaps, {market_id: since[market_id] for market_id in order})
