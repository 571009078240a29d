"""Compaction: the many parts of an hour or day that is over become one sorted file, verified before it counts.

What is sealed by the streamer, and what is one part that a later build replaces, is left alone. A folder that
fails is told and comes again with the next run; parts that came after a manifest are taken in by the next run too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from polymarket_assets.lake import folders, layout, manifests, merging, verifying
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)

# Tables whose parts are many and never published again once their hour is over: a slot, a walk of discovery, a run of
# resolving each. A table whose one part is replaced by a later build (`trades`, `features`, `history_*`, …) must not
# be here: a manifest knows what it merged by name, so the later build would count for nothing.
WRITTEN_IN_PARTS = ("sweeps", "markets", "resolutions", "snapshots", "orderbooks")
# The last slot's sweep and a walk of discovery end within this; what comes later still is taken in by the next run.
GRACE = timedelta(minutes=15)
# An outage of two weeks is caught up with; what is older, by hand (`keep --look-back`).
LOOK_BACK = timedelta(days=14)
# Runs come every hour and must not meet; what is left is told, and the oldest comes first again.
WITHIN_S = 40 * 60.0
# One file is nothing to gain by, unless it can be made smaller: every table in parts can, by a third and more.
_LEAST_PARTS = 1


@dataclass
class Compacted:
    """What a compaction did; files and bytes are of the folders that it merged."""

    folders: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows: int = 0
    # Files that manifests had superseded, and drafts of processes that died.
    removed: int = 0
    # Folders that are over and not merged: for lack of time, and because of an error, in words.
    left: int = 0
    failed: list[str] = field(default_factory=list)


def compact(
    lake: Lake,
    *,
    clock: Callable[[], datetime],
    look_back: timedelta = LOOK_BACK,
    kept: timedelta = merging.SUPERSEDED_KEPT,
    within_s: float = WITHIN_S,
    monotonic: Callable[[], float] = time.monotonic,
    on_folder: Callable[[Folder], None] = lambda folder: None,
) -> Compacted:
    """Merge the folders that are over, oldest first, and remove what was superseded for longer than `kept`.

    Errors of one folder are told in the report and leave it as it was; `on_folder` hears of each before it is merged.
    """
    until, done, now = monotonic() + within_s, Compacted(), clock()
    for folder in sorted(_over(lake, now, look_back), key=lambda f: (f.span.start, f.path)):
        try:
            done.removed += _tidied(lake, folder, clock(), kept)
            if not is_due(lake, folder):
                continue
            if monotonic() > until:
                done.left += 1
                continue
            on_folder(folder)
            _compact(lake, folder, clock, done)
        except (LakeError, MemoryError) as e:
            log.warning("%s was not compacted: %s", folder, e)
            done.failed.append(f"{folder}: {e}")
    return done


def due(lake: Lake, *, now: datetime, look_back: timedelta = LOOK_BACK) -> list[Folder]:
    """The folders that are over and hold parts that no manifest knows, oldest first."""
    found = [folder for folder in _over(lake, now, look_back) if is_due(lake, folder)]
    return sorted(found, key=lambda f: (f.span.start, f.path))


def is_due(lake: Lake, folder: Folder) -> bool:
    """Whether a folder holds parts that its manifest does not know."""
    parts = {name for name in folder.files if layout.is_part(name)}
    if layout.MANIFEST not in folder.files:
        return len(parts) >= _LEAST_PARTS
    # Most folders that are looked at are merged, and their listing says so.
    manifest = manifests.read(lake.store, folder.path) if parts else None
    return manifest is not None and not parts <= set(manifest.superseded)


def _over(lake: Lake, now: datetime, look_back: timedelta) -> Iterator[Folder]:
    for name in WRITTEN_IN_PARTS:
        yield from folders.folders(lake, TABLES[name], Span(now - look_back, now - GRACE))


def _tidied(lake: Lake, folder: Folder, now: datetime, kept: timedelta) -> int:
    """Remove what is superseded, where anything can be."""
    if layout.MANIFEST not in folder.files or folders.is_at_rest(folder):
        return 0
    return merging.remove_superseded(
        lake, folder.table.name, folder.span.start, now=now, tier=folder.tier, kept=kept
    )


def _compact(lake: Lake, folder: Folder, clock: Callable[[], datetime], done: Compacted) -> None:
    manifest = merging.merge(
        lake,
        folder.table.name,
        folder.span.start,
        now=clock(),
        tier=folder.tier,
        verify=verifying.require_same,
        stamp=clock,
    )
    known = set(manifest.superseded) | {file.name for file in manifest.files}
    replaced = [size for name, size in folder.files.items() if name in known]
    done.folders += 1
    done.files_before += len(replaced)
    done.files_after += len(manifest.files)
    done.bytes_before += sum(replaced)
    done.bytes_after += sum(file.bytes for file in manifest.files)
    done.rows += manifest.rows
