"""The venue's published rate limits, and the share of them this process allows itself.

Limits are per address and sliding window of ten seconds, kept by delaying (PROTOCOL section 7). We wait before
asking rather than be made to: a request names the groups it belongs to, and waits for each. Nine tenths of the
share flow steadily and one tenth may come at once, so no window of ten seconds ever holds more than the share.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyrate_limiter import Limiter, Rate, SingleBucketFactory, StateBucket, TokenBucket

WINDOW_S = 10

# Group -> requests in ten seconds, as published.
PUBLISHED: Mapping[str, int] = {
    "all": 15_000,
    "gamma": 4_000,
    "gamma lists": 900,
    "gamma /markets": 300,
    "gamma /events": 500,
    "clob": 9_000,
    "clob /ok": 100,
    "clob /book": 1_500,
    "clob /books": 500,
    "clob /midpoints": 500,
    "clob /prices-history": 1_000,
    "data": 1_000,
    "data /trades": 200,
}

BURST_SHARE = 0.1
# Added to each wait, so that a clock read a little early does not cost a second one.
_CLOCK_MARGIN_MS = 1


class Limits:
    """One bucket per group, of one process."""

    def __init__(self, share: float, published: Mapping[str, int] = PUBLISHED) -> None:
        self.allowed = {group: limit * share for group, limit in published.items()}
        self._limiters = {group: _limiter(allowed) for group, allowed in self.allowed.items()}

    def wait(self, *groups: str) -> None:
        """Return when a request of these groups may go out; each of them counts it."""
        for group in groups:
            self._limiters[group].try_acquire(group)


def rate(allowed: float) -> Rate:
    """Steady flow and burst that together never pass `allowed` in a window; at the least one request at a time."""
    steady, burst = allowed * (1 - BURST_SHARE), max(1, int(allowed * BURST_SHARE))
    whole = max(1, int(steady))
    return Rate(whole, int(WINDOW_S * 1000 * whole / steady), burst=burst)


def _limiter(allowed: float) -> Limiter:
    bucket = StateBucket([rate(allowed)], algorithm=TokenBucket())
    return Limiter(SingleBucketFactory(bucket, schedule_leak=False), buffer_ms=_CLOCK_MARGIN_MS)
