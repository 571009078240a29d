"""`python -m benchmarks.stream.bare`: receive and decode, nothing else, with the streamer's own reader of frames.

What is left of a recorder when it keeps nothing: the yardstick that the streamer is measured in. Decoding is typed,
into structs that hold what the venue's frames hold.
"""

from __future__ import annotations

import argparse
import selectors
import signal
import sys
import time
from typing import Any

import msgspec

from benchmarks.stream.books import tokens


class _Wire(msgspec.Struct, tag_field="event_type"):
    market: str
    timestamp: str


class _Level(msgspec.Struct):
    price: str
    size: str


class _Book(_Wire, tag="book"):
    asset_id: str
    hash: str
    bids: list[_Level]
    asks: list[_Level]


class _Change(msgspec.Struct):
    asset_id: str
    price: str
    size: str
    side: str
    hash: str
    best_bid: str
    best_ask: str


class _PriceChange(_Wire, tag="price_change"):
    price_changes: list[_Change]


class _Trade(_Wire, tag="last_trade_price"):
    asset_id: str
    price: str
    size: str
    side: str
    transaction_hash: str


class _Best(_Wire, tag="best_bid_ask"):
    asset_id: str
    best_bid: str
    best_ask: str


_Frame = _Book | _PriceChange | _Trade | _Best
ONE = msgspec.json.Decoder(_Frame)
MANY = msgspec.json.Decoder(list[_Frame])


def decode(message: bytes) -> Any:
    """One message of the venue, typed."""
    return MANY.decode(message) if message[:1] == b"[" else ONE.decode(message)


def subscriptions(markets: int, sockets: int) -> list[list[str]]:
    """The tokens of each socket: markets dealt out in turn, both tokens of one together."""
    return [[token for n in range(first, markets, sockets) for token in tokens(n)] for first in range(sockets)]  # fmt: skip


def opened(url: str, wanted: list[list[str]]) -> list[Any]:
    """The streamer's own sockets. Exits with a sentence where its interface is another one than this was written for."""
    try:
        from streamer.sockets import MarketSocket, connect

        _ = MarketSocket.read
    except (ImportError, AttributeError) as e:
        sys.exit(
            f"benchmarks/stream/bare.py reads with streamer.sockets.connect and MarketSocket.read, which are not there: {e}"
        )
    return [connect(url, ids) for ids in wanted]


def main() -> None:
    """Listen until SIGTERM; says how many messages came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("markets", type=int)
    parser.add_argument("sockets", type=int)
    given = parser.parse_args()
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    selector = selectors.DefaultSelector()
    for one in opened(given.url, subscriptions(given.markets, given.sockets)):
        selector.register(one, selectors.EVENT_READ)
    print("ready", flush=True)
    count = 0
    unfinished: set[Any] = set()
    while not over:
        ready: set[Any] = {key.fileobj for key, _ in selector.select(0 if unfinished else 0.25)} | unfinished
        unfinished = set()
        for one in ready:
            read = one.read(lambda: time.time_ns() // 1000)
            if read.unfinished:
                unfinished.add(one)
            for _, message in read.messages:
                decode(message)
            count += len(read.messages)
    print(count, flush=True)


if __name__ == "__main__":
    main()
