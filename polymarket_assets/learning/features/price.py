"""Group price: what the quotes say now."""

from __future__ import annotations

from polymarket_assets.learning.features.declaring import Feature, Mirror

# The middle of a wider book is a guess between two orders, not a price: such a row has no mid.
WIDEST_BOOK = 0.10

# The finest grid of the venue, where the tick then in force is not known.
FINEST_TICK = 0.001

_HALF_TICK = f"(coalesce(tick_usd, {FINEST_TICK}) / 2)"


def mid(bid: str, ask: str, shown_price: str) -> str:
    """SQL: the middle of two quotes no farther apart than `WIDEST_BOOK`; the displayed price where there are none."""
    # Millionths forgive the rounding of a difference of two decimal prices.
    return f"""case when {bid} is not null and {ask} is not null then case when {ask} - {bid} between 0 and {WIDEST_BOOK} + 1e-6 then ({bid} + {ask}) / 2 end
        when {bid} is null and {ask} is null then {shown_price} end"""


def logit(price: str, half_tick: str = _HALF_TICK) -> str:
    """SQL: log-odds of a price kept half a tick from 0 and 1."""
    inside = f"greatest({half_tick}, least(1 - {half_tick}, {price}))"
    return f"case when {price} is not null then ln({inside} / (1 - {inside})) end"


FEATURES: tuple[Feature, ...] = (
    Feature(
        "mid", "(bid + ask) / 2, or the displayed price where a source has no quotes", "probability", "S", "now",
        "one-sided, crossed or wide book, never the last trade in its place", mid("bid", "ask", "shown_price"), idea="the forecast to beat", mirror=Mirror.COMPLEMENT,
    ),
    Feature(
        "logit_mid", "ln(m / (1 − m)), m the mid kept half a tick from 0 and 1 (tick not known: 0.001)", "logit", "S M", "now", "no mid",
        logit("mid"), idea="favourite-longshot bias [burgi]; also the base margin", mirror=Mirror.NEGATED,
    ),
    Feature("spread_c", "ask − bid", "cents", "S", "now", "one-sided; no quotes", "100 * (ask - bid)", idea="thin market"),
    Feature(
        "spread_logit", "logit(ask) − logit(bid)", "logit", "S M", "now", "one-sided; no quotes", f"{logit('ask')} - {logit('bid')}",
        idea="spread that compares across prices",
    ),
    Feature(
        "last_trade_dev_c", "last trade, as the book names it, − mid", "cents", "S", "last trade", "never traded; no mid; history",
        "100 * (last_trade - mid)", leak="stale: see `trade_age_s`", idea="direction of the latest aggression", mirror=Mirror.NEGATED,
    ),
    Feature("edge_ticks", "min(mid, 1 − mid) / tick", "ticks", "S M", "now", "no mid; tick not known", "least(mid, 1 - mid) / nullif(tick_usd, 0)", idea="discreteness near 0 and 1"),
    Feature(
        "hurdle_c", "half spread + fee rate × mid × (1 − mid)", "cents", "S M", "now", "no mid; no quotes; history",
        "100 * ((ask - bid) / 2 + taker_rate * mid * (1 - mid))", leak="fees as stored then, never today's", idea="mispricing survives below its cost",
    ),
)  # fmt: skip
