"""The rows of markets out of the files that can hold them; of closed hours remembered, for they never change.

Files are sorted by market where it matters (`lake/form.py`), so that a market is some pages of each.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from console import desk
from console.markets.columns import COLUMNS
from console.markets.holding import holding
from console.markets.shelves import Filed, shelves
from console.markets.young import with_columns, young
from console.place import Place
from polymarket_assets.lake import opening
from polymarket_assets.lake.errors import DamagedFile
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.report import silences
from polymarket_assets.report.silences import Socket

if TYPE_CHECKING:
    import pyarrow as pa

_REMEMBERED_BYTES = 16 * 1024 * 1024
# One day of a busy market would take the place of hundreds of others.
_MOST_REMEMBERED_BYTES = 1024 * 1024
# What remembering no rows takes: a table of a dozen columns.
_LEAST_BYTES = 8 * 1024
# Newest parts of an open hour in which the socket of a market is looked for.
_PARTS = 6
_Key = tuple[str, tuple[str, ...], tuple[Filed, ...]]


class Slices:
    """Rows by table, markets and day."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, pa.Table] = OrderedDict()
        self._bytes = 0

    def rows(self, table: str, files: Sequence[Filed], market_ids: Sequence[str]) -> list[pa.Table]:
        """The rows of some markets in some files; of closed hours by day, remembered."""
        now, ids = self._place.clock(), tuple(market_ids)
        days: dict[Any, list[Filed]] = {}
        for filed in files:
            is_over = filed.is_sealed or filed.span.end < now
            days.setdefault(filed.span.start.date() if is_over else None, []).append(filed)
        return [self._of_day(day is not None, (table, ids, tuple(held))) for day, held in days.items()]

    def _of_day(self, is_over: bool, key: _Key) -> pa.Table:
        import pyarrow as pa

        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        table, ids, files = key
        rows = with_columns(self._asked(table, [f.file for f in files], ids), table)
        if is_over and rows.nbytes <= _MOST_REMEMBERED_BYTES:
            # As DuckDB gives them, they have room for two thousand rows, however few they are.
            rows = rows.take(pa.array(range(rows.num_rows), pa.int64()))
            self._remember(key, rows)
        return rows

    def _remember(self, key: _Key, rows: pa.Table) -> None:
        with self._lock:
            self._known[key] = rows
            self._bytes += rows.nbytes + _LEAST_BYTES
            while self._bytes > _REMEMBERED_BYTES:
                self._bytes -= self._known.popitem(last=False)[1].nbytes + _LEAST_BYTES

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

        try:
            with opening.connected() as connection:
                return connection.sql(query, params=given).to_arrow_table()
        except _missing():
            raise
        except duckdb.Error as e:
            desk.raise_told(e)
            raise DamagedFile("a file of the lake", str(e)) from e


def _columns(table: str) -> str:
    return ", ".join(("market_id", *COLUMNS[table]))


def _missing() -> tuple[type[Exception], ...]:
    """What DuckDB says where a file has not the columns asked for."""
    import duckdb

    return (duckdb.BinderException, duckdb.InvalidInputException)


_QUERY = """
select {columns} from read_parquet($files, hive_partitioning = false, union_by_name = {mixed}) where {among}
"""


def rows(place: Place, table: str, market_ids: Sequence[str], span: Span) -> pa.Table:
    """The rows of some markets in the hours (or days) that a span touches, columns of `COLUMNS` and `market_id`; in no order.

    Raises `LakeError`.
    """
    return of_files(place, table, market_ids, shelves(place).files(table, span))


def of_files(place: Place, table: str, market_ids: Sequence[str], files: Sequence[Filed]) -> pa.Table:
    """The same of files that `shelves` named."""
    import pyarrow as pa

    files = holding(place, table, files, market_ids)
    held = young(place, table)
    there, away = held.split(files) if held else ([], list(files))
    found = held.of(there, market_ids) if held else []
    found += place.own(Slices).rows(table, away, market_ids) if market_ids else []
    return pa.concat_tables([empty(table), *(with_columns(rows, table) for rows in found)])


@cache
def empty(table: str) -> pa.Table:
    """No rows, in the columns that are shown."""
    from polymarket_assets.lake.schemas import TABLES

    return with_columns(TABLES[table].schema.empty_table(), table)


@contextmanager
def connected(tables: dict[str, pa.Table]) -> Iterator[Any]:
    """A connection of DuckDB over some tables in memory; what is made in it has to be temporary."""
    with desk.connected() as connection:
        for name, held in tables.items():
            connection.register(name, held)
        yield connection


def sockets(place: Place, market_id: str, hours: Sequence[datetime]) -> set[Socket]:
    """The sessions and sockets that carried a market in some hours; of open hours as far as their newest parts tell."""
    files: list[str] = []
    for hour in hours:
        for table in ("trades_raw", "book_changes"):
            held = shelves(place).files(table, Span(hour, hour + HOUR))
            parts = [f.file for f in held if not f.is_sealed]
            files += [f.file for f in held if f.is_sealed] + parts[-_PARTS:]
    if not files:
        return set()
    with opening.connected() as connection:
        return set(connection.execute(silences.CARRIED, {"files": files, "id": market_id}).fetchall())
