"""Asking about many markets at once: a thread for each connection, answers in the order of the markets.

One request after the other cannot reach the venue's limits across an ocean: at 100 milliseconds an answer, ten a
second. Markets are handed out as connections become free; what came early waits for its turn, and so many at the most.

A failure that another attempt might not meet is asked about again for as long as the venue answers anybody: one market's
trouble must not cost a day, and a restart of the venue takes a minute and a half. What is answered otherwise than agreed may
have been spoilt on its way: a few more attempts tell.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused, Unavailable

log = logging.getLogger(__name__)

Client = TypeVar("Client")
Item = TypeVar("Item")
Answer = TypeVar("Answer")

# A hundred requests a second, the most that the Data API's limit allows, where an answer takes 80 milliseconds; half of it, as
# `RATE_SHARE` has it, where it takes 160. With sixteen, threads get in each other's way: a request takes a fifth more CPU.
CONNECTIONS = 8
# Answers that came before their turn: enough that a market of a hundred pages holds up nobody behind it.
AHEAD = 512
# The venue's restart takes ninety seconds; as long again for what follows it.
PATIENCE_S = 180.0
# One that fails for so long while others are answered is given up alone: a list too long for the venue's own time, say.
ITEM_PATIENCE_S = 90.0
# Between two attempts after a failure, unless the venue or a breaker says otherwise.
PAUSE_S = 2.0
# Answers of one market that could not be read, one after the other, before it is given up: where a list of ten pages is spoilt
# one time in six, it is so six times running once in fifty thousand.
MOST_MALFORMED = 6


class Stopped(Exception):
    """Nobody waits for the answer any more."""


@dataclass
class Asking(Generic[Client]):
    """Clients under the same limits, each in the hands of one thread at a time."""

    clients: Sequence[Client]
    patience_s: float = PATIENCE_S
    item_patience_s: float = ITEM_PATIENCE_S
    pause_s: float = PAUSE_S
    _free: queue.SimpleQueue[Client] = field(default_factory=queue.SimpleQueue)
    _stop: threading.Event = field(default_factory=threading.Event)
    _answered: float = field(default_factory=time.monotonic)

    def each(self, items: Sequence[Item], ask: Callable[[Client, Item], Answer]) -> Generator[tuple[Item, Answer | PolymarketError], None, None]:  # fmt: skip
        """Each item with its answer, or with why there is none; in the order of the items.

        Raises:
            Unavailable: nothing was answered for `patience_s`.
        """
        for client in self.clients:
            self._free.put(client)
        pool = ThreadPoolExecutor(max(1, len(self.clients)), thread_name_prefix="history")
        under_way: deque[tuple[Item, Future[Answer | PolymarketError]]] = deque()
        try:
            for item in items:
                under_way.append((item, pool.submit(self._ask, ask, item)))
                if len(under_way) >= AHEAD:
                    yield _first(under_way)
            while under_way:
                yield _first(under_way)
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _ask(self, ask: Callable[[Client, Item], Answer], item: Item) -> Answer | PolymarketError:
        client = self._free.get()
        try:
            return self._until_told(lambda: ask(client, item))
        finally:
            self._free.put(client)

    def _until_told(self, once: Callable[[], Answer]) -> Answer | PolymarketError:
        malformed, failed_at = 0, float("inf")
        while not self._stop.is_set():
            try:
                answer = once()
            except Unavailable as e:
                failed_at = min(failed_at, time.monotonic())
                if failed_at < self._answered and time.monotonic() - failed_at > self.item_patience_s:
                    return e
                if time.monotonic() - self._answered > self.patience_s:
                    raise
                self._stop.wait(self.pause_s if e.retry_after_s is None else e.retry_after_s)
                continue
            except Gone as e:
                self._answered = time.monotonic()
                return e
            except (Refused, MalformedPayload) as e:
                malformed += 1
                if malformed >= MOST_MALFORMED:
                    return e
                self._answered = time.monotonic()
                continue
            self._answered = time.monotonic()
            return answer
        raise Stopped


def _first(under_way: deque[tuple[Item, Future[Answer]]]) -> tuple[Item, Answer]:
    item, future = under_way.popleft()
    return item, future.result()
