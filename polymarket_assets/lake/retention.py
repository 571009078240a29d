"""Retention: whole hours and days that are older than their table is kept are removed, where nothing needs them any more.

In two steps, as everything that is removed: a manifest says that the folder holds nothing, and its files go when no
reader can still hold their names. What is refused is told: a table that the platform remembers by is never removed,
none is kept for less than what reads it looks back, and an hour stays until what is built from it was built.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from polymarket_assets.lake import cold, folders, layout, manifests, merging
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.manifests import Manifest
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import DAY
from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)

# What the platform remembers by: without these it would ask again, number versions anew, or not know what it knew.
REMEMBERED: Mapping[str, str] = {
    "resolutions": "its versions are numbered from what is there, and labels have no other home",
    "census": "every market ever seen stays in it, with when it was first seen",
    "training_set": "it is one set and not filed by time",
    "paper_orders": "open positions of the paper portfolio are made of them",
    "paper_positions": "what the paper portfolio earned stands nowhere else",
    "paper_accounts": "the paper portfolio goes on from the newest of them",
    "history_markets": "markets of the past without an end that is settled are found in it",
    "predictions": "what was said before the outcome is the one test set that nobody can have looked at",
    "trials": "every claim pays for all that was ever tried",
}
# Days that are looked back at: hours of `trades` are built again within a week, ends of markets are asked about for 45
# days after their last row, features look back 30 days.
AT_LEAST_DAYS: Mapping[str, int] = {
    "trades_raw": 9, "book_changes": 9, "stream_gaps": 9, "market_events": 9, "rejects": 9,
    "trades": 9, "trade_hours": 9, "snapshots": 2, "orderbooks": 2, "sweeps": 2, "whale_events": 2, "markets": 60,
    "history_prices": 30,
}  # fmt: skip
# What is built from an hour of a table, hour by hour: its folder must be there, or past its own days.
BUILT_FROM: Mapping[str, tuple[str, ...]] = {
    "trades_raw": ("trades",),
    "stream_gaps": ("trades",),
    "trades": ("whale_events",),
    "snapshots": ("features", "whale_events"),
}


@dataclass(frozen=True)
class Kept:
    """Folders of a table that are past their days and stay, and why."""

    table: str
    folders: int
    why: str

    def __str__(self) -> str:
        return f"{self.table}: {self.why} ({self.folders} hours or days are past their time)"


@dataclass(frozen=True)
class Plan:
    """What is past its days: folders to remove, oldest first in each table, and those that stay."""

    doomed: tuple[Folder, ...]
    kept: tuple[Kept, ...]


@dataclass
class Retired:
    """What a removal did; `removed` files of folders retired before are gone from the disk."""

    folders: int = 0
    files: int = 0
    bytes: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def plan(lake: Lake, days: Mapping[str, int], *, now: datetime) -> Plan:
    """What `retire` would do; `days` by table, a table that is not in it is kept for ever."""
    doomed: list[Folder] = []
    kept: list[Kept] = []
    for table in (name for name in TABLES if name in days):
        past = [f for f in _past(lake, table, days[table], now) if not _is_retired(lake, f)]
        if why := never(table, days[table]):
            kept.append(Kept(table, len(past), why))
            continue
        needed = {folder.path: why for folder in past if (why := _needed(lake, folder, days, now))}
        doomed += [folder for folder in past if folder.path not in needed]
        if needed:
            kept.append(Kept(table, len(needed), f"{next(iter(needed.values()))}; the oldest is {next(iter(needed))}"))  # fmt: skip
    return Plan(tuple(doomed), tuple(kept))


def retire(
    lake: Lake,
    days: Mapping[str, int],
    *,
    now: datetime,
    kept: timedelta = merging.SUPERSEDED_KEPT,
) -> Retired:
    """Retire what is past its days, and remove the files of what was retired longer than `kept` ago."""
    done = Retired()
    for table in (name for name in TABLES if name in days):
        for folder in _past(lake, table, days[table], now):
            if _is_retired(lake, folder):
                with _failures_told(folder, done):
                    done.removed += _removed(lake, folder, now, kept)
    found = plan(lake, days, now=now)
    done.kept = list(map(str, found.kept))
    for folder in found.doomed:
        with _failures_told(folder, done):
            _retire(lake, folder, now, done)
    return done


@contextlib.contextmanager
def _failures_told(folder: Folder, done: Retired) -> Iterator[None]:
    try:
        yield
    except LakeError as e:
        log.warning("%s was not removed: %s", folder, e)
        done.failed.append(f"{folder}: {e}")


def _past(lake: Lake, table: str, days: int, now: datetime) -> list[Folder]:
    """The folders that ended at least so many days ago: never the open one."""
    before = now - days * DAY
    return [folder for folder in folders.folders(lake, TABLES[table]) if folder.span.end <= before]


def never(table: str, days: int) -> str | None:
    """Why nothing of a table may go; None where it may."""
    if table in REMEMBERED:
        return f"it is never removed, {REMEMBERED[table]}: unset RETENTION_DAYS_{table.upper()}"
    least = AT_LEAST_DAYS.get(table, 1)
    if days < least:
        return f"{days} days are less than the {least} that are looked back at: raise RETENTION_DAYS_{table.upper()}"  # fmt: skip
    return None


def _needed(lake: Lake, folder: Folder, days: Mapping[str, int], now: datetime) -> str | None:
    """Why an hour is still needed; None where what is built from it is there, or past its own days."""
    for derived in BUILT_FROM.get(folder.table.name, ()):
        is_past = derived in days and folder.span.end <= now - days[derived] * DAY
        if not is_past and not lake.store.list(layout.folder(TABLES[derived], folder.span.start)):
            return f"{derived} was not built from them: materialize {derived} of these hours"
    return None


def _is_retired(lake: Lake, folder: Folder) -> bool:
    """Whether a manifest says already that nothing counts here, and nothing came since."""
    if layout.MANIFEST not in folder.files:
        return False
    manifest = manifests.read(lake.store, folder.path)
    parts = {name for name in folder.files if layout.is_part(name)}
    return manifest is not None and manifest.retired and parts <= set(manifest.superseded)


def _retire(lake: Lake, folder: Folder, now: datetime, done: Retired) -> None:
    before = manifests.read(lake.store, folder.path)
    sealed = before.files if before else ()
    names = [name for name in folder.files if layout.is_part(name) or layout.is_merged(name)]
    superseded = dict.fromkeys([*(before.superseded if before else ()), *(f.name for f in sealed), *names])
    manifests.write(
        lake.store,
        folder.path,
        Manifest(
            table=folder.table.name,
            sealed_at=now,
            files=(),
            superseded=tuple(superseded),
            through=before.through if before else None,
            retired=True,
        ),
    )
    done.folders += 1
    done.files += len({*names, *(f.name for f in sealed)})
    done.bytes += sum(folder.files[name] for name in names)
    done.bytes += sum(f.bytes for f in sealed if f.name not in folder.files)


def _removed(lake: Lake, folder: Folder, now: datetime, kept: timedelta) -> int:
    """Remove the files of a folder retired so long ago, at last the folder itself; returns how many files went."""
    manifest = manifests.read(lake.store, folder.path)
    if manifest is None or now - manifest.sealed_at < kept:
        return 0
    # With its manifest gone, nobody would know of files on a disk that is not there now.
    away = cold.require(lake, folder.path) if cold.store(lake) is not None else None
    gone = merging.remove_superseded(lake, folder.table.name, folder.at, now=now, tier=folder.tier, kept=kept)
    marker = f"{folder.path}/{layout.MANIFEST}"
    if lake.store.list(folder.path) == [marker]:
        lake.store.remove(marker)
        lake.store.remove_emptied(folder.path)
        if away is not None:
            away.remove_emptied(folder.path)
    return gone
