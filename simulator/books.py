"""Books in their wire forms, and the hash that proves them (PROTOCOL 5.1, 8.3, 8.6). Text is built by hand: every byte counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha1
from typing import Any

import msgspec

from simulator.ladder import ONE

MIN_SIZE = "5"
# Order of the keys under the hash; `version` follows on the newer generation only.
HASHED = ("market", "asset_id", "timestamp", "hash", "bids", "asks", "min_order_size", "tick_size", "neg_risk", "last_trade_price")  # fmt: skip


def price(thousandths: int) -> str:
    """`0.53`: no trailing zeros."""
    return _PRICES[thousandths]


_PRICES = tuple(f"{at / ONE:.3f}".rstrip("0").rstrip(".") for at in range(ONE + 1))


@lru_cache(maxsize=65_536)
def size(hundredths: int) -> str:
    """`918.34`, `270`: no trailing zeros."""
    whole, part = divmod(hundredths, 100)
    return f"{whole}.{part:02d}".rstrip("0") if part else str(whole)


def last(thousandths: int | None) -> str:
    """The last trade, always with three decimals; empty before the first."""
    return "" if thousandths is None else f"{thousandths / ONE:.3f}"


class Side:
    """One token's levels: bids ascending, asks descending, the best of each last."""

    def __init__(self, bids: Mapping[int, int], asks: Mapping[int, int], mirrored: bool) -> None:
        if mirrored:
            bids, asks = _mirror(asks), _mirror(bids)
        self.bids = [(price(at), size(bids[at])) for at in sorted(bids)]
        self.asks = [(price(at), size(asks[at])) for at in sorted(asks, reverse=True)]

    @property
    def best_bid(self) -> str:
        return self.bids[-1][0] if self.bids else "0"

    @property
    def best_ask(self) -> str:
        return self.asks[-1][0] if self.asks else "1"


def _mirror(levels: Mapping[int, int]) -> dict[int, int]:
    return {ONE - at: shares for at, shares in levels.items()}


def levels(side: Iterable[tuple[str, str]], gap: str = "") -> str:
    """Levels as JSON; `gap` is the blank that live frames put after commas."""
    return "[" + f",{gap}".join([f'{{"price":"{at}",{gap}"size":"{shares}"}}' for at, shares in side]) + "]"


def book_hash(book: Mapping[str, Any]) -> str:
    """SHA-1 of a book in the compact form that the venue hashes. `book` has the keys of a REST book, whatever its `hash` says."""
    hashed = {key: book[key] for key in HASHED} | {"hash": ""}
    if "version" in book:
        hashed["version"] = book["version"]
    return sha1(msgspec.json.encode(hashed)).hexdigest()


class Snapshot:
    """One token's book at one instant, in all wire forms."""

    def __init__(self, market: str, token: str, at_ms: int, side: Side, tick: int, neg_risk: bool, last_trade: str, version: str) -> None:  # fmt: skip
        self.side = side
        self.at_ms, self._market, self._token = at_ms, market, token
        self._head = self._head_at(at_ms)
        self._levels = f'","bids":{levels(side.bids)},"asks":{levels(side.asks)},'
        self._tick, self._last = price(tick), last_trade
        version_key = ',"version":"v2"' if version == "v2" else ""
        self._rest = f'"min_order_size":"{MIN_SIZE}","tick_size":"{self._tick}","neg_risk":{"true" if neg_risk else "false"},"last_trade_price":"{last_trade}"{version_key}}}'  # fmt: skip
        self._dump = f'"tick_size":"{self._tick}","event_type":"book","last_trade_price":"{last_trade}"{version_key}}}'  # fmt: skip
        self.hash = self.hash_at(at_ms)

    def _head_at(self, at_ms: int) -> str:
        return f'{{"market":"{self._market}","asset_id":"{self._token}","timestamp":"{at_ms}","hash":"'

    def hash_at(self, at_ms: int) -> str:
        """The hash of the same book with another timestamp."""
        return sha1((self._head_at(at_ms) + self._levels + self._rest).encode()).hexdigest()

    def rest(self) -> str:
        """The form of `/book` and `/books`."""
        return self._head + self.hash + self._levels + self._rest

    def dump(self) -> str:
        """The form of a subscription's first message; the array around it is the caller's."""
        return self._head + self.hash + self._levels + self._dump

    def live(self) -> str:
        """The form of the frame after a trade."""
        return (
            f'{{"market":"{self._market}", "asset_id":"{self._token}", "bids":{levels(self.side.bids, " ")}, "asks":{levels(self.side.asks, " ")}, '
            f'"hash":"{self.hash}", "timestamp":"{self.at_ms}", "event_type":"book"}}'
        )
