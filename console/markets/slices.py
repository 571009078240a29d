"""The rows of markets out of the files that can hold them; of closed hours remembered, for they never change.

Files are sorted by market where it matters (`lake/form.py`), so that a market is some pages of each.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from console.markets.columns import COLUMNS
from console.markets.shelves import Filed, shelves
from console.markets.young import with_columns, young
from console.place import Place
from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.errors import DamagedFile
from polymarket_assets.lake.spans import Span

if TYPE_CHECKING:
    import pyarrow as pa

# Of DuckDB, of the 500 MB that the console may have.
_MEMORY = "160MB"
_REMEMBERED_BYTES = 64 * 1024 * 1024
_Key = tuple[str, Filed, tuple[str, ...]]


class Slices:
    """Rows by table, file and markets."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, pa.Table] = OrderedDict()
        self._bytes = 0
        self._database = opening.connection(memory_limit=_MEMORY)
        # Footers of closed hours are most of what a small answer would read.
        self._database.execute("set parquet_metadata_cache = true")

    def rows(self, table: str, files: Sequence[Filed], market_ids: Sequence[str]) -> list[pa.Table]:
        """The rows of some markets in some files, one table of each file or of several."""
        ids = tuple(market_ids)
        known, unread = [], []
        with self._lock:
            for filed in files:
                key = (table, filed, ids)
                if key in self._known:
                    self._known.move_to_end(key)
                    known.append(self._known[key])
                else:
                    unread.append(filed)
        return [*known, *self._read(table, unread, ids)]

    def _read(self, table: str, files: Sequence[Filed], ids: tuple[str, ...]) -> list[pa.Table]:
        if not files:
            return []
        rows = self._asked(table, [f.file for f in files], ids)
        held = [f for f in files if f.is_sealed or f.span.end < self._place.clock()]
        self._remember(table, ids, held, rows)
        return [with_columns(rows, table)]

    def _asked(self, table: str, files: list[str], ids: tuple[str, ...]) -> pa.Table:
        named = {f"id{n}": id_ for n, id_ in enumerate(ids)}
        among = f"market_id = ${next(iter(named))}" if len(ids) == 1 else f"market_id in ({', '.join(f'${n}' for n in named)})"  # fmt: skip
        for is_mixed in (False, True):
            query = _QUERY.format(columns=_columns(table), mixed=str(is_mixed).lower(), among=among)
            try:
                return self._answer(query, {**named, "files": files})
            except _missing() as e:
                # A file older than a column of the table: the others are asked with it, slower.
                if is_mixed:
                    raise DamagedFile(f"a file of {table}", str(e)) from e
        raise AssertionError

    def _answer(self, query: str, given: dict[str, Any]) -> pa.Table:
        import duckdb

        cursor = self._database.cursor()
        try:
            return cursor.sql(query, params=given).to_arrow_table()
        except _missing():
            raise
        except duckdb.Error as e:
            opening.raise_told(e)
            raise DamagedFile("a file of the lake", str(e)) from e
        finally:
            cursor.close()

    def _remember(self, table: str, ids: tuple[str, ...], files: Sequence[Filed], rows: pa.Table) -> None:
        import pyarrow.compute as pc

        names = rows.column("filename")
        for filed in files:
            kept = with_columns(rows.filter(pc.equal(names, filed.file)), table)
            with self._lock:
                self._known[(table, filed, ids)] = kept
                self._bytes += kept.nbytes + 512
        with self._lock:
            while self._bytes > _REMEMBERED_BYTES and self._known:
                self._bytes -= self._known.popitem(last=False)[1].nbytes + 512


def _columns(table: str) -> str:
    return ", ".join(("market_id", *COLUMNS[table]))


def _missing() -> tuple[type[Exception], ...]:
    """What DuckDB says where a file has not the columns asked for."""
    import duckdb

    return (duckdb.BinderException, duckdb.InvalidInputException)


_QUERY = """
select {columns}, filename from read_parquet($files, hive_partitioning = false, union_by_name = {mixed}, filename = true) where {among}
"""


def rows(place: Place, table: str, market_ids: Sequence[str], span: Span) -> pa.Table:
    """The rows of some markets in the hours (or days) that a span touches, columns of `COLUMNS` and `market_id`; in no order.

    Raises `LakeError`.
    """
    return of_files(place, table, market_ids, shelves(place).files(table, span))


def of_files(place: Place, table: str, market_ids: Sequence[str], files: Sequence[Filed]) -> pa.Table:
    """The same of files that `shelves` named."""
    import pyarrow as pa

    held = young(place, table)
    there, away = held.split(files) if held else ([], list(files))
    found = held.of(there, market_ids) if held else []
    found += place.own(Slices).rows(table, away, market_ids) if market_ids else []
    return pa.concat_tables([empty(table), *(with_columns(rows, table) for rows in found)])


def empty(table: str) -> pa.Table:
    """No rows, in the columns that are shown."""
    from polymarket_assets.lake.schemas import TABLES

    return with_columns(TABLES[table].schema.empty_table(), table)


@contextmanager
def connected(place: Place, tables: dict[str, pa.Table]) -> Iterator[Any]:
    """A connection of DuckDB over some tables in memory; what else a page needs is added to it."""
    with opening.connected(memory_limit=_MEMORY) as connection:
        for name, held in tables.items():
            connection.register(name, held)
        yield connection


def add_history(place: Place, connection: Any, tables: Sequence[str], days: Sequence[Any]) -> None:
    """Views of tables filed by the day of close."""
    for table in tables:
        found = [f.file for day in days for f in shelves(place).files(table, Span.day(day))]
        reading.add_view(connection, table, found)
