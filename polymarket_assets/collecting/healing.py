"""`trades_raw` to `trades`: every trade once, and over the gaps of the stream what the Data API knows.

The stream names a trade by its transaction and token and gives the instant of the match; the Data API gives
its exact fills and the second of the block, some seconds later. Where both have a trade, prices and sizes are
the Data API's and the instant is the stream's. Healing asks only for markets and spans in which we were deaf.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from polymarket_assets.collecting import discovery, queries
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, Refused, Unavailable
from polymarket_assets.venue.records import E6, Page, Trade

log = logging.getLogger(__name__)

# Trades are filed by the match and heard later: frames of the hour may lie in the files of its neighbours.
MARGIN = timedelta(minutes=2)
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
    # Markets deaf at some time of the hour, those asked about, and those beyond `MOST_HEALED`.
    affected: int
    healed: int
    unhealed: int
    # Trades of the Data API whose outcome nobody knows, and rows of it that could not be read.
    unmapped: int
    malformed: int
    healing: str
    bytes: int


class _Key(NamedTuple):
    """What the stream and the Data API both name a trade by."""

    tx_hash: bytes
    token_id: str


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
    heard = _heard(lake, span)
    gaps, affected = _affected(lake, span)
    asked = affected[:MOST_HEALED] if data is not None else []
    fetched, failure = _Fetched(), None
    try:
        _fetch(data, asked, span, clock, fetched)
    except Unavailable as e:
        failure = e
    rows, unmapped = _joined(lake, heard, fetched, span, clock())
    written = lake.publish_rows("trades", rows, part=PART, at=span.start)
    if failure is not None:
        raise Unavailable(f"after {fetched.healed} of {len(asked)} deaf markets: {failure}") from failure
    return _report(rows, gaps, affected, fetched, unmapped, data is not None, written.bytes)


def _begun(hour: datetime, now: datetime) -> Span:
    span = Span.hour(hour)
    if now < span.start:
        raise HourNotBegun(f"the hour {span.start:%Y-%m-%d %H}:00 UTC has not begun: it has no trades yet")
    return span


def _heard(lake: Lake, span: Span) -> list[dict[str, Any]]:
    """Trades as heard around the hour, once each: two sockets that heard the same count the same fills."""
    with queries.over(lake, trades_raw=Span(span.start - MARGIN, span.end + MARGIN)) as connection:
        return connection.sql(_HEARD).to_arrow_table().to_pylist()  # type: ignore[no-any-return]


# A trade without a transaction is named by what is known of it, in as many bytes.
_HEARD = """
with named as (
    select * exclude (tx_hash), tx_hash as real_hash,
        coalesce(tx_hash, unhex(sha256(concat_ws(':', market_id, epoch_us(venue_at), price_e6, size_e6)))) as tx_hash
    from trades_raw
), counted as (
    select *, row_number() over (
        partition by session_id, connection, tx_hash, token_id, is_buy order by price_e6, size_e6, sequence
    ) - 1 as n
    from named
)
select * from counted
qualify row_number() over (
    partition by tx_hash, token_id, is_buy, n order by received_at, session_id, connection, sequence
) = 1
order by venue_at, tx_hash, token_id, n
"""


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
            for page in data.trades(
                market_id.removeprefix("pm:"), since=max(since, span.start - BLOCK_LAG) - BLOCK_LAG
            ):
                fetched.malformed += len(page.malformed)
                fetched.trades += [(trade, clock()) for trade in page.rows if isinstance(trade, Trade)]
        except Gone as e:
            log.info("%s has no trades: %s", market_id, e)
        fetched.healed += 1


def _joined(
    lake: Lake, heard: list[dict[str, Any]], fetched: _Fetched, span: Span, now: datetime
) -> tuple[list[dict[str, Any]], int]:
    """Rows of the hour from both sources, and how many fills had no known outcome."""
    by_key: dict[_Key, list[dict[str, Any]]] = defaultdict(list)
    for row in heard:
        by_key[_Key(row["tx_hash"], row["token_id"])].append(row)
    fills = _fills(fetched.trades)
    outcomes = _Outcomes(lake, heard, now)
    rows = [_of_stream(row) for key, group in by_key.items() if key not in fills for row in group]
    unmapped = 0
    for key, group in fills.items():
        told = [_of_rest(fill, by_key.get(key), outcomes) for fill in group]
        rows += [row for row in told if row["outcome_index"] is not None]
        unmapped += sum(row["outcome_index"] is None for row in told)
    return [row for row in rows if row["traded_at"] in span], unmapped


class _Fill(NamedTuple):
    """A fill of the Data API: the n-th of its transaction, token and side, and when it was fetched."""

    tx_hash: bytes
    n: int
    trade: Trade
    fetched_at: datetime


def _fills(trades: list[tuple[Trade, datetime]]) -> dict[_Key, list[_Fill]]:
    """Fills by key, counted in an order that does not depend on that of the answer."""
    fills: dict[_Key, list[_Fill]] = defaultdict(list)
    for trade, at in sorted(trades, key=lambda fill: (fill[0].price_e6, fill[0].size_e6)):
        tx_hash = bytes.fromhex(trade.tx_hash.removeprefix("0x"))
        group = fills[_Key(tx_hash, trade.token_id)]
        group.append(_Fill(tx_hash, sum(f.trade.is_buy == trade.is_buy for f in group), trade, at))
    return fills


@dataclass
class _Outcomes:
    """Which outcome a token is, for fills that the venue has not joined with its metadata yet."""

    lake: Lake
    heard: list[dict[str, Any]]
    now: datetime
    known: dict[str, int] | None = None

    def of(self, token_id: str) -> int | None:
        """The token's place among the outcomes; `markets` is read only when somebody asks."""
        if self.known is None:
            rows = discovery.known_markets(self.lake, now=self.now).column("token_ids").to_pylist()
            listed = {token: place for tokens in rows for place, token in enumerate(tokens)}
            self.known = {**listed, **{row["token_id"]: row["outcome_index"] for row in self.heard}}
        return self.known.get(token_id)


