"""Live frames of the market socket, byte for byte in the venue's manner: blanks after commas, none after colons."""

from __future__ import annotations

from typing import Any

import msgspec

from simulator import books, stamps
from simulator.ladder import ONE, Change, Fill
from simulator.market import Market

SIDES = ("BUY", "SELL")


def price_change(market: Market, change: Change, at_ms: int, sides: tuple[books.Snapshot, books.Snapshot], lead: int) -> str:  # fmt: skip
    """One level of both mirrored books; `lead` is the token told first."""
    entries = [_entry(market, change, side, sides[side]) for side in (lead, 1 - lead)]
    return f'{{"market":"{market.condition_id}", "price_changes":[{", ".join(entries)}], "timestamp":"{at_ms}", "event_type":"price_change"}}'


def _entry(market: Market, change: Change, side: int, book: books.Snapshot) -> str:
    at = change.price if side == 0 else ONE - change.price
    buys = change.is_bid == (side == 0)
    return (
        f'{{"asset_id":"{market.tokens[side]}", "price":"{books.price(at)}", "size":"{books.size(change.size)}", "side":"{SIDES[0 if buys else 1]}", '
        f'"hash":"{book.hash}", "best_bid":"{book.side.best_bid}", "best_ask":"{book.side.best_ask}"}}'
    )


def best_bid_ask(market: Market, side: int, at_ms: int, book: books.Snapshot) -> str:
    """The top of one token's book; arrives before the changes that made it."""
    bid, ask = book.side.best_bid, book.side.best_ask
    spread = books.price(round((float(ask) - float(bid)) * ONE))
    return f'{{"market":"{market.condition_id}", "asset_id":"{market.tokens[side]}", "best_bid":"{bid}", "best_ask":"{ask}", "spread":"{spread}", "timestamp":"{at_ms}", "event_type":"best_bid_ask"}}'


def last_trade_price(market: Market, side: int, buys: bool, fill: Fill, at_ms: int, tx: str) -> str:
    """A trade as the taker made it; `fill` is in terms of the traded token."""
    return f'{{"market":"{market.condition_id}", "asset_id":"{market.tokens[side]}", "price":"{books.price(fill.price)}", "size":"{books.size(fill.size)}", "fee_rate_bps":"0", "side":"{SIDES[0 if buys else 1]}", "timestamp":"{at_ms}", "event_type":"last_trade_price", "transaction_hash":"{tx}"}}'


def tick_size_change(market: Market, side: int, old: int, new: int, at_ms: int) -> str:
    """The grid became finer; a whole book follows."""
    return f'{{"market":"{market.condition_id}", "asset_id":"{market.tokens[side]}", "old_tick_size":"{books.price(old)}", "new_tick_size":"{books.price(new)}", "timestamp":"{at_ms}", "event_type":"tick_size_change"}}'


def market_resolved(market: Market, at_ms: int) -> str:
    """How a market ended. Halves have no winner."""
    outcome = market.ending.outcome
    won = ("", "") if outcome is None else (market.tokens[outcome], market.outcomes[outcome])
    ids = ", ".join(f'"{token}"' for token in market.tokens)
    tags = ", ".join(f'"{label}"' for _, label, _ in market.event.topic.tags)
    return f'{{"id":"{market.id}", "market":"{market.condition_id}", "assets_ids":[{ids}], "winning_asset_id":"{won[0]}", "winning_outcome":"{won[1]}", "event_message":null, "timestamp":"{at_ms}", "event_type":"market_resolved", "tags":[{tags}]}}'


def new_market(market: Market, at_ms: int) -> str:
    """A market appears; compact, everything numeric a string, nothing of its generation."""
    event = market.event
    said: dict[str, Any] = {
        "id": market.id, "question": market.question, "market": market.condition_id, "slug": market.slug, "description": market.description,
        "assets_ids": market.tokens, "outcomes": market.outcomes,
        "event_message": {"id": event.id, "ticker": event.slug, "slug": event.slug, "title": event.title, "description": event.description},
        "timestamp": str(at_ms), "event_type": "new_market", "tags": [], "condition_id": market.condition_id, "active": True,
        "clob_token_ids": market.tokens, "sports_market_type": market.sports_type or "", "line": "" if market.line is None else f"{market.line:g}",
        "game_start_time": stamps.blank_form(event.starts_at) if market.sports_type and event.starts_at else "",
        "order_price_min_tick_size": books.price(market.tick), "group_item_title": market.group_title, "taker_base_fee": "1000", "fees_enabled": True,
        "fee_schedule": {"exponent": "1", "rate": f"{event.topic.fee_rate:g}", "taker_only": True, "rebate_rate": f"{event.topic.rebate:g}"},
    }  # fmt: skip
    return msgspec.json.encode(said).decode()
