"""Connecting: in threads, since names and handshakes take time, a few at once, and told once when it does not work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from polymarket_assets.venue.errors import Unavailable
from streamer.backoff import STAGGER_S
from streamer.connections import Connection
from streamer.sockets import MarketSocket, connect

log = logging.getLogger(__name__)

# More at a time would be a burst on the venue, and a thread each.
AT_ONCE = 4
# Stagger that was not used up in this time is forfeit.
SLACK_S = 0.25
# While the venue cannot be reached, one line this often.
REMIND_S = 60.0

Connect = Callable[[str, list[str]], MarketSocket]
Opened = Callable[[Connection, MarketSocket, list[str]], None]


class Dialler:
    """Makes sockets for connections. Belongs to the loop's thread; `hand` brings results back to it."""

    def __init__(
        self, url: str, hand: Callable[[Callable[[], None]], None], opened: Opened, connect: Connect = connect
    ) -> None:
        self._url, self._hand, self._opened, self._connect = url, hand, opened, connect
        self._under_way = 0
        self._next_at = 0.0
        self._told_at: float | None = None

    def dial(self, connection: Connection, now: float) -> None:
        """Begin to connect, unless it is too soon after others: then a later call does."""
        if self._under_way >= AT_ONCE or now < self._next_at:
            return
        self._next_at = max(self._next_at, now - SLACK_S) + STAGGER_S
        self._under_way += 1
        connection.connecting = True
        # A thread that hangs on a name must not hold the end of the process up.
        threading.Thread(
            target=self._attempt, args=(connection, list(connection.tokens)), name="connect", daemon=True
        ).start()

    def _attempt(self, connection: Connection, tokens: list[str]) -> None:
        try:
            connected = self._connect(self._url, tokens)
        except Unavailable as e:
            why = str(e)
            self._hand(lambda: self._failed(connection, why))
        else:
            self._hand(lambda: self._reached(connection, connected, tokens))

    def _reached(self, connection: Connection, connected: MarketSocket, tokens: list[str]) -> None:
        self._under_way -= 1
        if self._told_at is not None:
            log.info("the venue is reached again")
            self._told_at = None
        self._opened(connection, connected, tokens)

    def _failed(self, connection: Connection, why: str) -> None:
        self._under_way -= 1
        now = time.monotonic()
        connection.failed(now)
        if self._told_at is None or now - self._told_at >= REMIND_S:
            log.error("the venue is unreachable: %s; trying again until it answers", why)
            self._told_at = now
