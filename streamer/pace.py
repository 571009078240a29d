"""How often data comes on a connection, and for how long its silence is ordinary. Pure: seconds in, seconds out."""

from __future__ import annotations

import math

# So many mean intervals without data happen by chance once in half a thousand million (e^-20).
SILENT_INTERVALS = 20
# What is slower than that cannot be told by its silence; books are compared over REST instead.
LONGEST_SILENCE_S = 120.0
# The pace of the last minutes counts: markets wake and fall asleep.
REMEMBERED_S = 60.0
# A mean of fewer intervals is too unsure to condemn a socket by. What is fast enough to be judged has more in a minute.
LEAST_MOMENTS = 8.0


class Pace:
    """The mean interval between moments with data. Silence does not slow it: it is what the pace is to judge.

    Messages come in clusters, a trade with its books; those between two ticks are one moment.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._heard = False
        # Moments with data and the seconds between them, the older the less.
        self._moments = self._seconds = 0.0

    def heard(self) -> None:
        """Something came."""
        self._heard = True

    def tick(self, now: float) -> None:
        """Take what came since data was last there into account."""
        if self._since is None:
            self._since = now
        elif self._heard:
            elapsed, self._since, self._heard = now - self._since, now, False
            kept = math.exp(-elapsed / REMEMBERED_S)
            self._moments = self._moments * kept + 1
            self._seconds = self._seconds * kept + elapsed

    def forget_since(self, now: float) -> None:
        """What came until now says nothing of the pace: first books, the time before a connection was open."""
        self._since, self._heard = now, False

    def silence_s(self, least_s: float) -> float | None:
        """Silence from which on a connection is dead, `least_s` at the least; None: silence tells nothing of one so slow."""
        if self._moments < LEAST_MOMENTS:
            return None
        usual_s = SILENT_INTERVALS * self._seconds / self._moments
        return max(least_s, usual_s) if usual_s <= LONGEST_SILENCE_S else None
