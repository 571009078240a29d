"""Intervals in which something was not heard."""

from __future__ import annotations

from dataclasses import dataclass

_S = 1_000_000
# Unreadable messages of a connection that are no further apart than this lie in one interval …
_TOGETHER_US = 1 * _S
# … which is reported after this long at the latest.
_REPORTED_US = 10 * _S


@dataclass(frozen=True)
class Deaf:
    """An interval of deafness that is over; microseconds."""

    from_us: int
    to_us: int
    cause: str
    market_id: str | None = None


class Garble:
    """Messages of a connection that came and could not be read: nobody knows what they said, nor of which market."""

    def __init__(self) -> None:
        self._first_us = self._last_us = 0

    def add(self, at_us: int) -> None:
        """One came."""
        self._first_us = self._first_us or at_us
        self._last_us = at_us

    def over(self, now_us: int, *, is_last: bool = False) -> list[Deaf]:
        """The interval in which they came, when it is to be reported; at the end (`is_last`) at once."""
        due = now_us - self._last_us >= _TOGETHER_US or now_us - self._first_us >= _REPORTED_US
        if not self._first_us or not (due or is_last):
            return []
        found = [Deaf(self._first_us, self._last_us, "unreadable")]
        self._first_us = self._last_us = 0
        return found
