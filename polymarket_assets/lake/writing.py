"""A lake that can be written: rows in the form their table declares, one whole file at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from polymarket_assets.lake import form, layout
from polymarket_assets.lake.errors import (
    BrokenManifest,
    LakeUnwritable,
    NewerLake,
    SchemaMismatch,
    StoreRefused,
    StoreUnavailable,
)
from polymarket_assets.lake.object_storage import store_of
from polymarket_assets.lake.schemas import LAKE_FORMAT, TABLES, Table
from polymarket_assets.lake.storage import Store

log = logging.getLogger(__name__)

# zstd's default, as of parts that are written whole: 1 takes a tenth less time and, of quotes, a tenth more bytes.
PART_LEVEL = 3


class _Form(msgspec.Struct, frozen=True):
    """The content of `_lake.json`."""

    format: int


@dataclass(frozen=True)
class Written:
    """One published file."""

    table: str
    path: str
    uri: str
    rows: int
    bytes: int


class Lake:
    """A lake by its root: every write of the platform goes through `publish`.

    Raises:
        NewerLake: the lake was written by a newer version of the platform.
        NoLake: the root is neither a folder nor an address of an object store.
        StoreUnavailable, StoreRefused: the object store does not say what is there.
        BrokenManifest: what marks it as a lake cannot be read.
    """

    def __init__(self, root: str | Path, store: Store | None = None) -> None:
        self.root = str(root)
        self.store: Store = store or store_of(root)
        self._is_marked = self._check_form()

    def publish(
        self,
        table: str,
        rows: pa.Table,
        *,
        part: str,
        at: datetime | date | None = None,
        tier: str | None = None,
    ) -> Written:
        """Publish rows as `part-<part>.parquet` of the folder of `at`; the same part again replaces it.

        Raises:
            SchemaMismatch: the rows do not have the table's columns, types or null rules.
            LakeUnwritable: nothing was written; the call can be repeated.
        """
        declared = TABLES[table]
        path = f"{layout.folder(declared, at, tier)}/{layout.part(part)}"
        self._mark_form()
        size = self.store.write_table(path, conform(declared, rows))
        return Written(table, path, self.store.uri(path), rows.num_rows, size)

    def publish_pieces(
        self, table: str, pieces: Iterable[pa.Table], *, part: str, at: datetime | date | None = None
    ) -> Written:
        """`publish` of more rows than memory may hold: tables that follow one another, of which no more than a row group is held.

        What making the tables raises comes through, and nothing is written.

        Raises:
            SchemaMismatch, LakeUnwritable: as `publish`; nothing was written.
        """
        declared = TABLES[table]
        path = f"{layout.folder(declared, at)}/{layout.part(part)}"
        self._mark_form()
        options = {**form.options(declared), "compression_level": PART_LEVEL}
        rows_a_group = form.group_rows(declared)
        whole = _gathered((conform(declared, piece) for piece in pieces), rows_a_group)
        rows, size = self.store.write_pieces(path, declared.schema, whole, options, rows_a_group)
        return Written(table, path, self.store.uri(path), rows, size)

    def publish_rows(self, table: str, rows: list[dict[str, Any]], **where: Any) -> Written:
        """`publish` of rows given as dictionaries; a missing key is null."""
        return self.publish(table, table_of(table, rows), **where)

    def _check_form(self) -> bool:
        """Whether the lake says which form it has. Raises `NewerLake`, `BrokenManifest`."""
        content = self.store.read_bytes(layout.LAKE_FILE)
        if content is None:
            return False
        try:
            form = msgspec.json.decode(content, type=_Form).format
        except msgspec.MsgspecError as e:
            raise BrokenManifest(f"{self.root}/{layout.LAKE_FILE}", content.decode(errors="replace"), f"{e}; restore it, or remove it to have it written anew") from e  # fmt: skip
        if form > LAKE_FORMAT:
            raise NewerLake(
                f"the lake at {self.root} has format {form}, this version reads up to {LAKE_FORMAT}: update the platform, or name another LAKE_ROOT"
            )
        return True

    def _mark_form(self) -> None:
        try:
            is_unmarked = not self._is_marked and self.store.read_bytes(layout.LAKE_FILE) is None
        except (StoreUnavailable, StoreRefused) as e:
            raise LakeUnwritable(str(e)) from e
        if is_unmarked:
            self.store.write_bytes(layout.LAKE_FILE, msgspec.json.encode(_Form(LAKE_FORMAT)))
        self._is_marked = True


def _gathered(pieces: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows in whole row groups, the last one aside: a piece of its own each would make files of crumbs."""
    held: list[pa.Table] = []
    waiting = 0
    for piece in pieces:
        held.append(piece)
        waiting += piece.num_rows
        if waiting >= rows:
            together, cut = pa.concat_tables(held), waiting - waiting % rows
            yield together.slice(0, cut)
            held, waiting = [together.slice(cut)], waiting - cut
    if waiting:
        yield pa.concat_tables(held)


def table_of(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table of the declared schema; a missing key is null.

    Raises:
        SchemaMismatch: a value does not fit its column.
    """
    declared = TABLES[table]
    unknown = {key for row in rows for key in row} - set(declared.names)
    if unknown:
        raise SchemaMismatch(f"{table} has no column {', '.join(sorted(unknown))}")
    try:
        return pa.Table.from_pylist(rows, schema=declared.schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as e:
        raise SchemaMismatch(f"{table}: {e}") from e


def conform(table: Table, rows: pa.Table) -> pa.Table:
    """Rows in the declared column order and types.

    Raises:
        SchemaMismatch: a column is missing or unknown, a value does not fit, or a required column holds null.
    """
    missing = set(table.names) - set(rows.column_names)
    unknown = set(rows.column_names) - set(table.names)
    if missing or unknown:
        raise SchemaMismatch(
            f"{table.name}: missing columns {sorted(missing)}, unknown columns {sorted(unknown)}"
        )
    try:
        # Casting refuses a value that does not fit and a null where the column may hold none.
        return rows.select(list(table.names)).cast(table.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as e:
        raise SchemaMismatch(f"{table.name}: {e}") from e
