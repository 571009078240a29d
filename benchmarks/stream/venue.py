"""`python -m benchmarks.stream.venue`: a market socket that says what it made beforehand, and counts what it said.

It is a yardstick, so it must cost little: one selector, frames made before anybody listens, bytes handed to
the operating system as they are. It speaks as much of the protocol as a recorder needs: the upgrade, the first
subscription, subscribe operations, first books, text PING. It never sends more than is taken: what a socket
does not take waits, and nothing is ever dropped.

Commands are lines of JSON on standard input, answers lines of JSON on standard output:

    {"do": "status"}                                     who is connected and subscribed
    {"do": "go", "messages": 400000, "rate": 10000}      speak; without `rate` as fast as it is taken
    {"do": "hum", "every_s": 5}                          until then, say a book now and then: a silent venue is left
    {"do": "forget"}                                     a new run: counts and first books as at the beginning
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import selectors
import socket
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from benchmarks.stream import books, wire
from benchmarks.stream.clients import COUNTS, Connection, sliced
from benchmarks.stream.traffic import Traffic, traffic, until

# With a rate, what is due is sent this often: a hundredth of a second is what the venue's own batches span.
SLICE_S = 0.01


class Venue:
    """Everything in one thread and one selector."""

    def __init__(self, made: Traffic) -> None:
        self._made = made
        self._market_of = {token: n for n in range(len(made.reopened)) for token in books.tokens(n)}
        # Levels of the canonical book: the second token's are its mirror.
        self._levels = {token: 0 if n else said.levels for said in made.reopened for n, token in enumerate(books.tokens(said.market))}  # fmt: skip
        self._connections: list[Connection] = []
        self._lost = 0
        self._questions = 0
        self._slices: Iterator[list[tuple[Connection, bytes]]] = iter(())
        self._running = False
        self._rate: float | None = None
        self._hum_s: float | None = None
        self._hum_at = 0.0
        self._next_at = 0.0
        self._began_at = 0.0
        self._late_s = 0.0
        self._selector = selectors.DefaultSelector()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ, None)
        self._commands = b""
        os.set_blocking(0, False)
        self._selector.register(0, selectors.EVENT_READ, None)

    def serve(self) -> None:
        """Until standard input ends."""
        _say(event="listening", port=self._listening.getsockname()[1])
        while True:
            wait = max(0.0, self._next_at - time.monotonic()) if self._running and self._rate else self._hum_s
            for key, events in self._selector.select(wait):
                if key.fileobj is self._listening:
                    self._accept()
                elif key.fileobj == 0:
                    if not self._commanded():
                        return
                else:
                    self._attend(key.data, events)
            if self._running:
                self._speak()
            elif self._hum_s is not None and time.monotonic() >= self._hum_at:
                self._hum(self._hum_s)

    def _hum(self, every_s: float) -> None:
        """Tell everybody a book of theirs as it stands; not counted, since nothing is while nobody speaks."""
        self._hum_at = time.monotonic() + every_s
        for connection in list(self._connections):
            for token in islice(connection.tokens, 1):
                self._told(connection, self._made.reopened[self._market_of[token]].payload)

    def _accept(self) -> None:
        connected, _ = self._listening.accept()
        connected.setblocking(False)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(connected)
        self._connections.append(connection)
        self._selector.register(connected, selectors.EVENT_READ, connection)

    def _attend(self, connection: Connection, events: int) -> None:
        try:
            if events & selectors.EVENT_READ:
                self._hear(connection)
            if connection.socket.fileno() >= 0:
                self._flush(connection)
        except OSError:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._connections.remove(connection)
        self._lost += self._running

    def _flush(self, connection: Connection) -> None:
        writing = not connection.flush()
        if writing != connection.writing:
            connection.writing = writing
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            self._selector.modify(connection.socket, wanted, connection)

    def _hear(self, connection: Connection) -> None:
        heard = connection.socket.recv(1 << 16)
        connection.inbox += heard
        if not heard:
            self._drop(connection)
            return
        if not connection.upgraded:
            self._upgrade(connection)
        while connection.upgraded and (found := wire.unframed(connection.inbox)) is not None:
            opcode, text, connection.inbox = found
            if opcode == wire.CLOSE:
                self._drop(connection)
                return
            if opcode == wire.TEXT:
                self._asked(connection, text)

    def _upgrade(self, connection: Connection) -> None:
        head, end, rest = connection.inbox.partition(b"\r\n\r\n")
        if not end:
            return
        key = wire.asked(head).get(b"sec-websocket-key")
        if key is None:
            # A question over HTTP: there is nothing but the socket here.
            self._questions += 1
            connection.tell(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            connection.inbox = b""
            return
        connection.tell(wire.switching(key))
        connection.inbox, connection.upgraded = rest, True

    def _asked(self, connection: Connection, text: bytes) -> None:
        if text == b"PING":
            connection.tell(wire.frame("PONG"))
            return
        asked = json.loads(text)
        ids = [token for token in asked.get("assets_ids", ()) if token in self._market_of]
        if asked.get("operation") == "unsubscribe":
            connection.tokens.difference_update(ids)
        elif ids:
            connection.asked_twice += self._running or len(connection.tokens.intersection(ids))
            connection.tokens.update(ids)
            connection.first_messages += 1
            connection.first_levels += sum(self._levels[token] for token in ids)
            connection.tell(wire.frame("[" + ",".join(self._made.dumps[token] for token in ids) + "]\n"))

    def _commanded(self) -> bool:
        heard = os.read(0, 1 << 16)
        *lines, self._commands = (self._commands + heard).split(b"\n")
        for line in lines:
            command = json.loads(line)
            getattr(self, f"_do_{command.pop('do')}")(**command)
        return bool(heard)

    def _do_status(self) -> None:
        listening = [c for c in self._connections if c.tokens]
        _say(
            event="status",
            sockets=len(listening),
            tokens=sum(len(c.tokens) for c in listening),
            quiet=not any(c.pending for c in listening),
        )

    def _do_hum(self, every_s: float) -> None:
        self._hum_s = every_s

    def _do_forget(self) -> None:
        self._lost = self._questions = 0

    def _do_go(self, messages: int, rate: float | None = None) -> None:
        self._rate, self._hum_s = rate, None
        per_slice = messages if rate is None else max(1, int(rate * SLICE_S))
        self._slices = sliced(until(messages, self._made), self._listeners(), per_slice)
        if rate is None:
            # What goes out at full speed is laid out before the clock starts.
            self._slices = iter(list(self._slices))
        self._running, self._late_s = True, 0.0
        self._began_at = self._next_at = time.monotonic()

    def _listeners(self) -> dict[int, list[Connection]]:
        """Who hears of each market: whoever holds one of its tokens."""
        found: dict[int, list[Connection]] = {}
        for connection in self._connections:
            for market in {self._market_of[token] for token in connection.tokens}:
                found.setdefault(market, []).append(connection)
        return found

    def _speak(self) -> None:
        now = time.monotonic()
        while self._running and now >= self._next_at:
            due = next(self._slices, None)
            if due is None:
                self._finish()
                return
            self._late_s = max(self._late_s, now - self._next_at)
            self._next_at = self._next_at + SLICE_S if self._rate else now
            for connection, payload in due:
                self._told(connection, payload)
            now = time.monotonic()

    def _told(self, connection: Connection, payload: bytes) -> None:
        if connection.socket.fileno() >= 0:
            connection.tell(payload)
            try:
                self._flush(connection)
            except OSError:
                self._drop(connection)

    def _finish(self) -> None:
        """Once everybody has everything, say so."""
        if any(connection.pending for connection in self._connections):
            self._next_at = time.monotonic() + (SLICE_S if self._rate else 0)
            return
        self._running = False
        listening = [c for c in self._connections if c.tokens]
        _say(
            event="done",
            began_at=self._began_at,
            ended_at=time.monotonic(),
            late_s=round(self._late_s, 3),
            lost=self._lost,
            questions=self._questions,
            asked_twice=sum(c.asked_twice for c in listening),
            first_messages=sum(c.first_messages for c in listening),
            first_levels=sum(c.first_levels for c in listening),
            sockets=[c.told["messages"] for c in listening],
            told={name: sum(c.told[name] for c in listening) for name in COUNTS},
        )


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Make the traffic, then serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markets", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--core", type=int)
    given = parser.parse_args(arguments)
    if given.core is not None:
        os.sched_setaffinity(0, {given.core})
    made = traffic(given.markets, given.messages)
    # What was made stays: looking through it for rubbish would hold the venue up.
    gc.freeze()
    Venue(made).serve()


if __name__ == "__main__":
    main()
