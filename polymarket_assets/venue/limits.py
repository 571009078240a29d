"""The venue's published rate limits, and the share of them that we allow ourselves.

Limits are per address and sliding window of ten seconds, kept by delaying (PROTOCOL section 7). We wait before
asking rather than be made to: a request names the groups it belongs to, and waits for all of them. All but a
twenty-fifth of the share flows steadily and that may come at once, so no window of ten seconds ever holds more than
the share. With a file in `STATE_DIR` that holds for all processes of the host together (`buckets`). Threads may share
one `Limits`: one of them waits, the others behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from polymarket_assets.venue import buckets
from polymarket_assets.venue.buckets import LONGEST_CLOSED_S, NAP_S, RANKS, Shape
from polymarket_assets.venue.errors import OutOfTime

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

# What may come at once is missing from the flow: who asks without a pause for long loses this share of the limit.
BURST_SHARE = 0.03
# Who names no rank comes after all who do.
LAST = RANKS - 1
# Without a word from the venue a group that was throttled is left alone for this long, then twice as long, and so on.
FIRST_CLOSED_S, LONGEST_DOUBLED_S, MOST_DOUBLINGS = 1.0, 120.0, 7
# Who names no time waits so long for its turn: longer than any pause of ours, shorter than anybody takes for a run that hangs.
LONGEST_WAIT_S = 150.0


class Limits:
    """One bucket per group: of this process, or with `file` of all processes that share it.

    `rank` is the caller's place in line where a bucket is short, 0 before all. Raises `OSError` for a file that cannot be made.
    """

    def __init__(
        self,
        share: float,
        published: Mapping[str, int] = PUBLISHED,
        *,
        file: Path | None = None,
        rank: int = LAST,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.allowed = {group: limit * share for group, limit in published.items()}
        self._rank, self._clock, self._sleep = rank, clock, sleep
        self._numbers = {group: number for number, group in enumerate(published)}
        self._turn = threading.Lock()
        shapes = [shape(allowed) for allowed in self.allowed.values()]
        self._buckets = buckets.own(shapes, clock) if file is None else buckets.shared(shapes, file, clock)

    def wait(self, *groups: str, within_s: float = LONGEST_WAIT_S) -> float:
        """Return when a request of these groups may go out, after how many seconds; each of them counts it.

        Raises:
            OutOfTime: that is not within `within_s`; told as soon as it is sure.
        """
        numbers, began = [self._numbers[group] for group in groups], self._clock()
        # One thread looks for a token at a time: all of them would wake for each one and find it taken.
        if not self._turn.acquire(timeout=within_s):
            raise OutOfTime(_no_room(groups, within_s, 0.0))
        try:
            # In line behind another thread is waiting too.
            waited_s = self._clock() - began
            while (again_s := self._buckets.take(numbers, self._rank, waited_s)) > 0:
                if waited_s + again_s > within_s:
                    raise OutOfTime(_no_room(groups, waited_s, again_s), retry_after_s=again_s)
                self._sleep(min(again_s, NAP_S))
                waited_s = self._clock() - began
        finally:
            self._turn.release()
        return waited_s

    def throttled(self, groups: Sequence[str], retry_after_s: float | None) -> float:
        """The venue answered 429: nobody asks anything of these groups until it said, or for a time that doubles; returns seconds."""
        pause = partial(_closed_s, retry_after_s)
        return max(self._buckets.close(self._numbers[group], pause) for group in groups)

    def answered(self, groups: Sequence[str]) -> None:
        """The venue answered otherwise."""
        for group in groups:
            self._buckets.open(self._numbers[group])


def shape(allowed: float) -> Shape:
    """Steady flow and burst that together never pass `allowed` in a window; at the least one request at a time."""
    burst = max(1, int(allowed * BURST_SHARE))
    # A share of a single request or less has no room for both.
    steady = max(allowed - burst, allowed * (1 - BURST_SHARE) if allowed <= 1 else 0.0)
    return Shape(WINDOW_S / steady, burst)


def _closed_s(retry_after_s: float | None, times: int) -> float:
    if retry_after_s is not None:
        return min(LONGEST_CLOSED_S, max(0.0, retry_after_s))
    return min(LONGEST_DOUBLED_S, FIRST_CLOSED_S * 2.0 ** min(times - 1, MOST_DOUBLINGS))


def _no_room(groups: Sequence[str], waited_s: float, again_s: float) -> str:
    return f"{groups[-1]} was not asked: the limits leave no room for {again_s:.1f} s more, after {waited_s:.1f} s"
