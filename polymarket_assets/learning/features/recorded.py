"""Features of recorded markets: newest snapshot and newest metadata *received* by the decision instant."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake, Written
from polymarket_assets.learning.features import catalogue, grid
from polymarket_assets.tiers import TIERS

# A snapshot older than this many collection intervals of its tier says nothing of now (ML.md 2.2).
OLDEST_SNAPSHOT_INTERVALS = 2
# A source is up while its newest row is no older than this: one interval, and half of one for the sweep itself.
UP_INTERVALS = 1.5

_SNAPSHOTS_BACK = OLDEST_SNAPSHOT_INTERVALS * max(tier.every for tier in TIERS)
# `markets` holds changes, and what did not change once a week; this holds the moves of the end over two weeks on the grid.
METADATA_BACK = timedelta(days=30)


def publish_recorded(lake: Lake, hour: datetime) -> Written:
    """Compute and publish the recorded features of an hour; a repetition replaces them."""
    return lake.publish("features", recorded(lake, Span.hour(hour)), part="recorded", at=hour_of(hour))


def recorded(lake: Lake, span: Span) -> pa.Table:
    """The `features` rows of recorded markets whose decision instants lie in the span."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        back = {"markets": METADATA_BACK, "snapshots": _SNAPSHOTS_BACK}
        for table, far in back.items():
            found = reading.files(lake, table, Span(span.start - far, span.end))
            reading.add_view(connection, table, found)
        connection.execute(f"create temp table due as {_due(span)}")
        connection.execute(f"create temp table evidence as {_EVIDENCE}")
        return catalogue.rows(connection, "evidence")


def _due(span: Span) -> str:
    """Decision instants in the span, with the metadata that was the newest then."""
    return f"""
        with seen as (
            select *, lead(received_at) over life as replaced_at, min(received_at) over life as first_seen_at,
                first_value(effective_close ignore nulls) over life as first_close,
                lag(effective_close) over life as former_close
            from markets where received_at < '{span.end.isoformat()}'
            window life as (partition by market_id order by received_at)
        ), lives as (
            select *, greatest(received_at, '{span.start.isoformat()}'::timestamptz) as known_from,
                least(coalesce(replaced_at, 'infinity'), '{span.end.isoformat()}'::timestamptz) as known_to,
                (epoch_us(first_close) - epoch_us(greatest(coalesce(listed_at, first_seen_at), window_start_at))) / 3.6e9
                    as planned_life_h,
                count(*) filter (former_close <> effective_close) over (partition by market_id order by received_at)
                    as close_moves
            from seen
        ), living as (select * from lives where effective_close is not null and phase <> 'closed' and known_from < known_to)
        {grid.instants("living")}
    """


def _interval_us() -> str:
    rows = " ".join(
        f"when '{tier.name}' then {int(tier.every / timedelta(microseconds=1))}" for tier in TIERS
    )
    return f"case tier {rows} end"


_EVIDENCE = f"""
    with sampled as (
        select *, {_interval_us()} as interval_us from snapshots semi join due using (market_id)
        qualify row_number() over (partition by market_id, received_at order by slot_at desc, tier desc) = 1
    ), joined as (
        select due.*, s.* exclude (market_id, event_id, neg_risk_id, neg_risk, category, phase, tier, received_at, effective_close,
                volume_usd, volume_24h_usd, liquidity_usd),
            s.volume_usd as volume_then, s.liquidity_usd as liquidity_then, epoch_us(due.as_of) - epoch_us(s.received_at) as old_us
        from due asof join sampled s on due.market_id = s.market_id and due.as_of >= s.received_at
    )
    select market_id, as_of, 'recorded' as source, event_id, neg_risk_id, game_id, effective_close as scheduled_end, horizon_h,
        (1 + (old_us <= {UP_INTERVALS} * interval_us)::int) / 2.0 as coverage, ['markets', 'snapshots'] as sources,
        best_bid as bid, best_ask as ask, null::double as shown_price, microprice, last_trade,
        coalesce(tick, tick_e6 / 1e6) as tick_usd, coalesce(fee_rate, 0) as taker_rate,
        category as listed_category, neg_risk as is_neg_risk, outcomes, question,
        liquidity_then as liquidity_usd, volume_then as volume_usd,
        least(listed_at, first_seen_at) as first_known_at,
        coalesce(window_start_at, case when game_id is not null or sports_market_type is not null then game_start_at end)
            as starts_at,
        close_moves
    from joined where old_us <= {OLDEST_SNAPSHOT_INTERVALS} * interval_us
"""
