"""REST rows to records: the only readers of the venue's JSON beside `venue.frames`.

A row is what decoding left of it (a dict) or its text. Every function raises `MalformedPayload`, and nothing
else, for what it cannot read; unknown keys are ignored. What can reveal how a market ended goes into
`MarketEnd` alone.
"""

from __future__ import annotations

from polymarket_assets.venue.parse.clob import book, clob_market, midpoints
from polymarket_assets.venue.parse.data import price_point, price_points, resolution_row, trade
from polymarket_assets.venue.parse.gamma import listing, market, market_end
from polymarket_assets.venue.parse.pushed import resolved_push

__all__ = [
    "book",
    "clob_market",
    "listing",
    "market",
    "market_end",
    "midpoints",
    "price_point",
    "price_points",
    "resolution_row",
    "resolved_push",
    "trade",
]
