"""`us`: markets and top-of-book quotes of Polymarket US, a venue of its own; rows are changes only.

The source calls its clock UTC. It is New York's: the June CPI of 2026-07-14 08:30 ET moves the quotes stamped 08:30–08:32,
and a match announced for 15:00 ET is traded in play from 15:00 to 16:55. Instants are converted; the day in a slug
ends at New York's midnight.
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
# From the later of delisting and scheduled end until the venue's settlement was public: games suspended overnight.
PUBLIC_AFTER = "interval 24 hours"

MARKETS = File(
    "markets",
    frozenset({"slug", "y", "first_ts", "last_ts"}),
    (
        Column("slug", TEXT),
        Column("question", TEXT, nullable=True),
        Column("category", TEXT, nullable=True),
        Column("first_ts", INSTANT),
        Column("last_ts", INSTANT),
        Column("y", FLAG, nullable=True),
        Column("label_source", TEXT, nullable=True),
        Column("event_key", TEXT),
        Column("truncated_by_outage", FLAG),
        Column("still_listed_at_end", FLAG),
    ),
    key=("slug",),
)
QUOTES = File(
    "quotes",
    frozenset({"slug", "ts", "bid", "ask"}),
    (
        Column("slug", TEXT),
        Column("ts", INSTANT),
        Column("bid", PRICE, nullable=True),
        Column("ask", PRICE, nullable=True),
    ),
    key=("slug", "ts"),
)


def _instant(wall: str) -> str:
    return f"(({wall})::timestamp at time zone '{CLOCK}')"


# The day the slug names, in either order it is written in.
_DAY = r"""coalesce(try_strptime(nullif(regexp_extract(slug, '\d{4}-\d{2}-\d{2}'), ''), '%Y-%m-%d'),
    try_strptime(nullif(regexp_extract(slug, '\d{2}-\d{2}-\d{4}'), ''), '%m-%d-%Y'))"""
_SCHEDULED = _instant(f"{_DAY} + interval 1 day")
_CLOSED = _instant("last_ts")
# A head-to-head contract is bought long or short; it asks no question.
_OUTCOMES = "case when slug like 'aec-%' or slug like 'aadc-%' then ['Long', 'Short'] else ['Yes', 'No'] end"
_STATE = "case when y is null then 'open' when label_source = 'api' then 'final' else 'ambiguous' end"

FORM = Form(
    name="us",
    holds="Polymarket US markets and quotes: us_markets and us_quotes",
    files=(MARKETS, QUOTES),
    # A market already there in the first poll was listed at a time nobody knows.
    markets=f"""
        select 'us:' || slug as market_id, {_CLOSED} as closed_at, {_SCHEDULED} as effective_close,
            case when effective_close is null then 'none' else 'slug_date' end as end_source,
            effective_close as scheduled_end, 'polymarket_us' as venue, slug, question, {_OUTCOMES} as outcomes,
            []::varchar[] as token_ids, event_key as event_id, event_key as event_slug, false as neg_risk, category,
            []::varchar[] as tags,
            case when first_ts > (select min(first_ts) from markets) then {_instant("first_ts")} end as listed_at,
            case when still_listed_at_end::boolean then 'still listed when the recording ended' end as left_out,
            case when truncated_by_outage::boolean then 'its market was cut off by the collector''s outage' end as series_left_out
        from markets
    """,
    prices=f"""
        select 'us:' || slug as market_id, {_instant("ts")} as priced_at, priced_at as known_at,
            {middle("bid", "ask")} as price_e6, {e6("bid")} as bid_e6, {e6("ask")} as ask_e6,
            0 as fidelity_s, null::varchar as left_out
        from quotes
    """,
    ends=f"""
        select 'us:' || slug as market_id, {_STATE} as state, case when state = 'final' then y::integer end as label,
            case when state = 'final' then {payouts("y::boolean")} end as payouts_e6,
            {{'dataset': 'us', 'field': 'y', 'value': y::integer, 'label_source': label_source}} as evidence,
            case state when 'final' then 'settlement as the venue gave it' when 'open' then 'the dataset has no label'
                else 'the label was inferred from the last prices' end as reason,
            case when state = 'final' then greatest({_CLOSED}, {_SCHEDULED}) + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
