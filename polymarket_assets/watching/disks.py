"""Disks and the lake on them: how full, whether it can be written, when it is full, how large it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from polymarket_assets.lake import layout
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched

# Written and removed at every look: some bytes beside `_lake.json`, which no reader takes for a table.
PROBE = "_probe.json"
# What is told as full is over when so much more is free: files come and go.
MARGIN_PCT = 1.0
# Writes to an object store are paid for, and every run that records is another probe; one that failed is tried at every look.
STORE_PROBED_EVERY = timedelta(minutes=10)
_probed: dict[str, datetime] = {}


def look(watched: Watched) -> Iterator[Told]:
    """How full each disk is, one that holds several of our folders once."""
    seen: set[int] = set()
    for name, folder in _folders(watched):
        standing = next(place for place in (folder, *folder.parents) if place.exists())
        if (device := standing.stat().st_dev) in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(standing)
        # As `df`: what is reserved for root is not ours to use.
        pct = 100 * usage.used / max(1, usage.used + usage.free)
        yield Figure("disk_free_bytes", "Bytes free for us on a disk.", usage.free, {"disk": name})
        yield Figure("disk_used_ratio", "Share of a disk that is used.", pct / 100, {"disk": name})
        key = f"disk_full:{name}"
        if pct > watched.settings.alert_disk_pct - watched.margin(key, MARGIN_PCT):
            text = f"the disk of {name} is {pct:.1f} % full, {usage.free / 1e9:,.1f} GB are left: shorten RETENTION_DAYS_<TABLE>, set COLD_ROOT, or add a disk"
            yield Finding(key, Severity.CRITICAL, watched.now, text)


def _folders(watched: Watched) -> Iterator[tuple[str, Path]]:
    settings = watched.settings
    named = {"LAKE_ROOT": settings.lake_root, "STATE_DIR": settings.state_dir, "DAGSTER_HOME": settings.dagster_home, "COLD_ROOT": settings.cold_root}  # fmt: skip
    for name, folder in named.items():
        if folder and "://" not in str(folder):
            yield name, Path(folder)


def reading(watched: Watched) -> Iterator[Told]:
    """Whether the lake is there, for who only reads it."""
    try:
        lake = watched.lake
        if lake.store.read_bytes(layout.LAKE_FILE) is None:
            yield from _missing(watched, lake)
    except LakeError as e:
        yield Finding("lake_unwritable", Severity.CRITICAL, watched.now, f"the lake cannot be read: {e}")


def writing(watched: Watched) -> Iterator[Told]:
    """Whether the lake is there, and can be written."""
    try:
        lake = watched.lake
        if lake.store.read_bytes(layout.LAKE_FILE) is None:
            yield from _missing(watched, lake)
            return
        _probe(watched, lake)
    except LakeError as e:
        yield Finding("lake_unwritable", Severity.CRITICAL, watched.now, f"nothing can be recorded: {e}")


def _probe(watched: Watched, lake: Lake) -> None:
    """Write and remove. Raises `LakeError`."""
    last = _probed.get(lake.root)
    if "://" in lake.root and last is not None and timedelta() <= watched.now - last < STORE_PROBED_EVERY:
        return
    _probed.pop(lake.root, None)
    lake.store.write_bytes(PROBE, b"{}")
    lake.store.remove(PROBE)
    _probed[lake.root] = watched.now


def _missing(watched: Watched, lake: Lake) -> Iterator[Told]:
    """A lake that nothing was written to is no fault; one that was, and is not there, is a disk that is not mounted."""
    import dagster as dg

    if watched.open_instance is None:
        return
    written = watched.dagster.get_latest_materialization_event(dg.AssetKey("markets"))
    if written is not None:
        text = f"the lake at {lake.root} is empty, though something was recorded before: is its disk mounted, is LAKE_ROOT the right one?"
        yield Finding("lake_unwritable", Severity.CRITICAL, watched.now, text)


def forecast(watched: Watched) -> Iterator[Told]:
    """When disks are full."""
    from polymarket_assets.lake import forecast as forecasting

    found = forecasting.forecast(
        watched.lake, now=watched.now, retention_days=watched.settings.retention_days
    )
    for disk in found.disks:
        yield Figure("disk_growth_bytes", "What the lake adds to a disk a day.", disk.bytes_a_day, {"disk": disk.name})  # fmt: skip
        if disk.level != forecasting.FINE:
            severity = Severity.CRITICAL if disk.level == forecasting.ERROR else Severity.WARNING
            yield Finding(f"disk_forecast:{disk.name}", severity, watched.now, str(disk), "/assets/kept_hours")  # fmt: skip


def size(watched: Watched) -> Iterator[Told]:
    """The bytes of the lake, by table; an object store is asked about several tables at a time."""
    store, tables = watched.lake.store, sorted(TABLES)
    for table, sizes in zip(tables, store.each(store.sizes, tables), strict=True):
        if sizes:
            yield Figure("lake_bytes", "Bytes of a table's files in the lake.", sum(sizes.values()), {"table": table})  # fmt: skip
