"""`weather`: daily highest-temperature buckets of four cities, prices about hourly, one YES bucket per event.

The rows are markets of the global venue, but the source names tokens only: they cannot be joined to recorded ones.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    FLAG,
    INSTANT,
    PRICE,
    TEXT,
    UNIX_S,
    Column,
    File,
    Form,
    e6,
    payouts,
)

# The spacing the source asked the venue for.
FIDELITY_S = 3600
# From the scheduled end (12:00 UTC of the day) until the result was public: New York's day ends 17 h later,
# its maximum is published within hours, and a resolution can be challenged for two.
PUBLIC_AFTER = "interval 36 hours"

MARKETS = File(
    "markets",
    frozenset({"yes_token", "resolved_yes", "bucket"}),
    (
        Column("yes_token", TEXT),
        Column("slug", TEXT),
        Column("title", TEXT),
        Column("bucket", TEXT),
        Column("station", TEXT),
        Column("endDate", INSTANT),
        Column("resolved_yes", FLAG, nullable=True),
    ),
    key=("yes_token",),
)
PRICES = File(
    "prices",
    frozenset({"yes_token", "t", "p"}),
    (Column("yes_token", TEXT), Column("t", UNIX_S), Column("p", PRICE)),
    key=("yes_token", "t"),
)

_ENDS_AT = "endDate::timestamptz"

FORM = Form(
    name="weather",
    holds="highest-temperature buckets: weather_markets and weather_prices",
    files=(MARKETS, PRICES),
    markets=f"""
        select 'weather:' || yes_token as market_id, {_ENDS_AT} as closed_at, {_ENDS_AT} as effective_close,
            'end_date' as end_source, {_ENDS_AT} as scheduled_end, 'polymarket' as venue,
            title || ' ' || bucket as question, ['Yes', 'No'] as outcomes, [yes_token] as token_ids,
            slug as event_id, slug as event_slug, title as event_title, true as neg_risk, 'weather' as category,
            []::varchar[] as tags, station as resolution_source, null::varchar as left_out
        from markets
    """,
    # The instants lie seconds off the hour and scattered, as samples do, not at bounds of buckets: known when taken.
    prices=f"""
        select 'weather:' || yes_token as market_id, to_timestamp(t) as priced_at, to_timestamp(t) as known_at,
            {e6("p")} as price_e6, null::integer as bid_e6, null::integer as ask_e6, {FIDELITY_S} as fidelity_s, null::varchar as left_out
        from prices
    """,
    ends=f"""
        select 'weather:' || yes_token as market_id,
            case when resolved_yes is null then 'open' else 'final' end as state,
            resolved_yes::integer as label, case when resolved_yes is not null then {payouts("resolved_yes")} end as payouts_e6,
            {{'dataset': 'weather', 'field': 'resolved_yes', 'value': resolved_yes}} as evidence,
            case when resolved_yes is null then 'the dataset has no result' else 'the dataset says which bucket won' end as reason,
            case when resolved_yes is not null then {_ENDS_AT} + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
