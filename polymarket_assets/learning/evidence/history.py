"""Evidence of closed markets, fetched after the fact: as of when prices, books and trades could have been known.

What was fetched after the close was not known before it: tick size, fees, volumes, liquidity and moves of
the end are null here, never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting.catalogue import VENUE
from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.spans import DAY, Span, day_of
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets.learning.evidence import blocks, grid, quotes, rows
from polymarket_assets.learning.evidence.trades import IS_FOR, USD_E6
from polymarket_assets.learning.features.volatility import DAY_S

if TYPE_CHECKING:
    import duckdb

# Markets are filed by day of close. 99 % of 2024's closed within 34 days after their scheduled end, and the
# grid begins 14 days before it; looking less far would leave early rows of late closers out, by outcome.
CLOSES_WITHIN = timedelta(hours=grid.FURTHEST_H) + timedelta(days=35)

# Sources may differ in when a market closed by no more than this, as dates do from instants: what another source says closed so
# long before the span is looked at, too.
CLOSES_APART = timedelta(days=7)

# Opening the files of so many days of close costs a tenth of a second: backfills share it among this many days.
BLOCK_DAYS = 28

# A source that gives a price a month tells nothing of a market between.
OLDEST_AT_MOST_S = 30 * 86_400
# A price older than twice the spacing its source claims says nothing of now …
OLDEST_SPACINGS = 2
# … except that spacing of seconds is never kept to the second,
OLDEST_AT_LEAST_S = 120
# and sources without a spacing give changes only: a quote stands until the next, but not through an outage of hours.
OLDEST_IRREGULAR_S = 6 * 3600

# Sources with one price per market, taken at the start of the game: its instant is the decision instant.
ONE_PRICE_SOURCES: tuple[str, ...] = ("sports_closing",)


def publish_history(lake: Lake, day: date) -> Written:
    """Compute and publish the history features of a day; a repetition replaces them."""
    return lake.publish("features", history(lake, day), part="history", at=day)


def publish_history_days(
    lake: Lake, span: Span, *, on_rows: Callable[[pa.Table], None] = lambda rows: None
) -> Iterator[Written]:
    """`publish_history` of every day of a span of whole days, a block of them at a time; `on_rows` is shown each day's rows."""
    days = list(span.days())
    for block in (days[at : at + BLOCK_DAYS] for at in range(0, len(days), BLOCK_DAYS)):
        found = _computed(lake, Span(day_of(block[0]), day_of(block[-1]) + DAY))
        lies_on = found.column("as_of").cast(pa.date32())
        for day in block:
            of_day = found.filter(pc.equal(lies_on, day))
            on_rows(of_day)
            yield lake.publish("features", of_day, part="history", at=day)


def history(lake: Lake, day: date) -> pa.Table:
    """The `features` rows of closed markets whose decision instants lie in the day."""
    return _computed(lake, Span.day(day))


def _computed(lake: Lake, span: Span) -> pa.Table:

    with opening.connected() as connection:
        closing = Span(span.start, span.end + CLOSES_WITHIN)
        for table in ("history_prices", "history_books", "history_trades"):
            reading.add_view(connection, table, reading.files(lake, table, closing))
        closed = Span(span.start - CLOSES_APART, closing.end)
        reading.add_view(connection, "history_markets", reading.files(lake, "history_markets", closed))
        connection.execute(f"create temp table lives as {_lives(span)}")
        _choose_source(connection)
        for name, sql in _relations(span).items():
            connection.execute(f"create temp {'view' if name in blocks.LARGE else 'table'} {name} as {sql}")
        return rows.computed(connection)


def _lives(span: Span) -> str:
    """Markets that trade at some instant of the span; closed_at bounds their rows and enters no feature.

    A market of the venue may be there from several sources, also under the id of a dataset: it is over when the first says so.
    """
    return f"""
        with held as (
            select * replace (min(closed_at) over (partition by real_id) as closed_at)
            from (select *, coalesce('pm:' || condition_id, market_id) as real_id from history_markets)
            where effective_close is not null
        ), lived as (
            select *, greatest(coalesce(epoch_us(listed_at), 0), epoch_us((close_day - interval {CLOSES_WITHIN.days} days)::timestamptz)) as known_from_us,
                epoch_us(closed_at) as known_to_us
            from held where known_from_us < known_to_us and known_from_us < {grid.us(span.end)} and known_to_us > {grid.us(span.start)}
        )
        select row_number() over (order by market_id, source) as life, life as m, market_id, real_id, count(*) over (partition by real_id) > 1 as is_contested,
            source, event_id, neg_risk_id, game_id, case when coalesce(neg_risk_id, event_id) is not null then dense_rank() over (order by neg_risk_id is null, coalesce(neg_risk_id, event_id)) end as set_no,
            effective_close as scheduled_end, category as listed_category, neg_risk as is_neg_risk, outcomes, question, null::double as tick_usd, null::double as taker_rate,
            listed_at as first_known_at,
            coalesce(window_start_at, case when game_id is not null or sports_market_type is not null then game_start_at end) as starts_at,
            null::bigint as close_moves,
            (epoch_us(effective_close) - epoch_us(greatest(listed_at, window_start_at))) / 3.6e9 as planned_life_h,
            known_from_us, known_to_us, ['history_markets', 'history_prices'] as sources, 'history_books' as book_source, 'history_trades' as trade_source
        from lived
    """


