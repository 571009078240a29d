"""Evidence of recorded markets: what was *received* by the instant, of metadata, snapshots, books and trades."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import TABLES, layout, opening, reading
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets.learning.evidence import blocks, grid, quotes, rows, silences
from polymarket_assets.learning.evidence.trades import IS_FOR, MOST_USD_E6, USD_E6
from polymarket_assets.learning.features.flow import KYLE_STEP_S, OFI_BACK_S
from polymarket_assets.learning.features.volatility import DAY_S
from polymarket_assets.tiers import TIERS

if TYPE_CHECKING:
    import duckdb

# The source of rows that were recorded live; all others are history.
RECORDED = "recorded"
_US = timedelta(microseconds=1)
# A snapshot older than this many collection intervals of its tier says nothing of now (ML.md 2.2).
STANDS_INTERVALS = 2
# A source is up while its newest row is no older than this: one interval, and half of one for the sweep itself.
UP_INTERVALS = 1.5
# `markets` holds changes, and what did not change once a week; this holds the moves of the end over two weeks on the grid.
METADATA_BACK = timedelta(days=30)
# The newest snapshot may be this old, its windows look back a day, and what they compare with may be as old again.
_STANDS = STANDS_INTERVALS * max(tier.every for tier in TIERS)
SNAPSHOTS_BACK = timedelta(seconds=DAY_S) + 2 * _STANDS
# Trades told of later were recovered from a gap: a burst of them is no burst of trading. They are not counted.
LATE = timedelta(seconds=60)
BOOKS_BACK = _STANDS + timedelta(seconds=OFI_BACK_S)
# A day of whole steps of the clock; a copy that was heard within the day is told by the first, however late that one was.
_DEALT_BACK = timedelta(seconds=DAY_S + KYLE_STEP_S) + LATE
TRADES_BACK = timedelta(seconds=DAY_S) + silences.ALIVE + 2 * silences.MINUTE
# Gaps end within the day that trades look back, or touch it.
GAPS_BACK = timedelta(seconds=2 * DAY_S)
# Instants whose evidence is read together: a block of markets holds all their books of that long.
TOGETHER = timedelta(days=2)
STREAMED: tuple[str, ...] = ("t2", "t3", "t4")


def publish_recorded(
    lake: Lake,
    hour: datetime,
    *,
    streamed: tuple[str, ...] = STREAMED,
    on_rows: Callable[[pa.Table], None] = lambda rows: None,
) -> Written:
    """Compute and publish the recorded features of an hour; a repetition replaces them. `on_rows` is shown them."""
    found = recorded(lake, Span.hour(hour), streamed=streamed)
    on_rows(found)
    return lake.publish("features", found, part="recorded", at=hour_of(hour))


def recorded(lake: Lake, span: Span, *, streamed: tuple[str, ...] = STREAMED) -> pa.Table:
    """The `features` rows of recorded markets whose decision instants lie in the span; tiers in `streamed` are listened to."""
    with _known(lake, span, streamed) as connection:
        connection.execute(f"create temp table instants as {grid.instants('lives', span)}")
        return rows.computed(connection)


def at_instants(lake: Lake, wanted: pa.Table, *, streamed: tuple[str, ...] = STREAMED) -> pa.Table:
    """The `features` rows of any markets at any instants (`market_id`, `as_of`): the last sweep of production, say.

    An instant before a market was known, after it closed, or without a price that still stood has no row.
    """
    return pa.concat_tables(
        [TABLES["features"].schema.empty_table(), *pieces_at(lake, wanted, streamed=streamed)]
    )


def pieces_at(lake: Lake, wanted: pa.Table, *, streamed: tuple[str, ...] = STREAMED) -> Iterator[pa.Table]:
    """The same, of more rows than memory may hold; in order of market and instant within each piece."""
    for span, asked in _by_time(wanted):
        with _known(lake, span, streamed) as connection:
            connection.register("wanted", asked)
            connection.execute(f"create temp table instants as {_WANTED}")
            yield from rows.pieces(connection)


def _by_time(wanted: pa.Table) -> Iterator[tuple[Span, pa.Table]]:
    """What is wanted, in spans of no more than `TOGETHER`."""
    while wanted.num_rows:
        first = pc.min(wanted.column("as_of")).as_py()
        is_near = pc.less(wanted.column("as_of"), first + TOGETHER)
        near, wanted = wanted.filter(is_near), wanted.filter(pc.invert(is_near))
        yield Span(first, pc.max(near.column("as_of")).as_py() + _US), near


_WANTED = """
    select l.m, l.life, w.as_of_us, (epoch_us(l.scheduled_end) - w.as_of_us) / 3600e6 as horizon_h
    from (select distinct market_id, epoch_us(as_of) as as_of_us from wanted) w
    join lives l on w.market_id = l.market_id and w.as_of_us >= l.known_from_us and w.as_of_us < l.known_to_us
"""


@contextlib.contextmanager
def _known(lake: Lake, span: Span, streamed: tuple[str, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the relations of evidence, but for the instants."""
    back = {
        "markets": METADATA_BACK,
        "snapshots": SNAPSHOTS_BACK,
        "orderbooks": BOOKS_BACK,
        "stream_gaps": GAPS_BACK,
    }
    with opening.connected() as connection:
        for table, far in back.items():
            reading.add_view(connection, table, reading.files(lake, table, Span(span.start - far, span.end)))
        _add_trades(connection, lake, Span(span.start - TRADES_BACK, span.end))
        for name, sql in _relations(span, streamed).items():
            if name == "shares":
                silences.add_carried(connection)
            connection.execute(f"create temp {'view' if name in blocks.LARGE else 'table'} {name} as {sql}")
        yield connection


