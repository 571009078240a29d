"""Features of closed markets from prices fetched after the fact: the same grid, as of when a price could be known.

What was fetched after the close was not known before it: tick size, fees, volumes, liquidity and moves of
the end are null here, never zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import DAY, Span, day_of
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets.learning.features import catalogue, grid

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

# A price older than twice the spacing its source claims says nothing of now …
OLDEST_SPACINGS = 2
# … except that spacing of seconds is never kept to the second,
OLDEST_AT_LEAST_S = 120
# and sources without a spacing give changes only: a quote stands until the next, but not through an outage of hours.
OLDEST_IRREGULAR_S = 6 * 3600

# Counted from when the price could be known, but not from a publication that came later than its spacing.
_OLD_S = "(epoch_us(due.as_of) - least(epoch_us(p.known_at), epoch_us(p.priced_at) + fidelity_s::bigint * 1000000)) / 1e6"

# Sources with one price per market, taken at the start of the game: its instant is the decision instant.
ONE_PRICE_SOURCES: tuple[str, ...] = ("sports_closing",)


def publish_history(lake: Lake, day: date) -> Written:
    """Compute and publish the history features of a day; a repetition replaces them."""
    return lake.publish("features", history(lake, day), part="history", at=day)


def publish_history_days(lake: Lake, span: Span) -> Iterator[Written]:
    """`publish_history` of every day of a span of whole days, a block of them at a time."""
    days = list(span.days())
    for block in (days[at : at + BLOCK_DAYS] for at in range(0, len(days), BLOCK_DAYS)):
        found = _computed(lake, Span(day_of(block[0]), day_of(block[-1]) + DAY))
        lies_on = found.column("as_of").cast(pa.date32())
        for day in block:
            yield lake.publish("features", found.filter(pc.equal(lies_on, day)), part="history", at=day)


def history(lake: Lake, day: date) -> pa.Table:
    """The `features` rows of closed markets whose decision instants lie in the day."""
    return _computed(lake, Span.day(day))


def _computed(lake: Lake, span: Span) -> pa.Table:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        closing = Span(span.start, span.end + CLOSES_WITHIN)
        closed = Span(span.start - CLOSES_APART, closing.end)
        reading.add_view(connection, "history_markets", reading.files(lake, "history_markets", closed))
        connection.execute(f"create temp table lives as {_lives(span)}")
        reading.add_view(connection, "history_prices", reading.files(lake, "history_prices", closing))
        _choose_source(connection)
        connection.execute(f"create temp table evidence as {_evidence(span)}")
        return catalogue.rows(connection, "evidence")


def _lives(span: Span) -> str:
    """Markets that trade at some instant of the span; closed_at bounds their rows and enters no feature.

    A market of the venue may be there from several sources, also under the id of a dataset: it is over when the first says so.
    """
    return f"""
        with held as (
            select * replace (min(closed_at) over (partition by real_id) as closed_at)
            from (select *, coalesce('pm:' || condition_id, market_id) as real_id from history_markets)
            where effective_close is not null
        )
        select *, count(*) over (partition by real_id) > 1 as is_contested, (epoch_us(effective_close) - epoch_us(greatest(listed_at, window_start_at))) / 3.6e9 as planned_life_h,
            greatest(coalesce(listed_at, '-infinity'), '{span.start.isoformat()}'::timestamptz) as known_from,
            least(closed_at, '{span.end.isoformat()}'::timestamptz) as known_to
        from held where known_from < known_to
    """


def _choose_source(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep one source for each market: of those with prices the venue's own, else the one with the finest spacing, else by name."""
    one_price = ", ".join(f"'{source}'" for source in ONE_PRICE_SOURCES)
    ((contested,),) = connection.execute("select count(*) from lives where is_contested").fetchall()
    if contested:
        connection.execute(
            f"""
            delete from lives where is_contested and rowid not in (
                select l.rowid from lives l join (
                    select market_id, source, min(fidelity_s) as spacing_s from history_prices
                    semi join (from lives where is_contested) using (market_id, source) group by market_id, source
                ) p using (market_id, source)
                where is_contested
                qualify row_number() over (
                    partition by real_id order by source <> 'polymarket', source in ({one_price}), spacing_s, source, market_id
                ) = 1
            )
            """
        )


def _evidence(span: Span) -> str:
    one_price = ", ".join(f"'{source}'" for source in ONE_PRICE_SOURCES)
    bound_s = f"case when fidelity_s = 0 then {OLDEST_IRREGULAR_S} else greatest({OLDEST_SPACINGS} * fidelity_s, {OLDEST_AT_LEAST_S}) end"
    return f"""
        with gridded as (select * from lives where source not in ({one_price})),
        on_grid as ({grid.instants("gridded")}),
        on_price as (
            select l.*, (epoch_us(effective_close) - epoch_us(p.known_at)) / 3.6e9 as horizon_h, p.known_at as as_of
            from lives l join history_prices p using (market_id, source)
            where l.source in ({one_price}) and p.known_at >= '{span.start.isoformat()}' and p.known_at < '{span.end.isoformat()}' and p.known_at < l.closed_at
        ),
        due as (
            from (from on_grid union all by name from on_price)
            where close_day <= as_of::date + {CLOSES_WITHIN.days}
        ),
        priced as (
            select market_id, source, priced_at, known_at, price_e6, bid_e6, ask_e6, fidelity_s from history_prices
            semi join due using (market_id, source)
            -- By the minute a life has ten thousand prices: only those of the span are of use, and what may still stand at its start.
            where known_at < '{span.end.isoformat()}'
                and known_at >= '{span.start.isoformat()}'::timestamptz - to_seconds((select max({bound_s}) from history_prices))
            qualify row_number() over (partition by market_id, source, known_at order by priced_at desc) = 1
        ),
        joined as (
            select due.*, p.* exclude (market_id, source), {_OLD_S} as old_s, {bound_s} as bound_s
            from due asof join priced p on due.market_id = p.market_id and due.source = p.source and due.as_of >= p.known_at
        )
        select market_id, as_of, source, event_id, neg_risk_id, game_id, effective_close as scheduled_end, horizon_h,
            (1 + (old_s <= bound_s / 2)::int) / 2.0 as coverage, ['history_markets', 'history_prices'] as sources,
            bid_e6 / 1e6 as bid, ask_e6 / 1e6 as ask, price_e6 / 1e6 as shown_price,
            null::double as microprice, null::double as last_trade, null::double as tick_usd, null::double as taker_rate,
            category as listed_category, neg_risk as is_neg_risk, outcomes, question,
            null::double as liquidity_usd, null::double as volume_usd, listed_at as first_known_at,
            coalesce(window_start_at, case when game_id is not null or sports_market_type is not null then game_start_at end)
                as starts_at,
            null::double as close_moves
        from joined where old_s <= bound_s
    """
