"""What the market socket pushes when a market is resolved, from the message that was recorded verbatim."""

from __future__ import annotations

import msgspec

from polymarket_assets.venue import ids
from polymarket_assets.venue.instants import milliseconds
from polymarket_assets.venue.parse.reading import Row, decoder, read, unreadable
from polymarket_assets.venue.records import ResolvedPush


class _Resolved(msgspec.Struct):
    market: str
    winning_asset_id: str | None = None
    winning_outcome: str | None = None
    timestamp: str | int | None = None


_RESOLVED = decoder(_Resolved)


def resolved_push(row: Row) -> ResolvedPush:
    """A `market_resolved` message; one that ends without a winner names none."""
    with unreadable("pushed resolution", row):
        wire = read(_RESOLVED, row)
        return ResolvedPush(
            condition_id=ids.condition_id(wire.market),
            winning_token_id=ids.token_id(wire.winning_asset_id) if wire.winning_asset_id else None,
            winning_outcome=wire.winning_outcome or None,
            venue_at=milliseconds(str(wire.timestamp)) if wire.timestamp else None,
        )