def _add_trades(connection: duckdb.DuckDBPyConnection, lake: Lake, span: Span) -> None:
    """What was heard; of hours whose messages were removed, the trades made of them."""
    heard = reading.files(lake, "trades_raw", span)
    told = {layout.span_of(file) for file in heard}
    removed = [file for file in reading.files(lake, "trades", span) if layout.span_of(file) not in told]
    reading.add_view(connection, "trades_raw", heard)
    reading.add_view(connection, "trades", removed)


def _relations(span: Span, streamed: tuple[str, ...]) -> dict[str, str]:
    """Relations of evidence, in the order in which they can be made."""
    since = Span(span.start - TRADES_BACK, span.end)
    return {
        "lives": _lives(span),
        "numbered": "select distinct m, market_id from lives",
        "quoted": quotes.quoted(f"({_quotes(streamed)})"),
        "booked": "select m, epoch_us(received_at) as at_us, epoch_us(slot_at) as tie, bids, asks from orderbooks join numbered using (market_id)",
        "dealt": _dealt(span),
        "heard": "select 0::bigint as m, 0::bigint as since_us where false",
        "signs": silences.signs(since),
        "shares": silences.SHARES,
        "alive": silences.ALIVE_BY_SHARE,
        "deaf": silences.deaf(since),
    }


def _lives(span: Span) -> str:
    """Versions of markets, each until the next one; `planned_life_h` as known at listing."""
    return f"""
        with seen as (
            select *, lead(received_at) over life as replaced_at, min(received_at) over life as first_seen_at,
                first_value(effective_close ignore nulls) over life as first_close, lag(effective_close) over life as former_close
            from markets where received_at < '{span.end.isoformat()}'
            window life as (partition by market_id order by received_at)
        )
        select row_number() over (order by market_id, received_at) as life, dense_rank() over (order by market_id) as m, market_id,
            'recorded' as source, event_id, neg_risk_id, game_id, case when coalesce(neg_risk_id, event_id) is not null then dense_rank() over (order by neg_risk_id is null, coalesce(neg_risk_id, event_id)) end as set_no,
            effective_close as scheduled_end, category as listed_category, neg_risk as is_neg_risk, outcomes, question, tick_e6 / 1e6 as tick_usd, 0.0 as taker_rate,
            least(listed_at, first_seen_at) as first_known_at,
            coalesce(window_start_at, case when game_id is not null or sports_market_type is not null then game_start_at end) as starts_at,
            count(*) filter (former_close <> effective_close) over (partition by market_id order by received_at) as close_moves,
            (epoch_us(first_close) - epoch_us(greatest(coalesce(listed_at, first_seen_at), window_start_at))) / 3.6e9 as planned_life_h,
            epoch_us(received_at) as known_from_us, coalesce(epoch_us(replaced_at), {grid.NEVER_US}) as known_to_us,
            ['markets', 'snapshots'] as sources, 'orderbooks' as book_source, 'trades_raw' as trade_source
        from seen
        qualify effective_close is not null and phase <> 'closed'
    """


def _interval_us() -> str:
    rows = " ".join(f"when '{tier.name}' then {tier.every // timedelta(microseconds=1)}" for tier in TIERS)
    return f"case tier {rows} end"


def _quotes(streamed: tuple[str, ...]) -> str:
    return f"""
        select m, epoch_us(received_at) as at_us, 10 * epoch_us(slot_at) + coalesce(try_cast(substr(tier, 2) as bigint), 0) as tie, best_bid as bid, best_ask as ask, null::double as shown_price, last_trade, tick as tick_usd, coalesce(fee_rate, 0) as taker_rate,
            liquidity_usd, volume_usd, volume_24h_usd, volume_change_usd, volume_change_h, tier as tier_then, tier in ({", ".join(f"'{tier}'" for tier in streamed) or "''"}) as is_listened,
            {_interval_us()}::bigint as spacing_us, {STANDS_INTERVALS} * spacing_us as stands_us, {UP_INTERVALS} * spacing_us as fresh_us
        from snapshots join numbered using (market_id) where spacing_us is not null
    """


def _dealt(span: Span) -> str:
    """Trades heard on time, each once: copies are equal in market, transaction, outcome, side, price and size.

    They are told by a hash of 64 bits: of five million, two that are none are taken for copies once in a million days.
    """
    # Differences of timestamps go by the calendar, and take four times as long as all the rest.
    on_time = f"received_at < '{span.end.isoformat()}' and received_at >= '{(span.start - _DEALT_BACK).isoformat()}' and epoch_us(received_at) - epoch_us({{}}) <= {LATE // _US}"

    def taken(table: str, venue_at: str, usd_e6: str) -> str:
        return f"""
            select m, epoch_us(received_at) as at_us, {usd_e6} as usd_e6, {IS_FOR} as is_for, tx_hash is not null as is_known,
                (hash(m, price_e6, size_e6, is_buy, outcome_index, tx_hash, case when tx_hash is null then at_us end) >> 1)::bigint as copy_of
            from {table} join numbered using (market_id) where {on_time.format(venue_at)}
        """

    return f"""{taken("trades_raw", "venue_at", USD_E6)} union all {taken("trades", "traded_at", f"least(usd_e6, {MOST_USD_E6})")} and source <> 'rest'"""
