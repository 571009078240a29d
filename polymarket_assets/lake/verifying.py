"""Whether two sets of files hold the same rows, whatever their order: looked at before a merged file is named.

Counts and the sum of a hash of every row, read back from the disk. DuckDB streams both, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.errors import DamagedFile, RowsDiffer
from polymarket_assets.lake.schemas import Table

# Two files and what is decoded of them; it never comes near.
_MEMORY = "512MB"
# It runs beside the collection of live data.
_THREADS = 2


def require_same(table: Table, before: Sequence[str], after: Sequence[str]) -> None:
    """Raises `RowsDiffer` where the files `after` do not hold exactly the rows of the files `before`, `DamagedFile` where one cannot be read."""
    expected, found = digest(table, before), digest(table, after)
    if found != expected:
        raise RowsDiffer(
            f"{table.name}: {', '.join(after) or 'no file'}",
            f"{found[0]} rows of digest {found[1]:x}",
            f"its parts hold {expected[0]} rows of digest {expected[1]:x}; nothing was replaced",
        )


def digest(table: Table, files: Sequence[str], without: Collection[str] = ()) -> tuple[int, int]:
    """Rows, and the sum of their hashes, some columns left out: the same for the same rows in any order and any number of files.

    Raises:
        DamagedFile: a file cannot be read.
    """
    if not files:
        return 0, 0
    import duckdb

    columns = ", ".join(f'"{name}"' for name in table.names if name not in without)
    query = f"select count(*), coalesce(sum(hash({columns})::hugeint), 0) from {table.name}"
    try:
        with opening.connected(threads=_THREADS, memory_limit=_MEMORY) as connection:
            reading.add_view(connection, table.name, list(files))
            rows, digest = connection.execute(query).fetchall()[0]
    except duckdb.Error as e:
        raise DamagedFile(f"a file of {table.name}", f"it could not be read back: {e}") from e
    return int(rows), int(digest)
