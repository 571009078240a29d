"""What a lake holds: rows, files, bytes and span of each table, read from the footers of its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Holding:
    """What a lake holds of one table; `first` and `last` are of the column that files it, None where there is none."""

    table: str
    rows: int = 0
    files: int = 0
    bytes: int = 0
    first: datetime | date | None = None
    last: datetime | date | None = None


def holdings(lake: Lake) -> Iterator[Holding]:
    """Every declared table in the order of its declaration, empty ones too."""
    with opening.connected() as connection:
        for table in TABLES.values():
            yield _holding(connection, table, reading.files(lake, table.name))


def _holding(connection: duckdb.DuckDBPyConnection, table: Table, found: list[str]) -> Holding:
    if not found:
        return Holding(table.name)
    reading.add_view(connection, table.name, found)
    ((rows, size),) = connection.execute(
        "select sum(num_rows)::bigint, sum(file_size_bytes)::bigint from parquet_file_metadata($files)",
        {"files": found},
    ).fetchall()
    return Holding(table.name, rows, len(found), size, *_span(connection, table))


def _span(
    connection: duckdb.DuckDBPyConnection, table: Table
) -> tuple[datetime | date | None, datetime | date | None]:
    if table.filed_by is None:
        return None, None
    ((first, last),) = connection.execute(
        f'select min("{table.filed_by}"), max("{table.filed_by}") from {table.name}'
    ).fetchall()
    return first, last
