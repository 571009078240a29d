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

from console.database import desk, shelf, sources
from console.database.asked import Asked
from console.database.shelf import File
from console.place import Place
from polymarket_assets.lake import text_form
from polymarket_assets.lake.schemas import Table
from polymarket_assets.venue.errors import Unavailable

if TYPE_CHECKING:
    from pyarrow import csv
    from pyarrow import parquet as pq

MOST_ROWS = 1_000_000
FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
# A batch of full order books is some ten megabytes.
_BATCH_ROWS, _FILES = 8_192, 64
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


def _batches(place: Place, of: Asked) -> Iterator[pa.Table]:
    left = MOST_ROWS
    for files in _groups(place, of):
        source = sources.of(of.table, files)
        assert source is not None
        where, values = source.where(of)
        names = ", ".join(f'{source.column(name)} as "{name}"' for name in of.table.names)
        with desk.of(place).asked(place.lake()) as cursor:
            sql = f"select {names} from {source.relation} where {where} limit {left}"
            for batch in cursor.sql(sql, params=[source.uris, *values]).to_arrow_reader(_BATCH_ROWS):
                left -= batch.num_rows
                yield pa.Table.from_batches([batch]).cast(of.table.schema)
        if left <= 0:
            return


def _groups(place: Place, of: Asked) -> Iterator[list[File]]:
    """Files of units that follow one another: few at a time, for names got from a lake can be opened for some minutes only."""
    held: list[File] = []
    for unit in shelf.of(place).units(place.lake(), of.table, of.span):
        held += unit.files
        if len(held) >= _FILES:
            yield held
            held = []
    if held:
        yield held


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
            yield _Parquet(writer)
        return
    with text_form.Converter(table.schema) as converter, csv.CSVWriter(sink, converter.schema) as writer:
        yield _Csv(converter, writer)


class _Parquet:
    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows)


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
