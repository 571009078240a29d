"""A DuckDB connection over the few tables a collector needs, each over its own span.

`lake.connect()` lists every table of the lake; a run that starts every few minutes lists only what it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    with opening.connected() as connection:
        for table, span in spans.items():
            reading.add_view(connection, table, reading.files(lake, table, span))
        yield connection
