"""`crypto15m_ticks`: every change of the best quotes of eight up-or-down markets, to the millisecond; no outcomes, no ids.

The source calls the windows fifteen minutes long. In all eight the price stands at a cent before five are over, and nothing comes
after: more likely they lasted five. Which, nobody can tell from the file, so none has an effective close, and no features are made of it.
"""

from __future__ import annotations

from polymarket_assets.history_import.forms.declare import (
    INSTANT,
    PRICE,
    TEXT,
    Column,
    File,
    Form,
    Kind,
    e6,
    middle,
)

# As the source has it; it files rows and bounds them.
WINDOW = "interval 15 minutes"

_MILLISECONDS = Kind(
    "milliseconds since the window began", frozenset({"BIGINT", "INTEGER"}), "not ({c} between 0 and 900000)", "lie outside the window"
)  # fmt: skip
TICKS = File(
    "ticks",
    frozenset({"ms_since_candle_start", "window_start_utc", "up_bid", "up_ask"}),
    (
        Column("ms_since_candle_start", _MILLISECONDS),
        Column("asset", TEXT),
        Column("up_bid", PRICE, nullable=True),
        Column("up_ask", PRICE, nullable=True),
        Column("window_start_utc", INSTANT),
    ),
    key=("asset", "window_start_utc", "ms_since_candle_start"),
)

_BEGAN = "window_start_utc::timestamptz"
_ID = f"'crypto15m_ticks:' || lower(asset) || '-' || epoch({_BEGAN})::bigint"

FORM = Form(
    name="crypto15m_ticks",
    holds="ticks of up-or-down markets of four coins: crypto15m_ticks",
    files=(TICKS,),
    markets=f"""
        select distinct {_ID} as market_id, {_BEGAN} + {WINDOW} as closed_at, 'none' as end_source, 'polymarket' as venue,
            asset || ' up or down, ' || strftime({_BEGAN}, '%Y-%m-%d %H:%M') || ' UTC' as question, ['Up', 'Down'] as outcomes,
            []::varchar[] as token_ids, 'crypto15m_ticks:' || epoch({_BEGAN})::bigint as event_id, false as neg_risk,
            'crypto' as category, [lower(asset)] as tags, {_BEGAN} as window_start_at, null::varchar as left_out
        from ticks
    """,
    prices=f"""
        select {_ID} as market_id, {_BEGAN} + to_milliseconds(ms_since_candle_start) as priced_at, priced_at as known_at,
            {middle("up_bid", "up_ask")} as price_e6, {e6("up_bid")} as bid_e6, {e6("up_ask")} as ask_e6, 0 as fidelity_s,
            null::varchar as left_out
        from ticks
    """,
)
