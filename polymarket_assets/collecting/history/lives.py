"""Of which part of a market's life prices are fetched, and how many points of it the venue still has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from polymarket_assets.lake.spans import Span

# Prices are fetched for as long before the close as live markets are followed; the venue answers 15 days at once.
PRICES_FOR = timedelta(days=14)
# Points closer together are forgotten when they are older, says the venue's documentation of its price history.
KEPT_FOR: tuple[tuple[int, timedelta], ...] = (
    (60, timedelta(days=7)),
    (300, timedelta(days=60)),
    (1_800, timedelta(days=90)),
    (10_800, timedelta.max),
)


def life(market: Mapping[str, Any]) -> Span | None:
    """From when to when prices of a row of `history_markets` are features: up to its effective close or its close, the earlier."""
    end = min(market["effective_close"] or market["closed_at"], market["closed_at"])
    start = max(end - PRICES_FOR, market["listed_at"] or end - PRICES_FOR)
    return Span(start, end) if start < end else None


def points(of: Span, now: datetime) -> int:
    """How many points of a life the venue has at the most, asked as finely as can be."""
    count, newest = 0, timedelta(0)
    for spacing_s, kept in KEPT_FOR:
        # The part of the life that is older than what is kept more finely, and no older than this.
        part = min(now - of.start, kept) - max(now - of.end, newest)
        count += ceil(max(part, timedelta(0)) / timedelta(seconds=spacing_s))
        newest = kept
    return count
