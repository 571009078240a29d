"""Token buckets that all processes of a host share: one small file, mapped into memory, changed under a lock.

Each bucket is a generic cell rate algorithm (GCRA): one number, the instant at which it would be empty again. So a
take costs some microseconds, nobody holds anything while it waits, and a process that is killed holds up nobody: the
operating system drops its lock, and its place in line expires. Instants are of the monotonic clock, which all
processes of a host share and which begins anew with a boot.

Those who wait leave a sign by rank; a token goes to the first in rank, but somebody who has waited `PATIENCE_S` is
first. No library was found that has ranks and shares between processes: pyrate-limiter's shared buckets keep every
request in SQLite, a millisecond each, and serve whoever asks first.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import math
import mmap
import os
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

# Places in line, the first before all: tiers t4 … t0, then everything that can be done later.
RANKS = 8
# Whoever has waited this long is served as if first in rank: nobody starves.
PATIENCE_S = 5.0
# A sign of waiting counts this long: twice the longest nap between two looks.
SIGN_S = 0.1
NAP_S = 0.05
# Values before the first: what the file is, how many buckets it has, and of which boot its instants are.
_MAGIC, _HEAD = 20_261_128.0, 3
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Of a bucket: empty again at, closed until, closed how often in a row, and the signs of each rank.
_EMPTY_AT, _CLOSED_UNTIL, _CLOSED_TIMES, _SIGNS = 0, 1, 2, 3
_WIDTH = _SIGNS + RANKS


@dataclass(frozen=True)
class Shape:
    """A bucket: seconds between tokens, and how many may be taken at once."""

    every_s: float
    burst: int

    @property
    def most_ahead_s(self) -> float:
        """How far ahead of now it can be emptied."""
        return self.every_s * self.burst


class Buckets:
    """Buckets over an array of numbers, which `locked` makes one's own for a moment."""

    def __init__(
        self,
        shapes: Sequence[Shape],
        values: memoryview[float],
        locked: Callable[[], AbstractContextManager[object]],
        clock: Callable[[], float],
    ) -> None:
        self._shapes, self._values, self._locked, self._clock = shapes, values, locked, clock

    def take(self, numbers: Sequence[int], rank: int, waited_s: float) -> float:
        """Take a token of each of these buckets, or of none; returns 0, or the least seconds until there can be one.

        The sign of waiting is left on those alone that have none to give: it must not hold up whoever wants of the others.
        """
        with self._locked():
            now = self._clock()
            waits = {number: self._wait_s(number, rank, waited_s, now) for number in numbers}
            short = [number for number, wait_s in waits.items() if wait_s > 0]
            for number in short:
                self._values[self._at(number) + _SIGNS + rank] = now + SIGN_S
            if short:
                return max(waits.values())
            for number in numbers:
                at = self._at(number)
                self._values[at] = max(now, self._values[at]) + self._shapes[number].every_s
                self._values[at + _SIGNS + rank] = 0.0
            return 0.0

    def close(self, number: int, for_s: Callable[[int], float]) -> float:
        """Let nobody take of a bucket for as long as `for_s` says of the times it was closed in a row; returns that, in seconds.

        When it opens it is empty but for one token, so that those who waited do not come all at once.
        """
        with self._locked():
            now, at = self._clock(), self._at(number)
            shape, until = self._shapes[number], self._values[at + _CLOSED_UNTIL]
            # Answers to requests that were out already when it was closed say nothing new.
            times = int(self._values[at + _CLOSED_TIMES]) + (now >= until)
            seconds = for_s(times)
            until = max(until, now + seconds)
            self._values[at + _CLOSED_UNTIL], self._values[at + _CLOSED_TIMES] = until, float(times)
            self._values[at] = max(self._values[at], until + shape.most_ahead_s - shape.every_s)
            return seconds

    def open(self, number: int) -> None:
        """A request was answered well: the next closing begins to count anew."""
        at = self._at(number)
        if self._values[at + _CLOSED_TIMES]:
            with self._locked():
                if self._clock() >= self._values[at + _CLOSED_UNTIL]:
                    self._values[at + _CLOSED_TIMES] = 0.0

    def _wait_s(self, number: int, rank: int, waited_s: float, now: float) -> float:
        at, shape = self._at(number), self._shapes[number]
        if not self._is_sane(at, shape, now):
            log.warning("a bucket of the shared rate limits held nonsense and is begun anew")
            self._values[at : at + _WIDTH] = memoryview(bytes(8 * _WIDTH)).cast("d")
        signs = self._values[at + _SIGNS : at + _SIGNS + rank]
        if waited_s < PATIENCE_S and any(now < sign <= now + SIGN_S for sign in signs):
            return NAP_S
        empty_s = self._values[at] + shape.every_s - shape.most_ahead_s - now
        return max(empty_s, self._values[at + _CLOSED_UNTIL] - now)

    def _is_sane(self, at: int, shape: Shape, now: float) -> bool:
        """Whether the numbers are possible: no instant lies farther ahead than anything puts it."""
        empty_at, until, times = self._values[at : at + _SIGNS]
        numbers = all(math.isfinite(value) and value >= 0 for value in (empty_at, until, times))
        ahead_s = max(0.0, until - now) + shape.most_ahead_s + shape.every_s
        return numbers and until - now <= LONGEST_CLOSED_S and empty_at - now <= ahead_s

    def _at(self, number: int) -> int:
        return _HEAD + number * _WIDTH


