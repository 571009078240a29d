"""Books over REST for the recorder: as frames, so that what was asked for is journalled and recorded like what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from polymarket_assets.venue.records import E6, Book, Level
from streamer.proofs import decimal
from streamer.recording import microseconds

if TYPE_CHECKING:
    from polymarket_assets.settings import Settings
    from polymarket_assets.venue.clob import Clob

# A question that hangs holds up all later ones; the next look is fifteen seconds away.
ATTEMPTS = 2


@dataclass(frozen=True)
class Levels:
    """Sizes by price of both sides, millionths, and when the book last changed by the venue's clock, microseconds."""

    venue_us: int
    bids: dict[int, int]
    asks: dict[int, int]


class Books:
    """The order-book service, opened by the first question: belongs to the thread that asks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clob: Clob | None = None

    def midpoints(self, token_ids: Sequence[str]) -> dict[str, int]:
        """Midpoints by token, millionths. Raises `PolymarketError`."""
        return self._service().midpoints(token_ids)

    def books(self, token_ids: Sequence[str]) -> tuple[Book, ...]:
        """Books of those tokens that have one. Raises `PolymarketError`."""
        return tuple(self._service().books(token_ids).books)

    def levels(self, token_ids: Sequence[str]) -> dict[str, Levels]:
        """Where the books of those tokens stand that say when they last changed. Raises `PolymarketError`."""
        return {
            book.token_id: Levels(microseconds(book.venue_at), _sizes(book.bids), _sizes(book.asks))
            for book in self.books(token_ids)
            if book.venue_at is not None
        }

    def account(self) -> dict[str, int | float | str]:
        """What was asked so far, and how the breaker stands; see `venue.http.Service.account`."""
        return {} if self._clob is None else self._clob.service.account()

    def _service(self) -> Clob:
        if self._clob is None:
            from polymarket_assets.tiers import RANK_AFTER_TIERS
            from polymarket_assets.venue import connect

            self._clob = connect(self._settings, rank=RANK_AFTER_TIERS).clob
            self._clob.service.attempts = ATTEMPTS
        return self._clob


def frame(book: Book, venue_us: int) -> bytes:
    """A whole book as a frame of the socket."""
    said = {
        "event_type": "book",
        "market": book.condition_id,
        "asset_id": book.token_id,
        "timestamp": str(venue_us // 1000),
        "hash": book.hash,
        "bids": [_level(level) for level in book.bids],
        "asks": [_level(level) for level in book.asks],
        "min_order_size": None if book.min_size_e6 is None else decimal(book.min_size_e6),
        "tick_size": None if book.tick_e6 is None else decimal(book.tick_e6),
        "neg_risk": book.neg_risk,
        "last_trade_price": None if book.last_trade_e6 is None else f"{book.last_trade_e6 / E6:.3f}",
        "version": book.version,
    }
    return msgspec.json.encode(said)


def _sizes(levels: Sequence[Level]) -> dict[int, int]:
    return {level.price_e6: level.size_e6 for level in levels if level.size_e6}


def _level(level: Level) -> dict[str, str]:
    return {"price": decimal(level.price_e6), "size": decimal(level.size_e6)}
