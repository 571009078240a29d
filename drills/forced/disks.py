"""The lake and its disk: a small file system of our own that fills, turns read-only, or fills up within days."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from drills.alert_place import Place
from drills.disks import Disk
from drills.forced import Forced
from drills.forced.rows import listed
from polymarket_assets.lake.spans import HOUR, hour_of

DISK_MB = 32
# With so much on it, what a day adds finds no room on the disk for three days.
NEARLY_FULL_BYTES = 31_000_000


@contextmanager
def on_a_disk(place: Place, megabytes: int = DISK_MB) -> Iterator[Disk]:
    """The lake of a place on a file system of its own."""
    disk = Disk(place.folder / "disk", megabytes)
    place.lake_root = disk.folder / "lake"
    yield disk


@contextmanager
def full(place: Place) -> Iterator[Forced]:
    """Something else fills the disk."""
    with on_a_disk(place) as disk:
        listed(place)
        yield Forced(disk.fill, disk.empty)


@contextmanager
def read_only(place: Place) -> Iterator[Forced]:
    """The disk turns read-only, as one does that reports errors."""
    with on_a_disk(place) as disk:
        listed(place)
        yield Forced(lambda: disk.read_only(True), lambda: disk.read_only(False))


@contextmanager
def filling(place: Place) -> Iterator[Forced]:
    """Some megabytes a day on a disk that has few left: ballast comes and goes."""
    with on_a_disk(place) as disk:
        listed(place)
        ballast = disk.folder / "ballast"
        for back in range(1, 24):
            _heavy(place, hour_of(place.now) - back * HOUR)

        def wrong() -> None:
            ballast.write_bytes(bytes(NEARLY_FULL_BYTES - _used(disk.folder)))

        yield Forced(wrong, ballast.unlink)


def _heavy(place: Place, at: datetime) -> None:
    """Books that do not compress: some hundred kilobytes an hour."""
    dice = random.Random(at.timestamp())
    rows = [{"market_id": f"pm:{n}", "slot_at": at, "received_at": at, "token_id": "1", "bids": [], "asks": [], "hash": dice.randbytes(150).hex()} for n in range(300)]  # fmt: skip
    place.lake.publish_rows("orderbooks", rows, part="0", at=at, tier="t4")


def _used(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
