"""`trades`: single trades of the global venue from five sources, samples all of them; no outcomes, no ends.

When a market closed is not known: it is filed by the first midnight UTC after its last trade here, and has no effective
close. Where a source gives condition and number of the outcome, the market is the venue's; elsewhere it gets an id of this form, and
its outcomes are those that were traded, YES, UP and OVER first, others in alphabetical order. Transactions are salted hashes in the
file: they tell rows apart and are not kept.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    INDEX,
    INSTANT,
    PRICE,
    SIDE,
    SIZE,
    TEXT,
    Column,
    File,
    Form,
    e6,
)

# A market trades several times in a second, and some rows stand in the file several times.
TRADES = File(
    "trades",
    frozenset({"timestamp_utc", "outcome", "side", "usdc_value", "tx_hash"}),
    (
        Column("timestamp_utc", INSTANT),
        Column("condition_id", TEXT, nullable=True),
        Column("token_id", TEXT, nullable=True),
        Column("market_slug", TEXT, nullable=True),
        Column("event_slug", TEXT, nullable=True),
        Column("title", TEXT, nullable=True),
        Column("outcome", TEXT),
        Column("outcome_index", INDEX, nullable=True),
        Column("side", SIDE),
        Column("price", PRICE, nullable=True),
        Column("size", SIZE),
        Column("wallet_hash", TEXT, nullable=True),
        Column("tx_hash", TEXT, nullable=True),
    ),
    key=(),
)

_IS_VENUES = "condition_id is not null and outcome_index is not null"
_ID = f"""case when {_IS_VENUES} then 'pm:' || condition_id
    else 'trades:' || coalesce(condition_id, market_slug, title, event_slug) end"""
# Before all others, as the venue has them.
_FIRST = "case when lower(outcome) in ('yes', 'up', 'over') then 0 else 1 end"
_NAMED = f"""
    select *, {_ID} as market_id, timestamp_utc::timestamptz as traded_at,
        coalesce(outcome_index::integer, dense_rank() over (partition by {_ID} order by {_FIRST}, outcome) - 1) as index
    from trades
"""
_NONE = "price is null or size <= 0"
_SAME = "index, side, price, size, tx_hash, wallet_hash"

FORM = Form(
    name="trades",
    holds="single trades without outcomes: trades",
    files=(TRADES,),
    markets=f"""
        select market_id, (max(traded_at)::date + 1)::timestamptz as closed_at, 'none' as end_source, 'polymarket' as venue,
            any_value(condition_id) as condition_id, any_value(market_slug) as slug, any_value(title) as question,
            case when any_value(outcome_index) is null
                then list_transform(list_sort(list(distinct {{'rank': {_FIRST}, 'name': outcome}})), lambda o: o.name)
                else [coalesce(any_value(outcome) filter (where index = 0), '?'), coalesce(any_value(outcome) filter (where index = 1), '?')]
                end as outcomes,
            []::varchar[] as token_ids, any_value(event_slug) as event_id, any_value(event_slug) as event_slug, false as neg_risk,
            []::varchar[] as tags, null::varchar as left_out
        from ({_NAMED}) group by market_id
    """,
    trades=f"""
        select market_id, traded_at, (dense_rank() over (partition by market_id, traded_at, {_NONE} order by {_SAME}) - 1)::integer as n,
            index as outcome_index, lower(side) = 'buy' as is_buy, {e6("price")} as price_e6, round(size * 1e6)::bigint as size_e6,
            null::blob as tx_hash, true as truncated,
            case when price is null then 'it has no price' when size <= 0 then 'it is of no shares'
                when row_number() over (partition by market_id, traded_at, {_SAME}) > 1 then 'repeats another row' end as left_out
        from ({_NAMED})
    """,
)
