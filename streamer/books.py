"""Books in memory: where each market's canonical book stands, with its best bid and ask.

Prices are millionths of a dollar, sizes millionths of a share, instants microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable

from polymarket_assets.venue.records import E6
from streamer.entries import Listed

# (is a bid, price, size)
Level = tuple[bool, int, int]

# Best prices of an empty side: no bid is above every bid, no ask below every ask.
NO_BID, NO_ASK = -1, E6 + 1


class Book:
    """The canonical book of one market. `epoch` 0: no whole book has come since it was last interrupted."""

    __slots__ = (
        "asks", "best_ask", "best_bid", "bids", "check_due_us", "epoch", "hash", "heard_us", "last_e6", "market", "min_size_e6",
        "neg_risk", "number", "seeded_us", "tick_e6", "venue_us", "version",
    )  # fmt: skip

    def __init__(self, market: Listed, number: int) -> None:
        self.market = market
        # Its place among the markets of the rows that wait.
        self.number = number
        self.epoch = 0
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.best_bid, self.best_ask = NO_BID, NO_ASK
        # When anything of the market last came, and the venue's clock of its last change.
        self.heard_us = self.venue_us = 0
        # The venue's clock of a book that was asked for over REST: what is older is in it already.
        self.seeded_us = 0
        # The venue's hash of the book at `venue_us`; empty where the last frame gave none.
        self.hash = ""
        self.check_due_us = 0
        # Facts under the hash: the last trade in terms of the canonical token, the grid, the smallest order.
        self.last_e6: int | None = None
        self.tick_e6: int | None = None
        self.min_size_e6 = market.min_size_e6
        self.neg_risk = market.neg_risk
        self.version: str | None = None

    @property
    def is_crossed(self) -> bool:
        """Somebody bids what somebody asks: such orders would have met."""
        return self.best_bid >= self.best_ask

    @property
    def mid_e6(self) -> int | None:
        """Halfway between best bid and best ask; None where a side is empty."""
        if self.best_bid == NO_BID or self.best_ask == NO_ASK:
            return None
        return (self.best_bid + self.best_ask) // 2

    def whole(self, levels: Iterable[Level]) -> None:
        """Begin again with these levels."""
        self.bids = {price: size for is_bid, price, size in levels if is_bid and size}
        self.asks = {price: size for is_bid, price, size in levels if not is_bid and size}
        self.best_bid = max(self.bids, default=NO_BID)
        self.best_ask = min(self.asks, default=NO_ASK)

    def change(self, is_bid: bool, price: int, size: int) -> None:
        """Set a level to a size; 0 removes it."""
        if is_bid:
            if size:
                self.bids[price] = size
                if price > self.best_bid:
                    self.best_bid = price
            elif self.bids.pop(price, 0) and price == self.best_bid:
                self.best_bid = max(self.bids, default=NO_BID)
        elif size:
            self.asks[price] = size
            if price < self.best_ask:
                self.best_ask = price
        elif self.asks.pop(price, 0) and price == self.best_ask:
            self.best_ask = min(self.asks, default=NO_ASK)
