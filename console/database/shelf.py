"""Where the rows of a table lie, newest first: units of files that share no instant, so that a page of rows opens few of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from console.place import Place
from polymarket_assets.lake import folders, manifests, reading
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.schemas import Grain, Table
from polymarket_assets.lake.spans import DAY, HOUR, Span
from polymarket_assets.lake.writing import Lake

# A folder takes about a kilobyte: more are forgotten, and read again when asked for.
MOST_FOLDERS = 30_000


@dataclass(frozen=True)
class File:
    """A file that counts: where it lies, and its bytes."""

    uri: str
    bytes: int


@dataclass(frozen=True)
class Unit:
    """The files of an hour or a day; rows of other units lie wholly before or after it. A table filed whole has one, without a span."""

    span: Span | None
    files: tuple[File, ...]


class Shelf:
    """The files of a lake; which ones count is read again only of folders in which anything changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[dict[str, int], tuple[File, ...]]] = {}
        self._lock = threading.Lock()

    def units(
        self, lake: Lake, table: Table, span: Span | None = None, *, newest_first: bool = True
    ) -> Iterator[Unit]:
        """The units that a span touches (None: all), listed day by day as they are taken.

        Raises:
            ColdAway: one lies in cold storage that is not there now.
            BrokenManifest, StoreUnavailable, StoreRefused: what counts there cannot be known.
        """
        if table.grain is Grain.WHOLE:
            yield Unit(None, self._whole(lake, table))
            return
        for day in sorted(folders.days(lake, table), reverse=newest_first):
            if span is None or _touches(Span.day(day), span):
                for held, found in _by_time(folders.of_day(lake, table, day), newest_first):
                    if span is None or _touches(held, span):
                        yield Unit(
                            held, tuple(file for folder in found for file in self.current(lake, folder))
                        )

    def current(self, lake: Lake, folder: Folder) -> tuple[File, ...]:
        """The files of a folder that count. Raises as `units`."""
        key = lake.store.uri(folder.path)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known[0] == folder.files:
            return known[1]
        found = tuple(_current(lake, folder.path, folder.files))
        with self._lock:
            while len(self._known) >= MOST_FOLDERS:
                del self._known[next(iter(self._known))]
            self._known[key] = (folder.files, found)
        return found

    def _whole(self, lake: Lake, table: Table) -> tuple[File, ...]:
        sizes = lake.store.sizes(table.name)
        return tuple(
            _current(lake, table.name, {path.rsplit("/", 1)[-1]: size for path, size in sizes.items()})
        )


def of(place: Place) -> Shelf:
    """The shelf of an installation."""
    return place.own(_made)


def _made(_: Place) -> Shelf:
    return Shelf()


def _current(lake: Lake, folder: str, sizes: dict[str, int]) -> Iterator[File]:
    listed = reading.current(lake, folder, [f"{folder}/{name}" for name in sizes])
    named = {uri: uri.rsplit("/", 1)[-1] for uri in listed}
    if all(name in sizes for name in named.values()):
        yield from (File(uri, sizes[name]) for uri, name in named.items())
        return
    manifest = manifests.read(lake.store, folder)
    away = {file.name: file.bytes for file in manifest.files} if manifest else {}
    yield from (File(uri, sizes.get(name, away.get(name, 0))) for uri, name in named.items())


def _by_time(found: Iterable[Folder], newest_first: bool) -> Iterator[tuple[Span, list[Folder]]]:
    """The folders of a day by hour, the tiers of an hour together; a day whose rows were built by day is one."""
    listed = list(found)
    is_by_day = any(folder.span.end - folder.span.start == DAY for folder in listed)
    by_start: dict[datetime, list[Folder]] = defaultdict(list)
    for folder in listed:
        by_start[Span.day(folder.span.start).start if is_by_day else folder.span.start].append(folder)
    for start in sorted(by_start, reverse=newest_first):
        yield Span(start, start + (DAY if is_by_day else HOUR)), by_start[start]


def _touches(held: Span, span: Span) -> bool:
    return held.start < span.end and span.start < held.end
