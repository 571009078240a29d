"""The files of a table for who looks again and again: manifests are read only of folders in which anything changed.

Every other look is a listing for each day. A folder that is merged again has another file by name, and one that is moved or retired a
manifest of another size, so that its listing tells.
"""

from __future__ import annotations

from polymarket_assets.lake import folders, reading
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake


class Followed:
    """A table filed by hour, as of the last look."""

    def __init__(self, lake: Lake, table: str) -> None:
        self._lake, self._table = lake, TABLES[table]
        self._known: dict[str, tuple[Folder, list[str]]] = {}

    def files(self, span: Span) -> list[str]:
        """What `reading.files` says of the hours that a span touches. Raises as it."""
        hours = Span(hour_of(span.start), hour_of(span.end) + HOUR)
        found = list(folders.folders(self._lake, self._table, hours))
        changed = [folder for folder in found if self._known.get(folder.path, (None,))[0] != folder]
        fresh = zip(changed, self._lake.store.each(self._current, changed), strict=True)
        known = self._known | {folder.path: (folder, files) for folder, files in fresh}
        self._known = {folder.path: known[folder.path] for folder in found}
        return [file for _, files in self._known.values() for file in files]

    def _current(self, folder: Folder) -> list[str]:
        return reading.current(self._lake, folder.path, [f"{folder.path}/{name}" for name in folder.files])
