"""The pages of `console.markets`."""

from __future__ import annotations

from console.markets import event_parts, lists, market_parts
from console.parts import Page

PAGES: tuple[Page, ...] = (
    Page("market", "Market", market_parts.PARTS, of="market", controls="market_controls.html", lists=lists.MARKETS),
    Page("event", "Event", event_parts.PARTS, of="event", controls="market_controls.html", lists=lists.EVENTS),
)  # fmt: skip
