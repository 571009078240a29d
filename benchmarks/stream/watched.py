"""`python -m benchmarks.stream.watched`: the streamer, with a note of each hand-over to the disk, or of where its time goes.

Nothing of the streamer is changed. `--syncs` notes around each `fdatasync` which file it was of, how large that
file was when the call began, and when it returned. `--profile` notes, a few hundred times for each CPU second, what
every thread was doing; the loop is the main thread, so its samples are its own.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

# The kernel's own ticks are 4 ms apart on most machines.
SAMPLE_S = 0.002
# Tells a profiled streamer that what counts begins now.
BEGIN = signal.SIGUSR1


def note_syncs(file: Path) -> None:
    """Note every hand-over to the disk, a line of JSON each."""
    notes = file.open("a", buffering=1)

    def noted(sync: Callable[[int], None]) -> Callable[[int], None]:
        def call(fd: int) -> None:
            about = os.fstat(fd)
            sync(fd)
            print(json.dumps([about.st_ino, about.st_size, time.time_ns() // 1000]), file=notes)

        return call

    os.fdatasync, os.fsync = noted(os.fdatasync), noted(os.fsync)  # type: ignore[assignment]


class Profile:
    """Samples of every thread's stack, by thread name."""

    def __init__(self) -> None:
        self.samples: dict[str, Counter[tuple[str, ...]]] = {}
        self._before: dict[str, float] = {}

    def wait(self) -> None:
        """Sample from `BEGIN` on, by CPU time."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.signal(BEGIN, self._begin)

    def _begin(self, *_: object) -> None:
        self._before = _threads()
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_S, SAMPLE_S)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        frames: dict[int, FrameType | None] = {**sys._current_frames(), threading.get_ident(): frame}
        for ident, innermost in frames.items():
            self.samples.setdefault(names.get(ident, "?"), Counter())[_stack(innermost)] += 1

    def write(self, file: Path) -> None:
        """Samples and the CPU seconds of each thread that still lives, as JSON."""
        told = {name: [[list(stack), n] for stack, n in counted.most_common()] for name, counted in self.samples.items()}  # fmt: skip
        file.write_text(
            json.dumps(
                {
                    "samples": told,
                    "threads": {
                        name: cpu_s - self._before.get(name, 0.0) for name, cpu_s in _threads().items()
                    },
                }
            )
        )


def _stack(frame: FrameType | None) -> tuple[str, ...]:
    """Functions from the outermost to the innermost."""
    stack = []
    while frame is not None:
        code = frame.f_code
        stack.append(f"{Path(code.co_filename).stem}.{code.co_qualname}")
        frame = frame.f_back
    return tuple(reversed(stack))


def _threads() -> dict[str, float]:
    """CPU seconds by thread, from the kernel's account."""
    names = {thread.native_id: thread.name for thread in threading.enumerate()}
    found: dict[str, float] = {}
    for task in Path("/proc/self/task").iterdir():
        name = names.get(int(task.name), "other")
        found[name] = found.get(name, 0.0) + int((task / "schedstat").read_text().split()[0]) / 1e9
    return found


def main() -> int:
    """Run the streamer under observation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--syncs", type=Path)
    parser.add_argument("--profile", type=Path)
    given = parser.parse_args()
    from streamer.__main__ import main as streamer

    if given.syncs is not None:
        note_syncs(given.syncs)
    if given.profile is None:
        return streamer(["run"])
    return _profiled(lambda: streamer(["run"]), given.profile)


def _profiled(run: Callable[[], int], file: Path) -> int:
    profile = Profile()
    profile.wait()
    try:
        return run()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        profile.write(file)


if __name__ == "__main__":
    sys.exit(main())
