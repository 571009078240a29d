"""How a file of a lake is opened, wherever it lies: for pyarrow, and for DuckDB."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from polymarket_assets.lake import objects, spilling

if TYPE_CHECKING:
    import duckdb
    import pyarrow.dataset as ds


# DuckDB alone takes 80 %, which on 8 GB leaves too little for the gigabytes that everything else here takes: the kernel would
# end a process before DuckDB begins to spill. A whole training takes 1.5 (docs/production.md).
MEMORY = "50%"


def source(file: str) -> str | pa.NativeFile:
    """What pyarrow reads a file of a lake from: its path, or, of an object store, the file opened."""
    return objects.opened(file) if objects.is_object(file) else file


def parquet(file: str, **options: Any) -> pq.ParquetFile:
    """A file of a lake, opened as far as its footer; `options` are pyarrow's."""
    return pq.ParquetFile(source(file), **options)


def dataset(file: str, schema: pa.Schema) -> ds.Dataset:
    """A file of a lake as pyarrow's dataset, whose batches are filtered as they are read."""
    import pyarrow.dataset as ds

    if objects.is_object(file):
        return ds.dataset(objects.key(file), schema=schema, format="parquet", filesystem=objects.client())
    return ds.dataset(file, schema=schema, format="parquet")


def connection(**config: Any) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection in memory and in UTC, that opens every file a lake of this process named. To be closed.

    It has half of the machine's or container's memory and spills what that does not hold, unless `config` says otherwise.
    """
    import duckdb

    opened = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spilling.folder(), **config})
    opened.execute("set TimeZone = 'UTC'")
    if objects.is_used():
        from polymarket_assets.lake.object_files import ObjectFiles

        opened.register_filesystem(ObjectFiles())
    return opened


@contextlib.contextmanager
def connected(**config: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, closed afterwards.

    Raises:
        StoreUnavailable, StoreRefused: the object store failed a query.
    """
    import duckdb

    with connection(**config) as opened:
        try:
            yield opened
        except duckdb.Error as e:
            raise_told(e)
            raise


def raise_told(error: Exception) -> None:
    """Raise what an object store said to DuckDB, which passes on the text of it and no more."""
    said = objects.in_words(error, "a query was not answered")
    if said is not None:
        raise said from error
