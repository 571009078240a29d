"""`trades_raw` to `trades`: every trade once, and over the gaps of the stream what the Data API knows.

Healing asks only about markets that were deaf in the hour, from their first gap on; `joining` makes the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from polymarket_assets.collecting import joining, queries
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused, Unavailable
from polymarket_assets.venue.records import Page, Trade

log = logging.getLogger(__name__)

# A block follows its match by about two seconds; ten times that is beyond any seen.
BLOCK_LAG = timedelta(seconds=20)
# A gap is filed by its end; longer ones are found in the hours of the following day.
GAP_FILED_WITHIN = timedelta(days=1)
# Most markets asked about for one hour: a request or a few each, minutes within the venue's limits.
MOST_HEALED = 500
# One part holds the hour: built again, it is replaced.
PART = "hour"


class HourNotBegun(Refused):
    """Trades were asked for an hour that lies ahead."""


class Trades(Protocol):
    """The Data API, as far as healing needs it."""

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        """Pages of a market's trades, newest first."""


@dataclass(frozen=True)
class TradesReport:
    """The trades of an hour by where they come from; `recovered` were not heard."""

    rows: int
    stream: int
    rest: int
    both: int
    recovered: int
    gaps: int
    # Markets deaf at some time of the hour; of these healed, and not: beyond `MOST_HEALED`, or not answered.
    affected: int
    healed: int
    unhealed: int
    # Trades of the Data API whose outcome nobody knows, and rows of it that could not be read.
    unmapped: int
    malformed: int
    healing: str
    bytes: int


@dataclass
class _Fetched:
    """What the Data API knows of the affected markets."""

    trades: list[tuple[Trade, datetime]] = field(default_factory=list)
    healed: int = 0
    malformed: int = 0


def build_trades(
    lake: Lake, data: Trades | None, hour: datetime, *, clock: Callable[[], datetime]
) -> TradesReport:
    """Build `trades` of an hour from what was heard and, with the Data API, from what was not.

    Raises:
        HourNotBegun: the hour lies ahead.
        Unavailable: the Data API failed; the trades heard and those recovered before are written.
        LakeUnwritable: nothing was written.
    """
    span = _begun(hour, clock())
    heard = joining.heard_around(lake, span)
    gaps, affected = _affected(lake, span)
    asked = affected[:MOST_HEALED] if data is not None else []
    fetched, failure = _Fetched(), None
    try:
        _fetch(data, asked, span, clock, fetched)
    except Unavailable as e:
        failure = e
    rows, unmapped = joining.joined(lake, heard, fetched.trades, span, clock())
    written = lake.publish_rows("trades", rows, part=PART, at=span.start)
    if failure is not None:
        raise Unavailable(f"after {fetched.healed} of {len(asked)} deaf markets: {failure}") from failure
    return _report(rows, gaps, affected, fetched, unmapped, data is not None, written.bytes)


def _begun(hour: datetime, now: datetime) -> Span:
    span = Span.hour(hour)
    if now < span.start:
        raise HourNotBegun(f"the hour {span.start:%Y-%m-%d %H}:00 UTC has not begun: it has no trades yet")
    return span


def _affected(lake: Lake, span: Span) -> tuple[int, list[tuple[str, datetime]]]:
    """How many gaps touch the hour, and the markets deaf in it with the start of their first gap, busiest first."""
    around = Span(span.start - HOUR, span.end + HOUR)
    gaps = Span(span.start - BLOCK_LAG, span.end + GAP_FILED_WITHIN)
    with queries.over(lake, trades_raw=around, book_changes=around, stream_gaps=gaps) as connection:
        connection.execute(_TOUCHING, {"start": span.start - BLOCK_LAG, "end": span.end})
        count = connection.execute("select count(*) from touching").fetchone()
        found = connection.execute(_AFFECTED).fetchall()
    return (count[0] if count else 0), [(market, since) for market, since, _ in found]


_TOUCHING = """
create temp table touching as select * from stream_gaps where from_at < $end and to_at > $start
"""

# A gap of one market, of one connection, or (a process that was not there) of everything streamed around the hour.
_AFFECTED = """
with streamed as (
    select session_id, connection, market_id, count(*) as heard from trades_raw group by all
    union all
    select distinct session_id, connection, market_id, 0 from book_changes
), deaf as (
    select market_id, from_at, 0 as heard from touching where market_id is not null
    union all
    select s.market_id, g.from_at, s.heard from touching g join streamed s
    on g.market_id is null
        and (g.connection is null or (g.session_id = s.session_id and g.connection = s.connection))
)
select market_id, min(from_at), max(heard) as busy from deaf group by market_id order by busy desc, market_id
"""


def _fetch(
    data: Trades | None,
    affected: Iterable[tuple[str, datetime]],
    span: Span,
    clock: Callable[[], datetime],
    fetched: _Fetched,
) -> None:
    """Add what the Data API knows of the deaf markets, from the first gap on."""
    for market_id, since in affected:
        assert data is not None
        try:
            _fetch_market(data, market_id, max(since, span.start - BLOCK_LAG) - BLOCK_LAG, clock, fetched)
        except Gone as e:
            log.info("%s has no trades: %s", market_id, e)
        except (Refused, MalformedPayload) as e:
            log.warning("%s is not healed: %s", market_id, e)
            continue
        fetched.healed += 1


def _fetch_market(
    data: Trades, market_id: str, since: datetime, clock: Callable[[], datetime], fetched: _Fetched
) -> None:
    for page in data.trades(market_id.removeprefix("pm:"), since=since):
        fetched.malformed += len(page.malformed)
        fetched.trades += [(trade, clock()) for trade in page.rows if isinstance(trade, Trade)]


def _report(
    rows: list[dict[str, Any]],
    gaps: int,
    affected: list[tuple[str, datetime]],
    fetched: _Fetched,
    unmapped: int,
    asked: bool,
    size: int,
) -> TradesReport:
    def count(source: str) -> int:
        return sum(row["source"] == source for row in rows)

    return TradesReport(
        rows=len(rows),
        stream=count("stream"),
        rest=count("rest"),
        both=count("both"),
        recovered=count("rest"),
        gaps=gaps,
        affected=len(affected),
        healed=fetched.healed,
        unhealed=len(affected) - fetched.healed,
        unmapped=unmapped,
        malformed=fetched.malformed,
        healing="by the Data API" if asked else "not done: no Data API was given",
        bytes=size,
    )
