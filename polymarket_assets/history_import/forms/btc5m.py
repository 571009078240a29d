"""`btc5m`: five-minute up-or-down markets of one day, with the outcome the venue gave and no prices.

Quotes, last trade and volume in the file are of after the end and are not read.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    FLAG,
    INSTANT,
    TEXT,
    UNIX_S,
    Column,
    File,
    Form,
    payouts,
)

# The venue closed these within half a minute of their end.
PUBLIC_AFTER = "interval 1 hour"

MARKETS = File(
    "markets",
    frozenset({"condition_id", "outcome_price_up", "outcome_price_down", "start_sec", "end_sec"}),
    (
        Column("slug", TEXT),
        Column("condition_id", TEXT),
        Column("start_sec", UNIX_S),
        Column("end_sec", UNIX_S),
        Column("resolved", FLAG),
        Column("token_id_up", TEXT),
        Column("token_id_down", TEXT),
        Column("outcome_price_up", TEXT),
        Column("outcome_price_down", TEXT),
        Column("gamma_id", TEXT, nullable=True),
        Column("gamma_question", TEXT, nullable=True),
        Column("gamma_closedTime", INSTANT, nullable=True),
    ),
    key=("condition_id",),
)

_ENDS_AT = "to_timestamp(end_sec)"
_CLOSED = f"coalesce(gamma_closedTime::timestamptz, {_ENDS_AT})"
_STATE = """case when not resolved::boolean then 'open'
    when (outcome_price_up, outcome_price_down) in (('1', '0'), ('0', '1')) then 'final' else 'ambiguous' end"""

FORM = Form(
    name="btc5m",
    holds="five-minute up-or-down markets with their outcome: btc5m_markets",
    files=(MARKETS,),
    # Neighbours share an instant of the price: a day of them is held together by the hour.
    markets=f"""
        select 'pm:' || condition_id as market_id, {_CLOSED} as closed_at, {_ENDS_AT} as effective_close, 'series' as end_source,
            {_ENDS_AT} as scheduled_end, 'polymarket' as venue, condition_id, gamma_id, slug, gamma_question as question,
            ['Up', 'Down'] as outcomes, [token_id_up, token_id_down] as token_ids,
            'btc5m:' || strftime(to_timestamp(start_sec), '%Y-%m-%dT%H') as event_id, false as neg_risk, 'crypto' as category,
            ['bitcoin'] as tags, to_timestamp(start_sec) as window_start_at, null::varchar as left_out
        from markets
    """,
    ends=f"""
        select 'pm:' || condition_id as market_id, {_STATE} as state,
            case when state = 'final' then (outcome_price_up = '1')::integer end as label,
            case when state = 'final' then {payouts("outcome_price_up = '1'")} end as payouts_e6,
            {{'dataset': 'btc5m', 'field': 'outcome_price_up', 'value': outcome_price_up, 'down': outcome_price_down}} as evidence,
            case state when 'final' then 'the outcome the venue gave' when 'open' then 'the dataset calls it unresolved'
                else 'the prices of the outcomes are not 1 and 0' end as reason,
            case when state = 'final' then greatest({_CLOSED}, {_ENDS_AT}) + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
