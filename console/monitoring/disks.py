"""The lake on its disks: how large each table is, what it grows by, and when a disk is full."""

from __future__ import annotations

from dataclasses import dataclass

from console.kept import Seen
from console.place import Place

# Every file of the lake is listed for it.
EVERY_S = 300.0


@dataclass(frozen=True)
class TableSize:
    """The files of a table, superseded ones among them until they are removed; its growth in bytes a day, where it is known."""

    table: str
    files: int
    bytes: int
    bytes_a_day: float | None
    goes: str | None


@dataclass(frozen=True)
class DiskForecast:
    """A disk of the lake: bytes free (None: an object store has no end), what is added a day, and in how many days it is full (None: never)."""

    name: str
    total: int | None
    free: int | None
    bytes_a_day: float
    full_in_days: float | None
    level: str
    said: str


@dataclass(frozen=True)
class Forecast:
    """Disks and tables (the largest first); `hours` of recording in the last three days are what growth is taken from."""

    bytes: int
    disks: tuple[DiskForecast, ...]
    tables: tuple[TableSize, ...]
    hours: int


def forecast(place: Place) -> Seen[Forecast]:
    """What the lake comes to. Raises `NotYet`, `Refused` where there is no lake to look at."""
    return place.seen(_look, every_s=EVERY_S)


def _look(place: Place) -> Forecast:
    from polymarket_assets.lake import forecast as forecasting
    from polymarket_assets.lake.schemas import TABLES

    lake = place.lake()
    found = forecasting.forecast(lake, now=place.clock(), retention_days=place.settings.retention_days)
    grown = {one.table: one for one in found.tables}
    sizes = zip(TABLES, lake.store.each(lake.store.sizes, list(TABLES)), strict=True)
    tables = [
        TableSize(table, len(files), sum(files.values()), grown[table].bytes_a_day if table in grown else None, grown[table].goes if table in grown else None)
        for table, files in sizes
        if files
    ]  # fmt: skip
    disks = tuple(DiskForecast(one.name, one.total, one.free, one.bytes_a_day, one.full_in_days, one.level, str(one)) for one in found.disks)  # fmt: skip
    return Forecast(sum(one.bytes for one in tables), disks, tuple(sorted(tables, key=lambda one: -one.bytes)), found.hours)  # fmt: skip
