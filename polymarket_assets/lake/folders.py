"""The dated folders of a lake with what lies in them: what compaction, retention and cold storage walk over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from polymarket_assets.lake import layout
from polymarket_assets.lake.schemas import Grain, Table
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.storage import Store
from polymarket_assets.lake.writing import Lake


@dataclass(frozen=True)
class Folder:
    """A folder that files an hour or a day of a table; `files` are names with bytes, the manifest among them."""

    table: Table
    path: str
    span: Span
    files: dict[str, int]

    @property
    def tier(self) -> str | None:
        """Its tier, where the table has tiers."""
        return layout.tier_of(self.path)

    @property
    def at(self) -> datetime | date:
        """What `layout.folder` files here: rows of an hourly table that were built by day lie beside its hours."""
        by_day = self.table.grain is Grain.HOUR and "/hour=" not in self.path
        return self.span.start.date() if by_day else self.span.start

    @property
    def bytes(self) -> int:
        """What its files take up."""
        return sum(self.files.values())

    def __str__(self) -> str:
        return self.path


def folders(lake: Lake, table: Table, span: Span | None = None) -> Iterator[Folder]:
    """The folders of a table that lie wholly within a span (None: all), oldest first; a table filed whole has none."""
    if table.grain is Grain.WHOLE:
        return
    found = (_folder(table, path, files) for path, files in _listed(lake.store, table, span))
    yield from sorted(
        (f for f in found if span is None or (f.span.start >= span.start and f.span.end <= span.end)),
        key=lambda f: (f.span.start, f.path),
    )


def days(lake: Lake, table: Table) -> list[date]:
    """The days of which a table has a folder, newest first, without looking into them; a table filed whole has none."""
    places = [layout.table_folder(table, tier) for tier in _tiers(table)]
    names = {name for found in lake.store.each(lake.store.below, places) for name in found}
    spans = (layout.span_of(name) for name in names)
    return sorted({span.start.date() for span in spans if span is not None}, reverse=True)


def of_day(lake: Lake, table: Table, day: date) -> list[Folder]:
    """The folders of a table of one day, oldest first."""
    return list(folders(lake, table, Span.day(day)))


def is_at_rest(folder: Folder) -> bool:
    """Whether a folder is closed and nothing is to be merged or removed: its manifest, and what it merged, in one file at the most."""
    others = [name for name in folder.files if name != layout.MANIFEST]
    return layout.MANIFEST in folder.files and len(others) <= 1 and all(map(layout.is_merged, others))


def _listed(store: Store, table: Table, span: Span | None) -> Iterator[tuple[str, dict[str, int]]]:
    by_folder: dict[str, dict[str, int]] = defaultdict(dict)
    for sizes in store.each(store.sizes, _prefixes(table, span)):
        for path, size in sizes.items():
            folder, name = path.rsplit("/", 1)
            by_folder[folder][name] = size
    yield from ((folder, files) for folder, files in by_folder.items() if layout.span_of(folder) is not None)


def _prefixes(table: Table, span: Span | None) -> list[str]:
    """The folders to list: a bounded span lists its days only."""
    if span is None:
        return [table.name]
    return [f"{layout.table_folder(table, tier)}/date={day:%Y-%m-%d}" for tier in _tiers(table) for day in span.days()]  # fmt: skip


def _tiers(table: Table) -> Sequence[str | None]:
    from polymarket_assets.tiers import TIERS

    return [tier.name for tier in TIERS] if table.tiered else [None]


def _folder(table: Table, path: str, files: dict[str, int]) -> Folder:
    span = layout.span_of(path)
    assert span is not None
    return Folder(table, path, span, files)
