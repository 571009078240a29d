"""How often data comes on a connection, and for how long its silence is ordinary. Pure: seconds in, seconds out."""

from __future__ import annotations

# So many mean intervals without data happen by chance once in half a thousand million (e^-20).
SILENT_INTERVALS = 20
# What is slower than that cannot be told by its silence; books are compared over REST instead.
LONGEST_SILENCE_S = 120.0
# The pace of the last minutes counts: markets wake and fall asleep.
REMEMBERED_S = 60.0


class Pace:
    """The mean interval of a connection's data. Silence does not slow it: it is what the pace is to judge."""

    def __init__(self) -> None:
        self.mean_s: float | None = None
        self._since: float | None = None
        self._count = 0

    def heard(self) -> None:
        """Something came."""
        self._count += 1

    def tick(self, now: float) -> None:
        """Take what came since data was last there into account."""
        if self._since is None or not self._count:
            self._since = now if self._since is None else self._since
            return
        elapsed, self._since = now - self._since, now
        interval, self._count = elapsed / self._count, 0
        weight = min(1.0, elapsed / REMEMBERED_S)
        self.mean_s = interval if self.mean_s is None else self.mean_s + weight * (interval - self.mean_s)

    def forget_since(self, now: float) -> None:
        """What came until now says nothing of the pace: first books, the time before a connection was open."""
        self._since, self._count = now, 0

    def silence_s(self, least_s: float) -> float | None:
        """Silence from which on a connection is dead, `least_s` at the least; None: silence tells nothing of one so slow."""
        if self.mean_s is None or self.mean_s * SILENT_INTERVALS > LONGEST_SILENCE_S:
            return None
        return max(least_s, self.mean_s * SILENT_INTERVALS)
