"""Where much is asked for, pages of rows and stages of markets: few at once, and what DuckDB meets in words of a reader."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from console.place import Place
from polymarket_assets.lake import opening
from polymarket_assets.lake.errors import DamagedFile
from polymarket_assets.venue.errors import Refused, Unavailable

if TYPE_CHECKING:
    import duckdb

# More would only wait for the same cores, each holding what it decodes: of a wide table, some 50 MB.
_AT_ONCE = 2
_WAIT_S = 5.0


class Desk:
    """So many connections at once."""

    def __init__(self, _: Place) -> None:
        self._free = threading.BoundedSemaphore(_AT_ONCE)

    @contextmanager
    def asked(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in UTC, closed afterwards.

        Raises:
            Unavailable: too many ask at once, or a file went while it was read, or the object store does not answer.
            StoreRefused: the object store gives nothing.
            Refused: it takes more memory than there is.
            DamagedFile: a file is no whole Parquet file.
        """
        if not self._free.acquire(timeout=_WAIT_S):
            raise Unavailable("too many questions are being answered; ask again in a moment")
        try:
            with connected() as connection:
                yield connection
        finally:
            self._free.release()


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """The same however many ask: for what is small."""
    import duckdb

    try:
        with opening.connected() as connection:
            yield connection
    except duckdb.Error as e:
        raise_told(e)
        raise


def of(place: Place) -> Desk:
    """The desk of an installation."""
    return place.own(Desk)


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
