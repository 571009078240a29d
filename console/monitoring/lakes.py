"""DuckDB over a few tables of the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    import duckdb


@contextmanager
def over(lake: Lake, **spans: Span | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC with a view per named table, over the files of its span (None: all)."""
    with over_files(**{table: reading.files(lake, table, span) for table, span in spans.items()}) as connection:  # fmt: skip
        yield connection


@contextmanager
def over_files(**files: Sequence[str]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same over these files."""
    with opening.connected() as connection:
        for table, found in files.items():
            reading.add_view(connection, table, list(found))
        yield connection
