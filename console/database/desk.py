"""The one DuckDB that pages of rows are asked of: what opening a connection and reading footers again would cost is paid once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from console.place import Place
from polymarket_assets.lake import objects, opening
from polymarket_assets.lake.errors import DamagedFile
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Refused, Unavailable

if TYPE_CHECKING:
    import duckdb

# Of the 500 MB of the whole console.
MEMORY = "160MB"
_THREADS = 2
# More would only wait for the same cores, each holding what it decodes: of a wide table, some 50 MB.
_AT_ONCE = 2
_WAIT_S = 5.0


class Desk:
    """A connection that is shared, each question with a cursor of its own; an object store gets one for each question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: duckdb.DuckDBPyConnection | None = None
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    @contextmanager
    def asked(self, lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor in UTC, closed afterwards.

        Raises:
            Unavailable: too many ask at once, or a file went while it was read, or the object store does not answer.
            StoreRefused: the object store gives nothing.
            Refused: it takes more memory than there is.
            DamagedFile: a file is no whole Parquet file.
        """
        import duckdb

        if not self._free.acquire(timeout=_WAIT_S):
            raise Unavailable("too many questions are being answered; ask again in a moment")
        try:
            with self._cursor(lake) as cursor:
                yield cursor
        except duckdb.Error as e:
            raise_told(e)
            raise
        finally:
            self._free.release()

    @contextmanager
    def _cursor(self, lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
        if objects.is_object(lake.root):
            # It holds what it fetched under the name of a file, which a part that is published again keeps.
            with opening.connection(**_config()) as opened:
                yield opened
            return
        with self._lock:
            if self._shared is None:
                self._shared = opening.connection(**_config())
                self._shared.execute("set parquet_metadata_cache = true")
            cursor = self._shared.cursor()
        with cursor:
            cursor.execute("set TimeZone = 'UTC'")
            yield cursor


def of(place: Place) -> Desk:
    """The desk of an installation."""
    return place.own(_made)


def raise_told(error: Exception) -> None:
    """Raise what DuckDB met as what a reader may know of it; what is ours to mend stays as it is."""
    import duckdb

    opening.raise_told(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        raise Refused("this takes more memory than the console has: name a shorter span, fewer rows, or ask in SQL") from error  # fmt: skip
    if isinstance(error, duckdb.IOException):
        raise Unavailable("a file of the lake went while it was read; ask again") from error
    if isinstance(error, duckdb.InvalidInputException):
        raise DamagedFile("a file of the lake", "", str(error)) from error


def _made(_: Place) -> Desk:
    return Desk()


def _config() -> dict[str, Any]:
    return {"memory_limit": MEMORY, "threads": _THREADS}
