"""Group P of the catalogue: what the price says. One SQL expression per feature, over a row of evidence.

Evidence of a row: `bid ask shown_price microprice last_trade` in dollars, `tick_usd`, `taker_rate`; null where unknown.
"""

from __future__ import annotations

# The middle of a wider book is a guess between two orders, not a price: such a row has no mid.
WIDEST_BOOK = 0.10

# The finest grid of the venue, where the tick then in force is not known.
FINEST_TICK = 0.001

_HALF_TICK = f"(coalesce(tick_usd, {FINEST_TICK}) / 2)"
_QUOTED = "(bid is not null and ask is not null)"
# Millionths forgive the rounding of a difference of two decimal prices.
_MID = f"""case when {_QUOTED} then case when ask - bid between 0 and {WIDEST_BOOK} + 1e-6 then (bid + ask) / 2 end
    when bid is null and ask is null then shown_price end"""


def _logit(price: str) -> str:
    inside = f"greatest({_HALF_TICK}, least(1 - {_HALF_TICK}, {price}))"
    return f"case when {price} is not null then ln({inside} / (1 - {inside})) end"


MID: dict[str, str] = {"mid": _MID}

FEATURES: dict[str, str] = {
    "logit_mid": _logit("mid"),
    "spread_c": "100 * (ask - bid)",
    "spread_logit": f"{_logit('ask')} - {_logit('bid')}",
    "micro_dev_c": "100 * (microprice - mid)",
    "last_trade_dev_c": "100 * (last_trade - mid)",
    "edge_ticks": "least(mid, 1 - mid) / tick_usd",
    "hurdle_c": "100 * ((ask - bid) / 2 + taker_rate * mid * (1 - mid))",
}
