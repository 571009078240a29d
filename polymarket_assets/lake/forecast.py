"""When the disk is full: what each table grew by in the last days of recording, against the space that is left.

Growth is that of hours that were recorded, so a machine that was off half the time is not taken for a slow one. What is
removed or moved as fast as it comes, by retention or to cold storage, adds nothing to this disk any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from polymarket_assets.lake import cold, folders, layout, manifests, retention
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.schemas import TABLES, Grain, Table
from polymarket_assets.lake.spans import DAY, HOUR, Span, day_of, hour_of
from polymarket_assets.lake.storage import Store
from polymarket_assets.lake.writing import Lake

# Long enough for a weekday and a quiet one, short enough that a new cap or tier shows within a day or two.
WINDOW = timedelta(days=3)
# A disk is bought, or days of retention are agreed on, within two weeks; three days are a weekend.
WARNING_DAYS, ERROR_DAYS = 14.0, 3.0
FINE, WARNING, ERROR = "fine", "warning", "error"


@dataclass(frozen=True)
class Growth:
    """A table's growth in bytes a day of recording; `goes` says where as much goes away from, None: nothing does."""

    table: str
    bytes_a_day: float
    goes: str | None = None


@dataclass(frozen=True)
class Disk:
    """A disk of the lake: what is free (None: it has no end), and what all tables together add to it a day."""

    name: str
    total: int | None
    free: int | None
    bytes_a_day: float

    @property
    def full_in_days(self) -> float | None:
        """Days until nothing is free; None: it does not fill."""
        return self.free / self.bytes_a_day if self.free is not None and self.bytes_a_day > 0 else None

    @property
    def level(self) -> str:
        """`error`, `warning` or `fine`, by `ERROR_DAYS` and `WARNING_DAYS`."""
        days = self.full_in_days
        if days is None or days >= WARNING_DAYS:
            return FINE
        return WARNING if days >= ERROR_DAYS else ERROR

    def __str__(self) -> str:
        days = self.full_in_days
        if self.free is None:
            return f"{self.name} does not fill: it is an object store and has no end, {self.bytes_a_day / 1e9:,.2f} GB a day"
        when = f"is full in {days:,.1f} days" if days is not None else "does not fill"
        return f"{self.name} {when}: {self.free / 1e9:,.1f} GB free, {self.bytes_a_day / 1e9:,.2f} GB a day"


@dataclass(frozen=True)
class Forecast:
    """The disks of a lake, the hot one first, and the growth of its tables, the largest first."""

    disks: tuple[Disk, ...]
    tables: tuple[Growth, ...]
    # Hours recorded in the window that the growth is taken from.
    hours: int

    @property
    def level(self) -> str:
        """The worst of its disks."""
        levels = {disk.level for disk in self.disks}
        return next(level for level in (ERROR, WARNING, FINE) if level in levels)


def forecast(lake: Lake, *, now: datetime, retention_days: Mapping[str, int]) -> Forecast:
    """What the lake's disks come to, with tables kept for so many days.

    Raises:
        BrokenManifest: a manifest of the last days cannot be read.
    """
    recent = {table.name: list(_recent(lake, table, now)) for table in TABLES.values()}
    hours = {f.span.start for found in recent.values() for f in found if f.span.end - f.span.start == HOUR}
    away = cold.store(lake)
    grown = [
        Growth(name, _a_day(lake, TABLES[name], found, len(hours)), _goes(lake, name, retention_days, now))
        for name, found in recent.items()
        if found
    ]
    disks = [_disk("the lake's disk", lake.store, (g for g in grown if g.goes is None))]
    if away is not None:
        disks.append(_disk("cold storage", away, (g for g in grown if g.goes == _COLD)))
    return Forecast(tuple(disks), tuple(sorted(grown, key=lambda g: -g.bytes_a_day)), len(hours))


_COLD, _RETIRED = "to cold storage", "by retention"


def _disk(name: str, store: Store, grown: Iterable[Growth]) -> Disk:
    space = store.space()
    a_day = sum(growth.bytes_a_day for growth in grown)
    return Disk(name, space.total, space.free, a_day) if space else Disk(name, None, None, a_day)


def _recent(lake: Lake, table: Table, now: datetime) -> Iterable[Folder]:
    """The folders of the window that are over."""
    end = hour_of(now)
    start = day_of(end - WINDOW) if table.grain is Grain.DAY else end - WINDOW
    return folders.folders(lake, table, Span(start, end))


def _a_day(lake: Lake, table: Table, found: list[Folder], hours: int) -> float:
    """Bytes a day; of rows filed by day those of an average day, else those of an hour that was recorded, times 24."""
    counted = sum(_counting(lake, folder) for folder in found)
    if table.grain is Grain.DAY or not hours:
        return counted / len({folder.span.start for folder in found})
    return counted / hours * (DAY / HOUR)


def _counting(lake: Lake, folder: Folder) -> int:
    """The bytes that stay of a folder: what its manifest supersedes goes within the hour."""
    manifest = manifests.read(lake.store, folder.path) if layout.MANIFEST in folder.files else None
    superseded = set(manifest.superseded) if manifest else set()
    sealed = sum(file.bytes for file in manifest.files) if manifest else 0
    return sealed + sum(
        size for name, size in folder.files.items() if layout.is_part(name) and name not in superseded
    )


def _goes(lake: Lake, table: str, retention_days: Mapping[str, int], now: datetime) -> str | None:
    """Where as much of a table goes as comes: its oldest folder is nearly past its days, or was moved."""
    oldest = next(folders.folders(lake, TABLES[table]), None)
    if oldest is None:
        return None
    days = retention_days.get(table)
    if days is not None and retention.never(table, days) is None and now - oldest.span.end >= (days - 1) * DAY:  # fmt: skip
        return _RETIRED
    manifest = manifests.read(lake.store, oldest.path)
    return _COLD if manifest is not None and manifest.cold else None
