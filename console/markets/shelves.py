"""Which files hold the rows of a table, as of some seconds ago: every part of every page asks for them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import date, timedelta

from console.place import Place
from polymarket_assets.lake import folders, layout, reading
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span, day_of

# What is published is seen so much later at the most; days that are over change when they are tidied only. A file that is
# superseded can be opened for 15 minutes more.
_EVERY_S, _EVERY_OVER_S = 3.0, 60.0
# Days of tables that are remembered; the oldest asked for goes first.
_MOST = 256


@dataclass(frozen=True)
class Filed:
    """A file with the hour or day it belongs to; `bytes` tells a part from one that replaced it."""

    file: str
    span: Span
    bytes: int

    @property
    def is_sealed(self) -> bool:
        """Whether its hour was closed into it: it never changes."""
        return layout.is_merged(self.file)

    @property
    def tier(self) -> str | None:
        """The tier it is filed under, where its table has tiers."""
        return layout.tier_of(self.file)


@dataclass
class _Day:
    """The folders of a table's day, with what of them counts."""

    looked: float
    known: dict[str, tuple[Folder, list[Filed]]]


class Shelves:
    """Listings of days; manifests are read only of folders in which anything changed (as `lake.following`)."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lake = place.lake()
        self._lock = threading.Lock()
        self._days: dict[tuple[str, date], _Day] = {}

    def files(self, table: str, span: Span) -> list[Filed]:
        """The files of the hours (or days) that a span touches, in order of time. Raises as `reading.files`."""
        with self._lock:
            held = [filed for day in span.days() for filed in self._of(table, day)]
        return [f for f in held if f.span.start < span.end and span.start < f.span.end]

    def _of(self, table: str, day: date) -> list[Filed]:
        key = (table, day)
        known = self._days.pop(key, None)
        is_over = day_of(day) < day_of(self._place.clock()) - timedelta(days=1)
        if known is None or time.monotonic() - known.looked > (_EVERY_OVER_S if is_over else _EVERY_S):
            known = self._looked(table, day, known.known if known else {})
        self._days[key] = known
        while len(self._days) > _MOST:
            del self._days[next(iter(self._days))]
        return [filed for _, found in known.known.values() for filed in found]

    def _looked(self, table: str, day: date, known: dict[str, tuple[Folder, list[Filed]]]) -> _Day:
        found = list(folders.folders(self._lake, TABLES[table], Span.day(day)))
        fresh = [folder for folder in found if known.get(folder.path, (None,))[0] != folder]
        listed = zip(fresh, self._lake.store.each(self._current, fresh), strict=True)
        now = known | {folder.path: (folder, files) for folder, files in listed}
        return _Day(time.monotonic(), {folder.path: now[folder.path] for folder in found})

    def _current(self, folder: Folder) -> list[Filed]:
        paths = [f"{folder.path}/{name}" for name in folder.files]
        return [
            Filed(file, folder.span, folder.files.get(file.rsplit("/", 1)[-1], 0))
            for file in reading.current(self._lake, folder.path, paths)
        ]


def shelves(place: Place) -> Shelves:
    """Those of this installation."""
    return place.own(Shelves)
