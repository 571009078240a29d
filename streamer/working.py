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
        """Have `work` done, and `then` called in the loop with its result, or with None where the venue did not answer.

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
            self._say("")
        except PolymarketError as e:
            self._say(str(e))
        self._hand(lambda: then(result))

    def _say(self, trouble: str) -> None:
        """One line when trouble begins; what is asked again and again would fill the log."""
        if trouble and not self._trouble:
            log.warning("books are not compared: %s", trouble)
        self._trouble = trouble
