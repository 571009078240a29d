"""The venue's clients: what each asked for, what it is still to be told, and exactly what it was told."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from benchmarks.stream.books import Said

# One `send` takes at most this much: more would only be copied for nothing.
PIECE_BYTES = 1 << 20
# What is counted of what a connection was told.
COUNTS = ("messages", "changes", "books", "levels", "trades")


class Connection:
    """One client: what it asked for, what it is still to be told, and what it was told in all."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.inbox = b""
        self.upgraded = False
        self.tokens: set[str] = set()
        self.asked_twice = 0
        self.pending: deque[memoryview] = deque()
        self.writing = False
        self.told = dict.fromkeys(COUNTS, 0)
        self.first_levels = 0
        self.first_messages = 0

    def tell(self, payload: bytes) -> None:
        """Queue bytes; `flush` sends them."""
        self.pending.append(memoryview(payload))

    def flush(self) -> bool:
        """Send what is taken; whether all of it is out. Raises `OSError`: the client is gone."""
        while self.pending:
            piece = self.pending[0]
            try:
                sent = self.socket.send(piece[:PIECE_BYTES])
            except BlockingIOError:
                return False
            if sent == len(piece):
                self.pending.popleft()
            else:
                self.pending[0] = piece[sent:]
        return True


def sliced(
    said: Iterable[Said], listeners: Mapping[int, Sequence[Connection]], messages: int
) -> Iterator[list[tuple[Connection, bytes]]]:
    """What each connection is told at once, so many messages at a time; counted as it is laid out."""
    owed, count = 0, 0
    laid: dict[Connection, list[bytes]] = {}
    for one in said:
        for connection in listeners.get(one.market, ()):
            laid.setdefault(connection, []).append(one.payload)
            told = connection.told
            for name in COUNTS:
                told[name] += getattr(one, name)
        count += one.messages
        if count - owed >= messages:
            owed += messages
            yield [(connection, b"".join(payloads)) for connection, payloads in laid.items()]
            laid = {}
    if laid:
        yield [(connection, b"".join(payloads)) for connection, payloads in laid.items()]
