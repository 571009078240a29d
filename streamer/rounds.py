"""What comes on every socket, in rounds: everything that has come by now is taken and stamped.

A wake-up and a look at a socket cost as much as the work on a message: at thousands of messages a second over a hundred
sockets, taking each few as they came was half of all work. So rounds begin the further apart the more sockets
there are, which is how late a stamp can be; a venue that says little is never waited for.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from collections.abc import Iterator

from streamer.connections import Connection
from streamer.sockets import Read

# For each open socket rounds begin so much further apart …
APART_S = 0.0005
# … and never further than this: a stamp may be late by it, and the venue's own clock differs by more.
MOST_APART_S = 0.05

Batch = list[tuple[Connection, Read]]


def wall_us() -> int:
    """The wall clock, microseconds since the epoch."""
    return time.time_ns() // 1000


class Rounds:
    """The sockets that are open. Belongs to the loop's thread, but for `wake`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        # Sockets that may hold more than was taken, of which no selector tells.
        self._unfinished: set[Connection] = set()
        self._round_at = 0.0
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, None)

    @property
    def waker(self) -> int:
        """The file descriptor that signals write to, so that they end a wait."""
        return self._waker.fileno()

    def wake(self) -> None:
        """End a wait, from any thread."""
        # Where the waker is full, the loop is being woken already.
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b".")

    def add(self, connection: Connection) -> None:
        """Read its socket from now on."""
        assert connection.socket is not None
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def drop(self, connection: Connection) -> None:
        """Read its socket no more, if it has one."""
        self._unfinished.discard(connection)
        if connection.socket is not None:
            self._selector.unregister(connection.socket)

    def read(self, timeout_s: float) -> Batch:
        """Take what has come, or wait for it so long."""
        early_s = self._round_at - time.monotonic()
        if early_s > 0 and not self._unfinished:
            time.sleep(early_s)
        self._round_at = time.monotonic() + min(MOST_APART_S, APART_S * len(self._selector.get_map()))
        ready = {*self._unfinished, *self._ready(0 if self._unfinished else max(0.0, timeout_s))}
        batch = [(connection, connection.socket.read(wall_us)) for connection in ready if connection.socket]
        self._unfinished = {connection for connection, read in batch if read.unfinished}
        return batch

    def close(self) -> None:
        """Nothing is read any more."""
        self._selector.close()

    def _ready(self, timeout_s: float) -> Iterator[Connection]:
        for key, _ in self._selector.select(timeout_s):
            if key.data is None:
                self._woken.recv(4096)
            else:
                yield key.data