def _of_stream(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `trades` for a trade that only the stream knows."""
    kept = ("received_at", "market_id", "token_id", "outcome_index", "is_buy", "price_e6", "size_e6")
    return {
        **{name: row[name] for name in kept},
        "trade_id": _trade_id(row["tx_hash"], row["token_id"], row["is_buy"], row["n"]),
        "traded_at": row["venue_at"],
        "usd_e6": row["price_e6"] * row["size_e6"] // E6,
        "tx_hash": row["real_hash"],
        "source": "stream",
    }


def _of_rest(fill: _Fill, heard: list[dict[str, Any]] | None, outcomes: _Outcomes) -> dict[str, Any]:
    """A row of `trades` for a fill the Data API knows; heard ones keep the instants of the stream."""
    tx_hash, n, trade, fetched_at = fill
    index = trade.outcome_index if trade.outcome_index is not None else outcomes.of(trade.token_id)
    return {
        "trade_id": _trade_id(tx_hash, trade.token_id, trade.is_buy, n),
        "traded_at": heard[0]["venue_at"] if heard else trade.traded_at,
        "received_at": heard[0]["received_at"] if heard else fetched_at,
        "market_id": f"pm:{trade.condition_id}",
        "token_id": trade.token_id,
        "outcome_index": index,
        "is_buy": trade.is_buy,
        "price_e6": trade.price_e6,
        "size_e6": trade.size_e6,
        "usd_e6": trade.price_e6 * trade.size_e6 // E6,
        "tx_hash": tx_hash,
        "source": "both" if heard else "rest",
    }


def _trade_id(tx_hash: bytes, token_id: str, is_buy: bool, n: int) -> bytes:
    from polymarket_assets.venue.trade_id import trade_id

    return trade_id(tx_hash, token_id, is_buy, n)


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
