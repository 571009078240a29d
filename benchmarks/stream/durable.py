"""From hearing to the disk: how long a message can be lost to a power cut, seen from outside.

Each message carries the instant it was taken from the socket (its stamp in the journal). It is on the disk when the first
hand-over to the disk (`fdatasync`) returns that began when the file already held all of it; `benchmarks.stream.watched` notes both. Segments are
removed once they are published, so each is linked aside while it lives. What a message waited in the kernel's buffer
before it was taken is not in the figure: at a rate that is kept up with it is a turn of the loop.
"""

from __future__ import annotations

import json
import os
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.rows import Failed

# Segments live for seconds at the least.
LOOK_S = 0.1


@contextmanager
def segments_kept(state_dir: Path, folder: Path) -> Iterator[None]:
    """Link every segment of the journal into a folder for as long as this lasts."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(LOOK_S):
            for segment in state_dir.glob("stream/*/*.journal"):
                kept = folder / segment.name
                if not kept.exists():
                    os.link(segment, kept)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def waits_s(folder: Path, syncs: Path) -> list[float]:
    """Seconds from hearing to the disk of every message in the kept segments, ascending.

    Raises:
        Failed: the journal is not of the form this was written for.
    """
    noted: dict[int, list[tuple[int, int]]] = {}
    for line in syncs.read_text().splitlines():
        inode, size, at_us = json.loads(line)
        noted.setdefault(inode, []).append((size, at_us))
    found: list[float] = []
    for segment in folder.iterdir():
        hand_overs = sorted(noted.get(segment.stat().st_ino, []))
        sizes = [size for size, _ in hand_overs]
        for end, at_us in _messages(segment):
            at = bisect_left(sizes, end)
            if at == len(sizes):
                raise Failed(f"{segment.name} holds a message that never reached the disk")
            found.append((hand_overs[at][1] - at_us) / 1e6)
    return sorted(found)


def _messages(segment: Path) -> Iterator[tuple[int, int]]:
    """Each message of a segment: where its record ends, and its stamp."""
    try:
        from streamer.entries import Heard, decode
        from streamer.journal import read, whole_bytes

        end = 0
        for record in read(segment):
            end += whole_bytes([record])
            entry = decode(record)
            if isinstance(entry, Heard):
                yield end, entry.at_us
    except (ImportError, AttributeError, TypeError) as e:
        raise Failed(f"benchmarks/stream/durable.py reads journals with streamer.journal.read and streamer.entries.decode, which changed: {e}") from e  # fmt: skip


def percentile(ascending: list[float], share: float) -> float:
    """The value below which that share of values lies."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]
