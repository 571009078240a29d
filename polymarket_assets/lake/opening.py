"""How a file of a lake is opened, wherever it lies: for pyarrow, and for DuckDB."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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
# Opening a database takes twenty milliseconds of a core, another connection to it a third of one: queries of a process share one.
# Not for ever: its folder for what memory does not hold is forgotten by others after a day.
RENEWED_AFTER_S = 3_600.0


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
    """A DuckDB database of its own, in memory and in UTC, that opens every file a lake of this process named. To be closed.

    It has half of the machine's or container's memory and spills what that does not hold, unless `config` says otherwise.
    """
    import duckdb

    opened = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": spilling.folder(), **config})
    if objects.is_used():
        from polymarket_assets.lake.object_files import ObjectFiles

        opened.register_filesystem(ObjectFiles())
    return _in_utc(opened)


@contextlib.contextmanager
def connected(**config: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same, closed afterwards; without `config`, on a disk, a connection to the database that queries of this process share.

    There, what is to be seen by this connection alone is made as `temp`. A database that has read objects keeps of them what a
    file that is published again under its name no longer is: of an object store each question has one of its own.

    Raises:
        StoreUnavailable, StoreRefused: the object store failed a query.
    """
    import duckdb

    with connection(**(config or _asked_for.config)) if config or objects.is_used() else _shared() as opened:
        try:
            yield opened
        except duckdb.Error as e:
            raise_told(e)
            raise


def share(*, keeps_footers: bool, **config: Any) -> None:
    """Have questions that name no `config` use this one from now on: for a process that may not take what others may.

    Footers of Parquet files are most of what a small answer reads; kept, each takes some kilobytes for an hour. A file that
    is another by its size or time is read again.
    """
    _asked_for.config, _asked_for.keeps_footers = config, keeps_footers
    with _lock:
        _let_go()


@dataclass
class _AskedFor:
    """What `share` was given."""

    config: dict[str, Any] = field(default_factory=dict)
    keeps_footers: bool = False


_asked_for = _AskedFor()


def _shared() -> duckdb.DuckDBPyConnection:
    """A connection to the database that is shared; to a new one where an error it could not live with has closed it."""
    import duckdb

    try:
        return _in_utc(_database().cursor())
    except duckdb.Error:
        with _lock:
            _let_go()
        return _in_utc(_database().cursor())


# By process, and what makes a new one of it. What a forked process has of its parent's stays: its threads are not there, and
# who closes it waits for them.
_databases: dict[tuple[object, ...], duckdb.DuckDBPyConnection] = {}
_lock = threading.Lock()


def _unlock() -> None:
    """In a forked process nobody is left to do it."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_unlock)


def _database() -> duckdb.DuckDBPyConnection:
    key = (os.getpid(), time.monotonic() // RENEWED_AFTER_S, os.environ.get("STATE_DIR"))
    with _lock:
        if key not in _databases:
            _let_go()
            _databases[key] = _made()
        return _databases[key]


def _made() -> duckdb.DuckDBPyConnection:
    # Files of a lake are read once or change: what was read of them would only be held on to.
    made = connection(**{"enable_external_file_cache": False, **_asked_for.config})
    if _asked_for.keeps_footers:
        made.execute("set global parquet_metadata_cache = true")
    return made


def _let_go() -> None:
    """Of this process's; who still asks one keeps it."""
    for key in [key for key in _databases if key[0] == os.getpid()]:
        del _databases[key]


def _in_utc(opened: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    opened.execute("set TimeZone = 'UTC'")
    return opened


def raise_told(error: Exception) -> None:
    """Raise what an object store said to DuckDB, which passes on the text of it and no more."""
    said = objects.in_words(error, "a query was not answered")
    if said is not None:
        raise said from error