def _choose_source(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep one source for each market: of those with prices the venue's own, else the one with the finest spacing, else by name."""
    ((contested,),) = connection.execute("select count(*) from lives where is_contested").fetchall()
    if contested:
        connection.execute(
            f"""
            delete from lives where is_contested and life not in (
                select l.life from lives l join (
                    select market_id, source, min(fidelity_s) as spacing_s from history_prices
                    semi join (from lives where is_contested) using (market_id, source) group by market_id, source
                ) p using (market_id, source)
                where is_contested
                qualify row_number() over (
                    partition by real_id order by source <> 'polymarket', source in ({_ONE_PRICE}), spacing_s, source, market_id
                ) = 1
            )
            """
        )


_ONE_PRICE = ", ".join(f"'{source}'" for source in ONE_PRICE_SOURCES)
_BOUND_S = f"case when fidelity_s = 0 then {OLDEST_IRREGULAR_S} else least({OLDEST_AT_MOST_S}, greatest({OLDEST_SPACINGS} * fidelity_s, {OLDEST_AT_LEAST_S})) end"
# How old a price is counts from when it could be known, but not from a publication that came later than its spacing.
_LATE_US = "greatest(0, epoch_us(known_at) - epoch_us(priced_at) - fidelity_s::bigint * 1000000)"


def _relations(span: Span) -> dict[str, str]:
    """Relations of evidence, in the order in which they can be made."""
    return {
        "quoted": quotes.quoted(f"({_quotes(span)})"),
        "instants": _instants(span),
        "booked": f"""
            select m, epoch_us(known_at) as at_us, epoch_us(booked_at) as tie, bids, asks from history_books join lives using (market_id, source)
            where known_at < '{span.end.isoformat()}' and known_at >= '{span.start.isoformat()}'::timestamptz - to_seconds({DAY_S})
        """,
        "dealt": f"""
            select m, epoch_us(traded_at) as at_us, {USD_E6} as usd_e6,
                {IS_FOR} as is_for, source = '{VENUE}' as is_known, m * {2**40} + row_number() over () as copy_of
            from history_trades join lives using (market_id, source)
            where traded_at < '{span.end.isoformat()}' and traded_at >= '{span.start.isoformat()}'::timestamptz - to_seconds({DAY_S})
        """,
        "heard": """
            select m, case when bool_or(truncated) then min(epoch_us(traded_at)) else coalesce(min(epoch_us(first_known_at)), min(epoch_us(traded_at))) end as since_us
            from history_trades join lives using (market_id, source) group by m
        """,
        "shares": "select null::bigint as m, 0::bigint as share",
        "alive": "select 0::bigint as share, 0::bigint as first_us where false",
        "deaf": "select 0::bigint as m, 0::bigint as from_us, 0::bigint as to_us where false",
    }  # fmt: skip


def _instants(span: Span) -> str:
    """The decision grid; of a source with one price for each market, the instant of that price."""
    return f"""
        with gridded as (select * from lives where source not in ({_ONE_PRICE}))
        {grid.instants("gridded", span)}
        union all by name
        select distinct m, life, epoch_us(known_at) as as_of_us, (epoch_us(scheduled_end) - as_of_us) / 3.6e9 as horizon_h
        from lives join history_prices using (market_id, source)
        where source in ({_ONE_PRICE}) and as_of_us >= {grid.us(span.start)} and as_of_us < {grid.us(span.end)} and as_of_us >= known_from_us and as_of_us < known_to_us
    """


def _quotes(span: Span) -> str:
    """By the minute a life has ten thousand prices: only those of the span are of use, what may still stand at its start, and what they look back to."""
    return f"""
        select m, epoch_us(known_at) as at_us, epoch_us(priced_at) as tie, bid_e6 / 1e6 as bid, ask_e6 / 1e6 as ask, price_e6 / 1e6 as shown_price, null::double as last_trade,
            null::double as tick_usd, null::double as taker_rate, null::double as liquidity_usd, null::double as volume_usd, null::double as volume_24h_usd,
            null::double as volume_change_usd, null::double as volume_change_h, null::varchar as tier_then, false as is_listened,
            fidelity_s::bigint * 1000000 as spacing_us, ({_BOUND_S})::bigint * 1000000 - {_LATE_US} as stands_us, ({_BOUND_S})::bigint * 500000 - {_LATE_US} as fresh_us
        from history_prices join lives using (market_id, source)
        where known_at < '{span.end.isoformat()}'
            and known_at >= '{span.start.isoformat()}'::timestamptz - to_seconds({DAY_S} + 2 * (select max({_BOUND_S}) from history_prices))
    """
