"""Taken rows into the lake: one part per day of close and source, replaced only where its rows differ.

A part is named after its source, so importing again finds it. Rows of markets that the import mentions are replaced,
whatever day they were filed on; those of other markets stay. Days a market moved away from are rewritten last, so that
a crash loses no row and the next import completes the move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.writing import Lake, conform

if TYPE_CHECKING:
    import duckdb

# Rows fetched at once; a day's rows are held whole.
BATCH_ROWS = 100_000


@dataclass
class Filed:
    """What became of one table's rows: rows taken, parts written, parts found as they should be."""

    rows: int = 0
    written: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class Shelf:
    """Where the rows of one table and source lie: one part a day."""

    lake: Lake
    table: Table
    source: str

    @property
    def part(self) -> str:
        """The name of every part."""
        return f"import-{self.source}"

    def paths(self) -> list[str]:
        """The parts that former imports filed."""
        name = layout.part(self.part)
        return [path for path in self.lake.store.list(self.table.name) if path.endswith(f"/{name}")]

    def path(self, day: date) -> str:
        """The part of a day."""
        return f"{layout.folder(self.table, day)}/{layout.part(self.part)}"

    def read(self, path: str) -> pa.Table:
        """The rows of a part."""
        return conform(
            self.table, reading.completed(self.table, pq.ParquetFile(self.lake.store.uri(path)).read())
        )

    def publish(self, day: date, rows: pa.Table) -> None:
        """Replace the part of a day."""
        self.lake.publish(self.table.name, rows, part=self.part, at=day)


def file_rows(
    lake: Lake,
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: str,
    *,
    on_rows: Callable[[int], None] = lambda rows: None,
) -> Filed:
    """Publish the taken rows of `table` (see `taking`); `on_rows` hears how many are done.

    Raises:
        SchemaMismatch: the rows do not fit the table.
        LakeUnwritable: days published before stay; the import can be repeated.
    """
    shelf = Shelf(lake, TABLES[table], source)
    there = set(shelf.paths())
    named = connection.sql("select market_id from all_markets").to_arrow_table().column("market_id")
    mentioned = named.combine_chunks()
    left = _days_of(connection, shelf, there)
    filed = Filed()
    for day, rows in _by_day(connection, shelf.table):
        _replace(shelf, day, rows, mentioned, there, filed)
        left.discard(day)
        on_rows(rows.num_rows)
    for day in sorted(left):
        _replace(shelf, day, shelf.table.schema.empty_table(), mentioned, there, filed)
    return filed


def _days_of(connection: duckdb.DuckDBPyConnection, shelf: Shelf, there: set[str]) -> set[date]:
    """The days on which former imports filed rows of markets that this one mentions."""
    if not there:
        return set()
    listed = [shelf.lake.store.uri(path) for path in sorted(there)]
    found = connection.execute(
        "select distinct close_day from read_parquet($files, hive_partitioning = false) semi join all_markets using (market_id)",
        {"files": listed},
    ).fetchall()
    return {day for (day,) in found}


def _replace(
    shelf: Shelf, day: date, rows: pa.Table, mentioned: pa.Array, there: set[str], filed: Filed
) -> None:
    """A day's part: its new rows, and those of markets the import does not mention."""
    filed.rows += rows.num_rows
    if (path := shelf.path(day)) in there:
        held = shelf.read(path)
        others = held.filter(pc.invert(pc.is_in(held.column("market_id"), mentioned)))
        if others.num_rows:
            rows = pa.concat_tables([others, rows]).sort_by([(k, "ascending") for k in shelf.table.key])
        if _content(held).equals(_content(rows)):
            filed.unchanged += 1
            return
    shelf.publish(day, rows)
    filed.written += 1


def _content(rows: pa.Table) -> pa.Table:
    """What makes two parts the same: everything but when it reached us."""
    return rows.drop_columns(["received_at"]).combine_chunks()


def _by_day(connection: duckdb.DuckDBPyConnection, table: Table) -> Iterator[tuple[date, pa.Table]]:
    """The taken rows by day of close, each day in the order of the table's key."""
    taken = table.name.replace("history_", "taken_")
    order = _listed(("close_day", *table.key))
    query = f"select {_listed(table.names)} from {taken} order by {order}"
    pending: list[pa.Table] = []
    for batch in connection.sql(query).to_arrow_reader(BATCH_ROWS):
        for piece in _split(conform(table, pa.Table.from_batches([batch]))):
            if pending and _day(pending[0]) != _day(piece):
                yield _day(pending[0]), pa.concat_tables(pending)
                pending = []
            pending.append(piece)
    if pending:
        yield _day(pending[0]), pa.concat_tables(pending)


def _split(rows: pa.Table) -> Iterator[pa.Table]:
    days = rows.column("close_day")
    for day in pc.unique(days):
        yield rows.filter(pc.equal(days, day))


def _day(rows: pa.Table) -> date:
    day: date = rows.column("close_day")[0].as_py()
    return day


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
