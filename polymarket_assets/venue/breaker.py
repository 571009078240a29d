"""A breaker for one service: after failures in a row it is left alone, then tried once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pybreaker import CircuitBreaker, CircuitBreakerError, CircuitMemoryStorage

from polymarket_assets.venue.errors import BreakerOpen, Unavailable

log = logging.getLogger(__name__)

Result = TypeVar("Result")

# One failed call is three or four failures; two such calls and the service is down, not slow.
FAILURES = 5
# Long enough for a restart of the venue to get on, short enough to lose two slots of the nearest tier.
OPEN_S = 30


class Breaker:
    """Counts failures that another attempt might not meet (`Unavailable`); every other answer is a success."""

    def __init__(self, name: str) -> None:
        self.name = name
        # How often it was left alone so far.
        self.opened = 0
        self._storage = CircuitMemoryStorage("closed")
        self._breaker = CircuitBreaker(
            fail_max=FAILURES,
            reset_timeout=OPEN_S,
            exclude=[lambda e: not isinstance(e, Unavailable)],
            state_storage=self._storage,
            throw_new_error_on_trip=False,
            name=name,
        )

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        return str(self._breaker.current_state)

    def call(self, function: Callable[[], Result]) -> Result:
        """The function's result.

        Raises:
            BreakerOpen: at once, the function was not called.
        """
        before = self.state
        try:
            result: Result = self._breaker.call(function)
        except CircuitBreakerError as e:
            left = self.left_s()
            raise BreakerOpen(
                f"{self.name} failed {FAILURES} times in a row and is left alone for {left:.0f} s more",
                retry_after_s=left,
            ) from e
        finally:
            if self.state != before:
                self.opened += self.state == "open"
                log.warning("the breaker of %s goes from %s to %s", self.name, before, self.state)
        return result

    def left_s(self) -> float:
        """Seconds until the service is tried again; 0 while it is not left alone."""
        opened_at = self._storage.opened_at
        if self.state != "open" or opened_at is None:
            return 0.0
        return max(0.0, (opened_at + timedelta(seconds=OPEN_S) - datetime.now(UTC)).total_seconds())
