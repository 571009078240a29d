"""A thread for work that may wait: questions over REST, sums over books. Its results are handed to the loop.

What does not fit its queue is not taken: the loop asks again when it next looks.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from polymarket_assets.venue.errors import PolymarketError

log = logging.getLogger(__name__)

Result = TypeVar("Result")
Hand = Callable[[Callable[[], None]], None]

# Work that waits; more would be answered too late to be of use.
MOST_WAITING = 4


class Worker:
    """One thread; `hand` brings results to the loop's own thread."""

    def __init__(self, name: str, hand: Hand) -> None:
        self._hand = hand
        self._work: queue.Queue[Callable[[], None]] = queue.Queue(MOST_WAITING)
        self._trouble = ""
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, work: Callable[[], Result], then: Callable[[Result | None], None]) -> bool:
        """Have `work` done, and `then` called in the loop with its result, or with None where there is none.

        Returns whether it was taken.
        """
        try:
            self._work.put_nowait(lambda: self._do(work, then))
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        while True:
            self._work.get()()

    def _do(self, work: Callable[[], Result], then: Callable[[Result | None], None]) -> None:
        result: Result | None = None
        try:
            result = work()
            self._trouble = ""
        except PolymarketError as e:
            if self._is_new("no answer"):
                log.warning("books are not compared: %s", e)
        except Exception as e:
            # A fault of ours in comparing must end neither the thread, which nobody would miss, nor the recording beside it.
            if self._is_new(type(e).__name__):
                log.error("books are not compared: %s: %s", type(e).__name__, e, exc_info=e)
        self._hand(lambda: then(result))

    def _is_new(self, trouble: str) -> bool:
        """Whether to say so: what is asked again and again, and fails alike, would fill the log."""
        before, self._trouble = self._trouble, trouble
        return trouble != before
