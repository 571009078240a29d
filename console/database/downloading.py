"""Rows as one CSV or Parquet file, made while it is sent: one row group is held at a time.

Newest hours or days first, the rows of one in the order of its files: no more than a batch is ever sorted or held.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from console.database import asked as asking
from console.database import filters, shelf
from console.database.asked import Asked
from console.database.shelf import File
from console.place import Place
from polymarket_assets.lake import opening, reading, text_form
from polymarket_assets.lake.schemas import Table
from polymarket_assets.venue.errors import Unavailable

if TYPE_CHECKING:
    from pyarrow import csv
    from pyarrow import parquet as pq

MOST_ROWS = 1_000_000
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
# A batch of full order books, or of sixty columns as text, is some three megabytes.
_BATCH_ROWS = 2_048
# Rows of a group of a Parquet file: fewer compress badly, more are held.
_GROUP_ROWS = 16_384
# What a spreadsheet would calculate rather than show.
_FORMULA = r"^[=+\-@\t\r]"
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_S = 2.0


def pieces(place: Place, of: Asked, format_: str) -> Iterator[bytes]:
    """The file in pieces, ended by `MOST_ROWS`. What goes wrong before the first piece is raised at the first `next`. Raises `Unavailable`."""
    with _turn():
        sink = _Sink()
        with _writer(format_, of.table, sink) as writer:
            for batch in _batches(place, of):
                writer.write(batch)
                yield sink.taken()
        yield sink.taken()


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_WAIT_S):
        raise Unavailable("two downloads are under way; ask again when one has ended")
    try:
        yield
    finally:
        _AT_ONCE.release()
        # What was decoded stays with pyarrow otherwise: a hundred megabytes that nobody needs.
        pa.default_memory_pool().release_unused()


def _batches(place: Place, of: Asked) -> Iterator[pa.Table]:
    """Rows as pyarrow reads them, a batch at a time: DuckDB would hold all of a result that is read slowly."""
    wanted = filters.expression(of.table, [*asking.bounding(of), *of.filters])
    left = MOST_ROWS
    for file in _files(place, of):
        reading.require_declared(of.table, file.uri)
        with reading.damage_told(file.uri):
            found = opening.dataset(file.uri, of.table.schema).to_batches(
                filter=wanted,
                batch_size=_BATCH_ROWS,
                batch_readahead=1,
                fragment_readahead=1,
                use_threads=False,
            )
            for batch in found:
                rows = pa.Table.from_batches([batch], of.table.schema).slice(0, left)
                left -= rows.num_rows
                if rows.num_rows:
                    yield rows
                if left <= 0:
                    return


def _files(place: Place, of: Asked) -> Iterator[File]:
    """Listed day by day as they are read: names got from a lake can be opened for some minutes only."""
    for unit in shelf.of(place).units(place.lake(), of.table, of.span):
        yield from unit.files


class _Sink(io.RawIOBase):
    """What was written since it was asked last."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._at = 0

    def write(self, content: Any) -> int:
        """As a file."""
        self._held.append(bytes(content))
        self._at += len(self._held[-1])
        return len(self._held[-1])

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Bytes written."""
        return self._at

    def taken(self) -> bytes:
        """The bytes, which go."""
        taken, self._held = b"".join(self._held), []
        return taken


class _Writer(Protocol):
    def write(self, rows: pa.Table) -> None: ...


@contextmanager
def _writer(format_: str, table: Table, sink: _Sink) -> Iterator[_Writer]:
    from pyarrow import csv
    from pyarrow import parquet as pq

    if format_ == "parquet":
        with pq.ParquetWriter(sink, table.schema, compression="zstd") as writer:
            groups = _Parquet(writer)
            yield groups
            groups.end()
        return
    with text_form.Converter(table.schema) as converter, csv.CSVWriter(sink, converter.schema) as writer:
        yield _Csv(converter, writer)


class _Parquet:
    """Holds batches until they are a row group."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._held: list[pa.Table] = []

    def write(self, rows: pa.Table) -> None:
        self._held.append(rows)
        if sum(one.num_rows for one in self._held) >= _GROUP_ROWS:
            self.end()

    def end(self) -> None:
        if self._held:
            self._writer.write_table(pa.concat_tables(self._held))
            self._held = []


class _Csv:
    def __init__(self, converter: text_form.Converter, writer: csv.CSVWriter) -> None:
        self._converter, self._writer = converter, writer

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(plain(self._converter.converted(rows)))


def plain(rows: pa.Table) -> pa.Table:
    """Text that a spreadsheet would take for a formula, with an apostrophe before it."""
    import pyarrow.compute as pc

    for at, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            text = rows.column(at)
            is_formula = pc.match_substring_regex(text, _FORMULA)
            if pc.any(is_formula).as_py():
                rows = rows.set_column(at, field, pc.if_else(is_formula, pc.binary_join_element_wise("'", text, ""), text))  # fmt: skip
    return rows
