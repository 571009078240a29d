"""Locks between processes, which the operating system drops when their process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class Lock:
    """A file lock of this process, dropped when it is released or the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1

    def take(self, *, wait: bool = False) -> bool:
        """Whether the lock is ours now; waits for it where told to."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def release(self) -> None:
        """Drop it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
