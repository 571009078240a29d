"""`mlb`: full-depth books of baseball markets of the global venue in the six hours before the first pitch.

One token of each market was recorded, the one that informed traders leaned to, and nothing says whether it is the market's
first. So the recorded token is the canonical one here, and the id is the token's: under the market's id, the label of the
venue's first outcome would be taken for the label of this one.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    ASKS,
    BIDS,
    FLAG,
    INSTANT,
    TEXT,
    Column,
    File,
    Form,
    e6,
    levels,
    payouts,
)
from polymarket_assets.venue.lifecycle import game_length

# From the expected end of the game until the result was public: suspended games end the day after.
PUBLIC_AFTER = "interval 24 hours"

MARKETS = File(
    "markets",
    frozenset({"condition_id", "token_id", "first_pitch", "is_winner"}),
    (
        Column("condition_id", TEXT),
        Column("token_id", TEXT),
        Column("market_type", TEXT),
        Column("first_pitch", INSTANT),
        Column("is_winner", FLAG, nullable=True),
        Column("slug", TEXT),
        Column("cohort", TEXT),
    ),
    key=("token_id",),
)
BOOKS = File(
    "books",
    frozenset({"token_id", "timestamp", "bids", "asks"}),
    (
        Column("token_id", TEXT),
        Column("timestamp", INSTANT),
        Column("bids", BIDS),
        Column("asks", ASKS),
    ),
    key=("token_id", "timestamp"),
)

_STARTS_AT = "first_pitch::timestamptz"
_ENDS_AT = f"({_STARTS_AT} + interval {game_length(['mlb']).total_seconds():.0f} seconds)"
# `mlb-bos-cin-2026-03-26` of `mlb-bos-cin-2026-03-26-total-8pt5`: every market of a game.
_GAME = r"regexp_extract(slug, '^.*?\d{4}-\d{2}-\d{2}')"

FORM = Form(
    name="mlb",
    holds="baseball markets with books of one token before the game: mlb_markets and mlb_books",
    files=(MARKETS, BOOKS),
    markets=f"""
        select 'mlb:' || token_id as market_id, {_ENDS_AT} as closed_at, {_ENDS_AT} as effective_close, 'game' as end_source,
            'polymarket' as venue, condition_id, slug, ['recorded token', 'other token'] as outcomes, [token_id] as token_ids,
            coalesce(nullif({_GAME}, ''), slug) as event_id, event_id as event_slug, event_id as game_id, false as neg_risk,
            'sports' as category, ['mlb', cohort] as tags, {_STARTS_AT} as game_start_at, market_type as sports_market_type,
            null::varchar as left_out
        from markets
    """,
    books=f"""
        select 'mlb:' || token_id as market_id, timestamp::timestamptz as booked_at, booked_at as known_at,
            {levels("bids")} as bids, {levels("asks")} as asks, {e6("bids[1].price::double")} as bid_e6, {e6("asks[1].price::double")} as ask_e6,
            len(bids) + len(asks) as levels, null::varchar as left_out
        from books
    """,
    ends=f"""
        select 'mlb:' || token_id as market_id, case when is_winner is null then 'open' else 'final' end as state,
            is_winner::integer as label, case when is_winner is not null then {payouts("is_winner::boolean")} end as payouts_e6,
            {{'dataset': 'mlb', 'field': 'is_winner', 'value': is_winner, 'token_id': token_id}} as evidence,
            case when is_winner is null then 'the dataset has no result' else 'the dataset says whether the recorded token won' end as reason,
            case when is_winner is not null then {_ENDS_AT} + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
