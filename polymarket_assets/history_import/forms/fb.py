"""`fb`: questions of ForecastBench that are markets of the global venue, about one value a day.

A value is known from the commit that first published it, a day after its date. `resolution_date` is when it was over, often
years before the listed end: it files rows and enters no feature.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    FLAG,
    INSTANT,
    PRICE,
    TEXT,
    Column,
    File,
    Form,
    e6,
    payouts,
)

# The spacing of the values; of which hour of its date a value is, the source does not say.
FIDELITY_S = 86_400
# The resolution is a date without an hour, and could be challenged.
PUBLIC_AFTER = "interval 48 hours"

MARKETS = File(
    "markets",
    frozenset({"id", "outcome", "resolution_date", "n_due_dates"}),
    (
        Column("id", TEXT),
        Column("outcome", FLAG, nullable=True),
        Column("resolution_date", INSTANT),
        Column("question", TEXT, nullable=True),
        Column("market_info_open_datetime", TEXT, nullable=True),
        Column("market_info_close_datetime", INSTANT, nullable=True),
    ),
    key=("id",),
)
PRICES = File(
    "prices",
    frozenset({"id", "date", "market_value", "first_commit_time"}),
    (
        Column("id", TEXT),
        Column("date", INSTANT),
        Column("market_value", PRICE),
        Column("first_commit_time", INSTANT, nullable=True),
        Column("kind", TEXT),
    ),
    key=("id", "date", "kind"),
)

_CLOSED = "resolution_date::timestamptz"
_LISTED_END = "market_info_close_datetime::timestamptz"

FORM = Form(
    name="fb",
    holds="ForecastBench questions with daily values: fb_markets and fb_prices",
    files=(MARKETS, PRICES),
    markets=f"""
        select 'pm:' || id as market_id, {_CLOSED} as closed_at, {_LISTED_END} as effective_close,
            case when effective_close is null then 'none' else 'end_date' end as end_source, effective_close as scheduled_end,
            'polymarket' as venue, id as condition_id, question, ['Yes', 'No'] as outcomes, []::varchar[] as token_ids,
            false as neg_risk, []::varchar[] as tags, try_cast(market_info_open_datetime as timestamptz) as listed_at,
            null::varchar as left_out
        from markets
    """,
    prices=f"""
        select 'pm:' || id as market_id, date::timestamptz as priced_at, first_commit_time::timestamptz as known_at,
            {e6("market_value")} as price_e6, null::integer as bid_e6, null::integer as ask_e6, {FIDELITY_S} as fidelity_s,
            case when first_commit_time is null then 'nobody knows when it became public' end as left_out
        from prices
    """,
    ends=f"""
        select 'pm:' || id as market_id, case when outcome is null then 'open' else 'final' end as state,
            outcome::integer as label, case when outcome is not null then {payouts("outcome::integer = 1")} end as payouts_e6,
            {{'dataset': 'fb', 'field': 'outcome', 'value': outcome}} as evidence,
            case when outcome is null then 'the dataset has no result' else 'the resolution set says how it resolved' end as reason,
            case when outcome is not null then greatest({_CLOSED}, {_LISTED_END}) + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
