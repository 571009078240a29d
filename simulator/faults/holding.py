"""Frames kept back until their time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from simulator.connections import Message, Socket

# Frames that one fault keeps at most: beyond, the first leave before their time, and memory stays bounded.
MOST_HELD = 200_000


class Held:
    """Messages in order of their instants, and within one instant of their rank; `release` is told of each in turn."""

    def __init__(self, release: Callable[[Socket, Message], None]) -> None:
        self._release = release
        self._order = itertools.count()
        self._waiting: list[tuple[float, float, int, Socket, Message]] = []
        self._timer: asyncio.TimerHandle | None = None

    @staticmethod
    def now() -> float:
        """The clock that instants are of: the loop's."""
        return asyncio.get_running_loop().time()

    def keep(self, socket: Socket, message: Message, until: float, rank: float = 0.0) -> None:
        """Keep a message until an instant."""
        heapq.heappush(self._waiting, (until, rank, next(self._order), socket, message))
        if len(self._waiting) > MOST_HELD:
            self._let_go()
        if self._timer is None or self._timer.when() > self._waiting[0][0]:
            self._wind()

    def release_all(self) -> None:
        """Let everything go, in order."""
        if self._timer:
            self._timer.cancel()
        while self._waiting:
            self._let_go()

    def _let_go(self) -> None:
        *_, socket, message = heapq.heappop(self._waiting)
        self._release(socket, message)

    def _wind(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._waiting[0][0], self._due)

    def _due(self) -> None:
        self._timer, now = None, self.now()
        while self._waiting and self._waiting[0][0] <= now:
            self._let_go()
        if self._waiting:
            self._wind()
