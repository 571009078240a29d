"""The files of an export: data files named by their checksum, `schema.json`, and `manifest.json`, which makes them count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pyarrow as pa

from polymarket_assets.lake import documenting, text_form
from polymarket_assets.lake.errors import NotAnExport
from polymarket_assets.lake.schemas import LAKE_FORMAT, Table
from polymarket_assets.lake.storage import LocalStore, Stored

MANIFEST, SCHEMA = "manifest.json", "schema.json"
FORMATS = ("parquet", "csv")
# Rows of so many bytes in memory go into one file: some 100 MB of Parquet, one gigabyte of CSV.
FILE_BYTES = 1024 * 1024 * 1024
# What an export that was killed may have left.
_OURS = re.compile(r"[a-z_]+-\d{4}-[0-9a-f]{16}\.(parquet|csv)|schema\.json")


class File(msgspec.Struct, frozen=True):
    """One data file of an export."""

    name: str
    rows: int
    bytes: int
    sha256: str


class What(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for: by this one export is told from another."""

    table: str
    start: str | None
    end: str | None
    markets: list[str]
    format: str


class Manifest(What, frozen=True, kw_only=True):
    """What an export holds."""

    rows: int
    # Of the column that files the table; null where there is no row, or no such column.
    first: str | None
    last: str | None
    files: list[File]
    lake_format: int
    created_at: datetime


@dataclass
class _Part:
    """The groups of one file: taken from all groups until they are enough, what comes next kept."""

    groups: Iterator[pa.Table]
    next: pa.Table | None
    rows: int = 0

    def __iter__(self) -> Iterator[pa.Table]:
        held = 0
        while self.next is not None and held < FILE_BYTES:
            held += self.next.nbytes
            if self.next.num_rows:
                self.rows += self.next.num_rows
                yield self.next
            self.next = next(self.groups, None)


def store(folder: Path) -> LocalStore:
    """What writes into the folder of an export."""
    return LocalStore(folder, called="the export")


def publish(store: LocalStore, table: Table, format_: str, groups: Iterator[pa.Table]) -> Iterator[File]:
    """Write groups of rows as data files; without rows there is one file all the same, with the columns.

    Raises `LakeUnwritable`.
    """
    part = _Part(groups, next(groups, table.schema.empty_table()))
    number = 0
    while part.next is not None:
        number += 1
        stored = _WRITERS[format_](store, table, f"{table.name}-{number:04d}", part)
        yield File(stored.name, part.rows, stored.bytes, stored.sha256)
        part = _Part(groups, part.next)


def _parquet(store: LocalStore, table: Table, name: str, part: _Part) -> Stored:
    return store.write_groups(".", name, table.schema, part, {"compression": "zstd"})


def _csv(store: LocalStore, table: Table, name: str, part: _Part) -> Stored:
    from pyarrow import csv

    def write(draft: Path) -> None:
        with text_form.Converter(table.schema) as converter, csv.CSVWriter(draft, converter.schema) as writer:
            for group in part:
                writer.write_table(converter.converted(group))

    return store.write_file(".", name, "csv", write)


_WRITERS = {"parquet": _parquet, "csv": _csv}


def described(table: Table, format_: str) -> bytes:
    """`schema.json`: what a row is, its key, and every column with its type, unit and meaning."""
    columns = [
        {
            "name": column.name, "type": documenting.type_in_words(column.type), "nullable": column.nullable, "meaning": column.doc,
            **({"written": text_form.written(column.type)} if format_ == "csv" else {}),
        }
        for column in table.columns
    ]  # fmt: skip
    said = {
        "table": table.name, "row": table.row, "key": table.key, "filed_by": table.filed_by, "lake_format": LAKE_FORMAT,
        "units": " ".join(documenting.UNITS.split()), "columns": columns,
    }  # fmt: skip
    return _pretty(said)


def standing(folder: Path, what: What) -> Manifest | None:
    """The same export as it stands in a folder; None where there is none yet.

    Raises:
        NotAnExport: the folder holds something else.
    """
    if folder.exists() and not folder.is_dir():
        raise NotAnExport(f"{folder} is a file: name a folder with --out")
    names = (
        {file.name for file in folder.iterdir() if not file.name.startswith(".")}
        if folder.exists()
        else set()
    )
    if MANIFEST not in names:
        if foreign := sorted(name for name in names if not _OURS.fullmatch(name)):
            raise NotAnExport(f"{folder} holds {foreign[0]} and no export: name another folder with --out")
        return None
    try:
        found = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.MsgspecError as e:
        raise NotAnExport(f"{folder / MANIFEST} is not that of an export ({e}): name another folder with --out") from e  # fmt: skip
    if differing := [name for name in what.__struct_fields__ if getattr(found, name) != getattr(what, name)]:
        told = "; ".join(
            f"its {name} is {getattr(found, name)!r}, not {getattr(what, name)!r}" for name in differing
        )
        raise NotAnExport(f"{folder} holds another export ({told}): name another folder with --out")
    return found


def commit(store: LocalStore, manifest: Manifest, schema: bytes) -> None:
    """Make the files count in one write; then those of a former export go, and what a killed one left. Raises `LakeUnwritable`."""
    store.write_bytes(SCHEMA, schema)
    store.write_bytes(MANIFEST, _pretty(manifest))
    current = {file.name for file in manifest.files} | {SCHEMA}
    for name in store.list("."):
        if _OURS.fullmatch(name) and name not in current:
            store.remove(name)
    store.remove_drafts(".")


def forget(folder: Path, files: list[File], before: Manifest | None) -> None:
    """Remove the files of an export that came to nothing, as far as they are not those of the export before."""
    kept = {file.name for file in before.files} if before else set()
    for file in files:
        if file.name not in kept:
            (folder / file.name).unlink(missing_ok=True)


def _pretty(said: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(said), indent=2) + b"\n"