# The longest that anything closes a bucket for: a venue that wants to be left alone for longer is asked once an hour whether it still does.
LONGEST_CLOSED_S = 3_600.0


def own(shapes: Sequence[Shape], clock: Callable[[], float]) -> Buckets:
    """Buckets of this process alone, for all of its threads."""
    values, mine = memoryview(bytearray(_size(shapes))).cast("d"), threading.Lock()
    return Buckets(shapes, values, lambda: mine, clock)


def shared(shapes: Sequence[Shape], file: Path, clock: Callable[[], float]) -> Buckets:
    """Buckets of all processes that name this file; one that is of another form, or another boot, is replaced.

    Raises:
        OSError: the file can be neither made nor read.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, mine = _opened(file, shapes), threading.Lock()
    values = memoryview(mmap.mmap(descriptor, _size(shapes))).cast("d")
    return Buckets(shapes, values, lambda: _held(descriptor, mine), clock)


def _opened(file: Path, shapes: Sequence[Shape]) -> int:
    """A descriptor of the file once it has the right form.

    A wrong one is replaced, never cut: whoever has it mapped (a process of the version before) would be ended by the system.
    """
    head = struct.pack(f"{_HEAD}d", _MAGIC, len(shapes), _boot())
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        with _held(descriptor, threading.Lock()):
            # While we waited for the lock somebody may have put another in its place.
            if os.path.samestat(os.fstat(descriptor), os.stat(file)):
                if os.fstat(descriptor).st_size == _size(shapes) and os.pread(descriptor, len(head), 0) == head:  # fmt: skip
                    return descriptor
                new = file.with_name(f"{file.name}.new")
                new.write_bytes(head.ljust(_size(shapes), b"\0"))
                new.replace(file)
        os.close(descriptor)


def _boot() -> float:
    """A number for this boot of the machine, with which its monotonic clock begins; 0 where the system tells none."""
    try:
        return float(int(_BOOT_ID.read_text().replace("-", "")[:12], 16))
    except OSError:
        return 0.0


@contextlib.contextmanager
def _held(descriptor: int, mine: threading.Lock) -> Iterator[None]:
    """The file's lock is the process's: its threads have another."""
    with mine:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _size(shapes: Sequence[Shape]) -> int:
    return 8 * (_HEAD + len(shapes) * _WIDTH)
