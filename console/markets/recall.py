"""Answers that several parts of a page ask for at once: made by the first that asks, kept for some seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from polymarket_assets.venue.errors import PolymarketError, Unavailable

V = TypeVar("V")


@dataclass
class _Answer:
    """What was made, or why it could not be, and until when that is good."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    until: float = 0.0
    value: Any = None
    error: PolymarketError | None = None


class Recall(Generic[V]):
    """At most so many answers, each for so long; who asks for one that is being made waits for it."""

    def __init__(self, most: int, for_s: float) -> None:
        self._most, self._for_s = most, for_s
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The answer to a key. Raises what `make` raises; errors of this platform that last are kept as answers are."""
        answer = self._answer(key)
        with answer.lock:
            if time.monotonic() >= answer.until:
                self._renew(answer, make)
            if answer.error is not None:
                # Not where it was raised: that holds on to all that had been read by then, and to a stack of frames for each who asked.
                raise answer.error.with_traceback(None)
            value: V = answer.value
            return value

    def _answer(self, key: Hashable) -> _Answer:
        with self._lock:
            answer = self._answers.setdefault(key, _Answer())
            self._answers.move_to_end(key)
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
            return answer

    def _renew(self, answer: _Answer, make: Callable[[], V]) -> None:
        answer.value, answer.error = None, None
        try:
            answer.value = make()
        except Unavailable:
            raise
        except PolymarketError as e:
            answer.error = e
        answer.until = time.monotonic() + self._for_s
