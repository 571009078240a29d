"""`election2024`: the presidential election of 2024 by state and nation, hourly prices, cut at the beginning of election day.

One real event: all its markets are one. The national series runs on past the result; what lies after the cut is left out. Where
the clocks went back, an hour's prices stand under one instant, and which came first cannot be told.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    FLAG,
    PRICE,
    TEXT,
    UNIX_S,
    Column,
    File,
    Form,
    e6,
    payouts,
)

FIDELITY_S = 3600
ELECTION_DAY = "'2024-11-05T00:00:00Z'::timestamptz"
# Every state was called within a week; the venue settled the nation at once.
PUBLIC_AFTER = "interval 14 days"

MARKETS = File(
    "markets",
    frozenset({"state", "candidate", "condition_id_from_gamma"}),
    (
        Column("market", TEXT),
        Column("state", TEXT),
        Column("candidate", TEXT),
        Column("outcome", FLAG, nullable=True),
        Column("condition_id_from_gamma", TEXT, nullable=True),
    ),
    key=("state", "candidate"),
)
PRICES = File(
    "prices",
    frozenset({"state", "candidate", "timestamp_utc", "price"}),
    (
        Column("state", TEXT),
        Column("candidate", TEXT),
        Column("timestamp_utc", UNIX_S),
        Column("price", PRICE),
    ),
    key=(),
)

# Where the condition is known, it is the market of the venue; the priced token is its YES.
_ID = "coalesce('pm:' || condition_id_from_gamma, 'election2024:' || state || '|' || candidate)"
_ROWS = "count(*) over (partition by state, candidate, timestamp_utc)"

FORM = Form(
    name="election2024",
    holds="the presidential election of 2024 with hourly prices: election2024_markets and election2024_prices",
    files=(MARKETS, PRICES),
    markets=f"""
        select {_ID} as market_id, {ELECTION_DAY} as closed_at, {ELECTION_DAY} as effective_close, 'end_date' as end_source,
            {ELECTION_DAY} as scheduled_end, 'polymarket' as venue, condition_id_from_gamma as condition_id,
            market || ': ' || candidate || ', ' || state as question, ['Yes', 'No'] as outcomes, []::varchar[] as token_ids,
            'us-presidential-election-2024' as event_id, 'election2024:' || state as neg_risk_id, true as neg_risk,
            'politics' as category, []::varchar[] as tags, null::varchar as left_out
        from markets
    """,
    prices=f"""
        select {_ID} as market_id, to_timestamp(timestamp_utc) as priced_at, priced_at as known_at, {e6("price")} as price_e6,
            null::integer as bid_e6, null::integer as ask_e6, {FIDELITY_S} as fidelity_s,
            case when {_ROWS} > 1 then 'two prices of one instant: the clocks went back' end as left_out
        from prices left join markets using (state, candidate)
    """,
    ends=f"""
        select {_ID} as market_id, case when outcome is null then 'open' else 'final' end as state, outcome::integer as label,
            case when outcome is not null then {payouts("outcome::integer = 1")} end as payouts_e6,
            {{'dataset': 'election2024', 'field': 'outcome', 'value': outcome}} as evidence,
            case when outcome is null then 'the dataset has no result' else 'the catalogue''s final prices, joined by question' end as reason,
            case when outcome is not null then {ELECTION_DAY} + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
