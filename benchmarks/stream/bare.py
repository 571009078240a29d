"""`python -m benchmarks.stream.bare`: receive and decode, nothing else, with the streamer's reader of frames or its library's.

What is left of a recorder when it keeps nothing: the yardstick that the streamer is measured in. Decoding is typed,
into structs that hold what the venue's frames hold. The library's reader (`--reader library`) is `websocket-client`
without its UTF-8 validation, one message for each time that the selector says there is something.
"""

from __future__ import annotations

import argparse
import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import websocket

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


Turn = Callable[[Iterable[Any]], int]


def ours() -> Turn:
    """Take and decode what lies in sockets that are ready, by the streamer's reader; gives how many messages came."""
    unfinished: set[Any] = set()

    def turn(ready: Iterable[Any]) -> int:
        count, now = 0, {*ready, *unfinished}
        unfinished.clear()
        for one in now:
            read = one.read(lambda: time.time_ns() // 1000)
            if read.unfinished:
                unfinished.add(one)
            for _, message in read.messages:
                decode(message)
            count += len(read.messages)
        return count

    return turn


def the_librarys() -> Turn:
    """The same by the library's reader, which waits for the rest of a frame."""

    def turn(ready: Iterable[Any]) -> int:
        count = 0
        for one in ready:
            opcode, message = one.recv_data()
            if opcode == websocket.ABNF.OPCODE_TEXT and message != b"PONG":
                decode(message)
                count += 1
        return count

    return turn


def plainly_opened(url: str, wanted: list[list[str]]) -> list[Any]:
    """The library's sockets, subscribed as the streamer subscribes."""
    from streamer.sockets import subscription

    found = []
    for ids in wanted:
        one: Any = websocket.create_connection(url, skip_utf8_validation=True, enable_multithread=False)
        for message in subscription(ids):
            one.send(message)
        found.append(one)
    return found


READERS: dict[str, tuple[Callable[[str, list[list[str]]], list[Any]], Callable[[], Turn]]] = {
    "ours": (opened, ours),
    "library": (plainly_opened, the_librarys),
}


def main() -> None:
    """Listen until SIGTERM; says how many messages came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("markets", type=int)
    parser.add_argument("sockets", type=int)
    parser.add_argument("--reader", choices=READERS, default="ours")
    given = parser.parse_args()
    opens, begun = READERS[given.reader]
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(1))
    selector = selectors.DefaultSelector()
    for one in opens(given.url, subscriptions(given.markets, given.sockets)):
        selector.register(one, selectors.EVENT_READ)
    print("ready", flush=True)
    count, turn = 0, begun()
    while not over:
        # Not for long: the streamer's reader may have left something that no selector tells of.
        count += turn(key.fileobj for key, _ in selector.select(0.05))
    print(count, flush=True)


if __name__ == "__main__":
    main()
