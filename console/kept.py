"""What was looked at, and when: an answer at once, and a look in the background where it is older than it may be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from polymarket_assets.venue.errors import PolymarketError, Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

# Of the 300 ms that an answer may take: who asks first waits for so long.
WAIT_S = 0.2


class NotYet(Unavailable):
    """It is being looked at for the first time."""


class Broken(Unavailable):
    """A look ended in a fault of ours, or of a library's."""


@dataclass(frozen=True)
class Seen(Generic[T]):
    """What was found, and when; `error` is why the last look since then failed."""

    value: T
    at: datetime
    error: Exception | None = None


class Kept(Generic[T]):
    """The last answer of a function; one look at a time, and none while nobody asks."""

    def __init__(self, make: Callable[[], T], *, every_s: float, clock: Callable[[], datetime]) -> None:
        self._make, self._every_s, self._clock = make, every_s, clock
        self._lock = threading.Lock()
        self._looked = threading.Event()
        self._is_looking = False
        self._due = 0.0
        self._seen: Seen[T] | None = None
        self._error: Exception | None = None

    def seen(self, within_s: float = WAIT_S) -> Seen[T]:
        """The last answer. Raises `NotYet` where there is none, or what the look raised."""
        self._look_again()
        if self._seen is None and self._error is None:
            self._looked.wait(within_s)
        with self._lock:
            if self._seen is not None:
                return Seen(self._seen.value, self._seen.at, self._error)
            if self._error is not None:
                # Each time it is raised an error would hold on to one more stack of frames.
                raise self._error.with_traceback(None)
        raise NotYet("it is being looked at; the answer is here in a moment")

    def _look_again(self) -> None:
        with self._lock:
            if self._is_looking or time.monotonic() < self._due:
                return
            self._is_looking = True
        threading.Thread(target=self._look, name="look", daemon=True).start()

    def _look(self) -> None:
        at = self._clock()
        seen = self._seen
        error: Exception | None = None
        try:
            seen = Seen(self._make(), at)
        except Exception as e:
            # Raised again where it is asked for: a look has a thread of its own.
            is_told = isinstance(e, PolymarketError)
            log.log(logging.INFO if is_told else logging.ERROR, "a look failed", exc_info=e)
            error = (
                e
                if is_told
                else Broken(f"it could not be looked at ({type(e).__name__}); the console's log says more")
            )
        with self._lock:
            self._seen, self._error = seen, error
            self._is_looking, self._due = False, time.monotonic() + self._every_s
        self._looked.set()
