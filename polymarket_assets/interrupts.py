"""A Ctrl-C that comes between two steps of a run is not lost.

There Dagster holds it back, to raise it in the step that follows, and forgets it when none does. The operating system's own
account of signals, which no handler changes, says that it came.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# More signals than anybody sends during a run.
_MOST = 4096


@contextmanager
def kept() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at the end where one came and nobody raised it; only the main thread hears signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reads, writes = os.pipe()
    os.set_blocking(reads, False)
    os.set_blocking(writes, False)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    try:
        yield
        if signal.SIGINT in _came(reads):
            raise KeyboardInterrupt
    finally:
        signal.set_wakeup_fd(before)
        os.close(reads)
        os.close(writes)


def _came(reads: int) -> bytes:
    try:
        return os.read(reads, _MOST)
    except BlockingIOError:
        return b""
