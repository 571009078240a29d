"""`crypto_hourly`: up-or-down markets of four coins over an hour, best quotes once a minute.

The hour stands in the name, in New York time without a year. Where a side of the book was empty the recorder wrote both quotes as 0 or
both as 1, where nobody can rest an order: such a row has no quotes. Spot price and order flow are in the file and are not read: there is
no table for them.
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
    middle,
    payouts,
)

CLOCK = "America/New_York"
FIDELITY_S = 60
# The exchange's candle is public at once; the venue settles within the hour.
PUBLIC_AFTER = "interval 24 hours"

MARKETS = File(
    "markets",
    frozenset({"market_name", "token_id", "outcome_up", "first_ts"}),
    (
        Column("market_name", TEXT),
        Column("asset", TEXT),
        Column("token_id", TEXT),
        Column("first_ts", INSTANT),
        Column("outcome_up", FLAG, nullable=True),
    ),
    key=("token_id",),
)
QUOTES = File(
    "quotes",
    frozenset({"token_id", "timestamp", "best_bid", "best_ask", "spot_usdt"}),
    (
        Column("token_id", TEXT),
        Column("timestamp", INSTANT),
        Column("best_bid", PRICE, nullable=True),
        Column("best_ask", PRICE, nullable=True),
    ),
    key=("token_id", "timestamp"),
)

_HOUR = "year(first_ts::timestamptz) || ' ' || regexp_extract(market_name, '- (.*) ET$', 1)"
_STARTS_AT = f"(try_strptime({_HOUR}, '%Y %B %d, %-I%p') at time zone '{CLOCK}')"
_ENDS_AT = f"({_STARTS_AT} + interval 1 hour)"


def _resting(quote: str) -> str:
    return f"case when best_bid = best_ask and best_bid in (0, 1) then null else {quote} end"


FORM = Form(
    name="crypto_hourly",
    holds="hourly up-or-down markets with quotes: crypto_hourly_markets and crypto_hourly_quotes",
    files=(MARKETS, QUOTES),
    # Of one hour the coins move together: they are one event.
    markets=f"""
        select 'crypto_hourly:' || token_id as market_id, coalesce({_ENDS_AT}, first_ts::timestamptz) as closed_at,
            {_ENDS_AT} as effective_close, 'series' as end_source, {_ENDS_AT} as scheduled_end, 'polymarket' as venue,
            market_name as question, ['Up', 'Down'] as outcomes, [token_id] as token_ids,
            'crypto_hourly:' || strftime({_STARTS_AT}, '%Y-%m-%dT%H') as event_id, lower(asset) || '-up-or-down-hourly' as series_slug,
            false as neg_risk, 'crypto' as category, [lower(asset)] as tags, {_STARTS_AT} as window_start_at,
            case when effective_close is null then 'its name says no hour' end as left_out
        from markets
    """,
    prices=f"""
        select 'crypto_hourly:' || token_id as market_id, timestamp::timestamptz as priced_at, priced_at as known_at,
            {middle("best_bid", "best_ask")} as price_e6, {e6("best_bid")} as bid_e6, {e6("best_ask")} as ask_e6,
            {FIDELITY_S} as fidelity_s, null::varchar as left_out
        from (select * replace ({_resting("best_bid")} as best_bid, {_resting("best_ask")} as best_ask) from quotes)
    """,
    ends=f"""
        select 'crypto_hourly:' || token_id as market_id, case when outcome_up is null then 'open' else 'final' end as state,
            outcome_up::integer as label, case when outcome_up is not null then {payouts("outcome_up::integer = 1")} end as payouts_e6,
            {{'dataset': 'crypto_hourly', 'field': 'outcome_up', 'value': outcome_up}} as evidence,
            case when outcome_up is null then 'the dataset has no result' else 'the dataset says whether it went up' end as reason,
            case when outcome_up is not null then {_ENDS_AT} + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
