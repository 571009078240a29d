"""Cold storage: closed, sealed folders older than some days move to another disk, and are read as before.

Copied, compared with the checksums of sealing, then the manifest says where they are, in one write: a reader finds
each row once, in the one place or the other. The copies left behind go when no reader can still hold their names.
A move that dies leaves a copy that no manifest names; the next one replaces it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from polymarket_assets.lake import cold, folders, layout, manifests, merging
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.manifests import Manifest
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.storage import LocalStore
from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)

# Collectors read these whole every few minutes, and they are small: a disk that is not mounted must not stop collection.
STAYS = ("markets", "resolutions")
# Runs come every hour and must not meet; the first move of a large lake takes several.
WITHIN_S = 10 * 60.0


@dataclass
class Moved:
    """What a move did; `files` and `bytes` went to cold storage, `removed` are copies that stood behind."""

    folders: int = 0
    files: int = 0
    bytes: int = 0
    removed: int = 0
    left: int = 0
    failed: list[str] = field(default_factory=list)


def move(
    lake: Lake,
    root: str,
    *,
    clock: Callable[[], datetime],
    after: timedelta,
    kept: timedelta = merging.SUPERSEDED_KEPT,
    within_s: float = WITHIN_S,
    monotonic: Callable[[], float] = time.monotonic,
    on_folder: Callable[[Folder], None] = lambda folder: None,
) -> Moved:
    """Move the sealed folders that ended more than `after` ago to `root`, oldest first.

    Errors of one folder are told in the report and leave it where it was.

    Raises:
        ColdElsewhere, ColdAway: nothing can be moved to `root`.
    """
    away, until, done = cold.settle(lake, root), monotonic() + within_s, Moved()
    for folder, manifest in _sealed(lake, clock() - after):
        try:
            if manifest.cold or not manifest.files:
                done.removed += _tidied(lake, folder, clock(), kept)
            elif monotonic() > until:
                done.left += 1
            else:
                on_folder(folder)
                _move(lake, away, folder, manifest, clock, done)
        except LakeError as e:
            log.warning("%s was not moved: %s", folder, e)
            done.failed.append(f"{folder}: {e}")
    return done


def due(lake: Lake, *, now: datetime, after: timedelta) -> list[Folder]:
    """The sealed folders that `move` would move, oldest first."""
    return [folder for folder, manifest in _sealed(lake, now - after) if manifest.files and not manifest.cold]


def _sealed(lake: Lake, before: datetime) -> Iterator[tuple[Folder, Manifest]]:
    """The sealed folders that ended before an instant and hold anything but their manifest."""
    found = (folder for table in TABLES.values() if table.name not in STAYS for folder in folders.folders(lake, table) if folder.span.end <= before)  # fmt: skip
    for folder in sorted(found, key=lambda f: (f.span.start, f.path)):
        if layout.MANIFEST in folder.files and len(folder.files) > 1:
            manifest = manifests.read(lake.store, folder.path)
            if manifest is not None:
                yield folder, manifest


def _move(
    lake: Lake,
    away: LocalStore,
    folder: Folder,
    manifest: Manifest,
    clock: Callable[[], datetime],
    done: Moved,
) -> None:
    for file in manifest.files:
        path = f"{folder.path}/{file.name}"
        done.bytes += away.copy_in(path, lake.store, file.sha256)
        done.files += 1
    left = (*manifest.superseded, *(file.name for file in manifest.files))
    moved = msgspec.structs.replace(
        manifest, cold=True, sealed_at=clock(), superseded=tuple(dict.fromkeys(left))
    )
    manifests.write(lake.store, folder.path, moved)
    done.folders += 1


def _tidied(lake: Lake, folder: Folder, now: datetime, kept: timedelta) -> int:
    return merging.remove_superseded(lake, folder.table.name, folder.at, now=now, tier=folder.tier, kept=kept)
