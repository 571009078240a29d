"""When nothing was known of a market: gaps of the stream that made it deaf, slots of its tier that nobody took."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard
from polymarket_assets.tiers import BY_NAME

NOT_HEARD, NOT_SAMPLED = "not heard", "slot missed"
# Which socket carried a market is looked up in the hours around gaps of sockets: so many of them, the newest, seconds of work.
HOURS_LOOKED_UP = 24
# Shades nearer to each other than this part of the picture are one: they could not be told apart.
_APART = 400


# A session and its socket; which of them carried a market in some hours.
Socket = tuple[str, int]
Carried = Callable[[list[datetime]], set[Socket]]


@dataclass(frozen=True)
class Silence:
    """An interval without knowledge, of one kind."""

    start: datetime
    end: datetime
    what: str
    cause: str


@dataclass(frozen=True)
class Silences:
    """All intervals within a span; `untold` gaps of sockets of which nobody knows whether they carried the market."""

    found: tuple[Silence, ...]
    untold: int

    def total(self, what: str) -> timedelta:
        """How long a kind of silence lasted, overlaps counted once."""
        return sum((s.end - s.start for s in joined(self.found, timedelta()) if s.what == what), timedelta())


def silences(
    lake: Lake,
    connection: Any,
    market_id: str,
    span: Span | None,
    *,
    carried: Carried | None = None,
    looked_up: int = HOURS_LOOKED_UP,
) -> Silences:
    """What was not known of a market within a span; the connection has `stream_gaps`, `sweeps` and `snapshots`.

    Around gaps of sockets so many hours are `looked_up`, the newest; `carried` says which sockets had it then, by default the lake.
    """
    if span is None:
        return Silences((), 0)
    given = {"id": market_id, "start": span.start, "end": span.end}
    gaps = connection.execute(_GAPS, given).fetchall()
    sockets, unknown = _sockets(gaps, carried or (lambda hours: _carried(lake, market_id, hours)), looked_up)
    deaf = [
        _cut(start, end, NOT_HEARD, cause, span)
        for gap_id, session, socket, market, start, end, cause in gaps
        if market is not None
        or (
            (session, socket) in sockets
            if socket is not None
            else Shard.of_session(gap_id).carries(market_id)
        )
    ]
    missed = [
        _cut(at, at + BY_NAME[tier].every, NOT_SAMPLED, reason, span)
        for tier, at, reason in connection.execute(_MISSED, given).fetchall()
    ]
    return Silences(tuple(sorted([*deaf, *missed], key=lambda s: s.start)), unknown)


def joined(found: Iterable[Silence], apart: timedelta) -> list[Silence]:
    """Intervals of one kind that overlap or lie as near as `apart` as one, with the causes of all."""
    whole: dict[str, list[Silence]] = {}
    for silence in sorted(found, key=lambda s: s.start):
        held = whole.setdefault(silence.what, [])
        if held and silence.start - held[-1].end <= apart:
            last = held.pop()
            causes = (
                last.cause if silence.cause in last.cause.split(", ") else f"{last.cause}, {silence.cause}"
            )
            silence = Silence(last.start, max(last.end, silence.end), last.what, causes)
        held.append(silence)
    return [silence for held in whole.values() for silence in held]


def drawn(found: Iterable[Silence], span: Span) -> list[Silence]:
    """What can be told apart in a picture of a span."""
    inside = [s for s in found if s.start < span.end and s.end > span.start]
    return joined(inside, (span.end - span.start) / _APART)


def _cut(start: datetime, end: datetime, what: str, cause: str, span: Span) -> Silence:
    return Silence(max(start, span.start), min(end, span.end), what, cause)


def _sockets(gaps: list[tuple[Any, ...]], carried: Carried, looked_up: int) -> tuple[set[Socket], int]:
    """The sessions and sockets that carried a market around gaps of whole sockets, and how many gaps were not looked up."""
    wide = [
        (start, end) for _, _, socket, market, start, end, _ in gaps if market is None and socket is not None
    ]
    hours = sorted({hour_of(at) for gap in wide for at in gap}, reverse=True)
    looked = set(hours[:looked_up])
    unknown = sum(not {hour_of(start), hour_of(end)} & looked for start, end in wide)
    return (carried(sorted(looked)) if looked else set()), unknown


def _carried(lake: Lake, market_id: str, hours: Iterable[datetime]) -> set[Socket]:
    tables = ("trades_raw", "book_changes")
    files = [f for table in tables for hour in hours for f in reading.files(lake, table, Span(hour, hour + HOUR))]  # fmt: skip
    if not files:
        return set()
    with opening.connected() as connection:
        return set(connection.execute(CARRIED, {"files": files, "id": market_id}).fetchall())


_GAPS = """
select distinct gap_id, session_id, connection, market_id, from_at, to_at, cause from stream_gaps
where (market_id = $id or market_id is null) and from_at < $end and to_at > $start
"""

# Slots of the tier that the market was in when it was last sampled before, until it was sampled for the last time; and slots
# in which it was asked for and had no book.
_MISSED = """
with seen as (
    select slot_at, tier, lead(slot_at) over (order by slot_at) as until from snapshots where market_id = $id
)
select w.tier, w.slot_at, coalesce(w.reason, 'missed') from sweeps w join seen s
on w.tier = s.tier and w.slot_at > s.slot_at and w.slot_at < s.until
where w.status = 'missed' and w.slot_at >= $start and w.slot_at < $end
union all
select tier, slot_at, 'no book was served' from sweeps
where list_contains(gone, $id) and slot_at >= $start and slot_at < $end
"""

CARRIED = """
select distinct session_id, connection from read_parquet($files, hive_partitioning = false, union_by_name = true)
where market_id = $id and connection >= 0
"""
