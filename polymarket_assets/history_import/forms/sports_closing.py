"""`sports_closing`: moneylines of the global venue, one price per market, as shown at the start of the game.

The final volume is in the file and is not read: it was not known before the game.
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
from polymarket_assets.venue.lifecycle import game_length

# The leagues of the source; a game of any other lasts as the venue's rule has it for sports it does not know.
LEAGUES = ("mlb", "cbb", "nba", "atp", "cfb", "nfl", "wta")
# From the expected end of the game until the result was public: overtime, delays and two hours of challenge.
PUBLIC_AFTER = "interval 24 hours"

MARKETS = File(
    "markets",
    frozenset({"condition_id", "p1_close", "winner"}),
    (
        Column("condition_id", TEXT),
        Column("event_id", TEXT),
        Column("category", TEXT),
        Column("sport", TEXT),
        Column("title", TEXT),
        Column("slug", TEXT),
        Column("market_created_date", INSTANT, nullable=True),
        Column("game_start_time", INSTANT),
        Column("outcome_1", TEXT),
        Column("outcome_2", TEXT),
        Column("token_id_1", TEXT),
        Column("token_id_2", TEXT),
        Column("p1_close", PRICE, nullable=True),
        Column("is_50_50_outcome", FLAG),
        Column("winner", TEXT, nullable=True),
    ),
    key=("condition_id",),
)

_STARTS_AT = "game_start_time::timestamptz"
# The same rule as for markets listed by the venue, so that a game ends when it does however it reached us.
_LASTS_S = f"""case sport {" ".join(f"when '{league}' then {game_length([league]).total_seconds():.0f}" for league in LEAGUES)}
    else {game_length([]).total_seconds():.0f} end"""
_ENDS_AT = f"({_STARTS_AT} + to_seconds({_LASTS_S}))"
_STATE = """case when is_50_50_outcome::boolean then 'split' when winner is null then 'open'
    when outcome_1 = outcome_2 or winner not in (outcome_1, outcome_2) then 'ambiguous' else 'final' end"""

FORM = Form(
    name="sports_closing",
    holds="sports moneylines with one price at game start: sports_closing",
    files=(MARKETS,),
    markets=f"""
        select 'pm:' || condition_id as market_id, {_ENDS_AT} as closed_at, {_ENDS_AT} as effective_close,
            'game' as end_source, 'polymarket' as venue, condition_id, slug, title as question,
            [outcome_1, outcome_2] as outcomes, [token_id_1, token_id_2] as token_ids, event_id, slug as event_slug,
            title as event_title, false as neg_risk, 'sports' as category, [category, sport] as tags,
            market_created_date::timestamptz as listed_at, {_STARTS_AT} as game_start_at,
            'moneyline' as sports_market_type, null::varchar as left_out
        from markets
    """,
    prices=f"""
        select 'pm:' || condition_id as market_id, {_STARTS_AT} as priced_at, {_STARTS_AT} as known_at,
            {e6("p1_close")} as price_e6, null::integer as bid_e6, null::integer as ask_e6, 0 as fidelity_s, null::varchar as left_out
        from markets where p1_close is not null
    """,
    ends=f"""
        select 'pm:' || condition_id as market_id, {_STATE} as state,
            case when state = 'final' then (winner = outcome_1)::integer end as label,
            case state when 'final' then {payouts("winner = outcome_1")}
                when 'split' then [500000, 500000]::bigint[] end as payouts_e6,
            {{'dataset': 'sports_closing', 'field': 'winner', 'value': winner, 'is_50_50_outcome': is_50_50_outcome::boolean}} as evidence,
            case state when 'final' then 'the dataset names the winner' when 'split' then 'the dataset marks it as 50/50'
                when 'open' then 'the dataset names no winner'
                else 'the winner''s name does not tell the outcomes apart' end as reason,
            case when state = 'final' then {_ENDS_AT} + {PUBLIC_AFTER} end as label_seen_at
        from markets
    """,
)
