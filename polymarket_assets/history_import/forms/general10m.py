"""`general10m`: mixed markets of the global venue that resolved within eight hours of one day, prices every ten minutes.

The source has no listed ends. What was known beforehand is the day that a slug names; a slug without one has no effective close, and
its market no features. When trading stopped files rows and nothing else: outcomes were often known a day before.
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

CLOCK = "America/New_York"
FIDELITY_S = 600
PUBLIC_AFTER = "interval 24 hours"

MARKETS = File(
    "markets",
    frozenset({"market_slug", "outcome", "label_ts"}),
    (
        Column("market_slug", TEXT),
        Column("question", TEXT),
        Column("outcome", FLAG, nullable=True),
        Column("label_ts", INSTANT),
        Column("first_ts", INSTANT),
    ),
    key=("market_slug",),
)
# Some rows stand there twice.
PRICES = File(
    "prices",
    frozenset({"market_slug", "timestamp", "price"}),
    (Column("market_slug", TEXT), Column("timestamp", INSTANT), Column("price", PRICE)),
    key=(),
)

_CLOSED = "label_ts::timestamptz"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
# The last day that a slug names: `…-2026-02-02-draw`, or `…-by-january-31-867` in the year in which its prices begin.
_NAMED = rf"regexp_extract(market_slug, '.*-({_MONTHS})-(\d{{1,2}})(?:-(20\d\d))?(?:-.*)?$', ['month', 'day', 'year'])"
_DAY = r"""coalesce(try_strptime(nullif(regexp_extract(market_slug, '\d{4}-\d{2}-\d{2}'), ''), '%Y-%m-%d'),
    try_strptime(named.month || ' ' || named.day || ' ' || coalesce(nullif(named.year, ''), year(first_ts::timestamptz)::varchar), '%B %-d %Y'))"""
_SCHEDULED = f"(({_DAY} + interval 1 day)::timestamp at time zone '{CLOCK}')"
# Markets of one event depend on each other: the game, the city's day, the election that a slug names.
_EVENT = r"""coalesce(nullif(regexp_extract(market_slug, '^.*?\d{4}-\d{2}-\d{2}'), ''),
    nullif(regexp_extract(market_slug, '^highest-temperature-in-.*-on-[a-z]+-\d+'), ''),
    nullif(regexp_extract(market_slug, '\d{4}-[a-z-]+-election'), ''), market_slug)"""

FORM = Form(
    name="general10m",
    holds="mixed markets of one day with ten-minute prices: general10m_markets and general10m_prices",
    files=(MARKETS, PRICES),
    markets=f"""
        select 'general10m:' || market_slug as market_id, {_CLOSED} as closed_at, {_SCHEDULED} as effective_close,
            case when effective_close is null then 'none' else 'slug_date' end as end_source, effective_close as scheduled_end,
            'polymarket' as venue, market_slug as slug, question, ['Yes', 'No'] as outcomes, []::varchar[] as token_ids,
            {_EVENT} as event_id, false as neg_risk, []::varchar[] as tags, null::varchar as left_out
        from (select *, {_NAMED} as named from markets)
    """,
    prices=f"""
        select 'general10m:' || market_slug as market_id, timestamp::timestamptz as priced_at, priced_at as known_at,
            {e6("price")} as price_e6, null::integer as bid_e6, null::integer as ask_e6, {FIDELITY_S} as fidelity_s,
            case when row_number() over (partition by market_slug, timestamp order by price) > 1 then 'repeats an instant' end as left_out
        from prices
    """,
    ends=f"""
        select 'general10m:' || market_slug as market_id, case when outcome is null then 'open' else 'final' end as state,
            outcome::integer as label, case when outcome is not null then {payouts("outcome::integer = 1")} end as payouts_e6,
            {{'dataset': 'general10m', 'field': 'outcome', 'value': outcome}} as evidence,
            case when outcome is null then 'the dataset has no result' else 'the dataset says how it resolved' end as reason,
            case when outcome is not null then greatest({_CLOSED}, {_SCHEDULED}) + {PUBLIC_AFTER} end as label_seen_at
        from (select *, {_NAMED} as named from markets)
    """,
)
