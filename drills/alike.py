"""Whether lakes hold the same rows, table by table, as their readers give them: how many, and the sum of a hash of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from polymarket_assets.lake import reading, verifying
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake

Held = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Row:
    """A table of two lakes; `must` is whether it was to be filled."""

    table: str
    one: tuple[int, int]
    other: tuple[int, int]
    must: bool

    @property
    def is_same(self) -> bool:
        """Whether both hold the same rows, and any where there must be some."""
        return self.one == self.other and (self.one[0] > 0 or not self.must)


def held(lake: Lake, without: Mapping[str, Collection[str]] | None = None) -> Held:
    """Rows and digest of every table, `without` columns of some."""
    left_out = without or {}
    return {name: verifying.digest(table, reading.files(lake, name), left_out.get(name, ())) for name, table in TABLES.items()}  # fmt: skip


def compared(one: Held, other: Held, filled: Iterable[str]) -> Iterator[Row]:
    """Every table that either lake has rows of, or must have."""
    for table in TABLES:
        row = Row(table, one[table], other[table], table in set(filled))
        if row.must or row.one[0] or row.other[0]:
            yield row


def copied(lake: Lake, folder: Path) -> Lake:
    """A lake in a folder, every file of it as it is in the other: name by name, byte by byte."""
    copy = Lake(folder)
    paths = lake.store.list("")
    for path, content in zip(paths, lake.store.each(lake.store.read_bytes, paths), strict=True):
        if content is not None:
            copy.store.write_bytes(path, content)
    return Lake(folder)
