"""Files that would become much more than they are, refused before a row of them is taken.

Parquet repeats a value, or counts up, for next to nothing: a quarter of a megabyte holds twenty million rows in order. By what
its end says of a file it is refused before it is read; texts are measured before anything else is asked of them, because a long one that
stands once in a file may be named by a million rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.history_import.forms.declare import WORDS, File

if TYPE_CHECKING:
    import duckdb

# So many values are small whatever they are: some tens of megabytes.
SMALL_VALUES = 1_000_000
# The densest of the datasets we know, prices of each minute, has 1.6 values a byte.
VALUES_A_BYTE = 50
# As many levels as a side of a book has ticks; rows of lists have fewer on average.
LEVELS_A_ROW = 1_000
# What is packed: small enough to read whatever it says, and how often its size it may unpack to; ten times is what the datasets we know do.
SMALL_BYTES, UNPACKS_TO = 100_000_000, 100
_CHUNK_BYTES = 1 << 20
# The longest rules of a market are some thousand characters.
LONGEST_TEXT_BYTES = 100_000


def reasons(paths: Iterable[Path]) -> Iterator[str]:
    """What speaks against files by their size alone; one that is damaged is found when it is read."""
    for path in paths:
        try:
            said = _packed(path) if is_text(path) else _dense(path)
        except (pa.ArrowInvalid, OSError):
            continue
        if said is not None:
            yield f"{path.name} holds {said}: what is recorded is not so dense, and it would fill memory or disk"


def is_text(path: Path) -> bool:
    """Whether a file is CSV, compressed or not."""
    return ".csv" in path.suffixes


def _dense(path: Path) -> str | None:
    import pyarrow.parquet as pq

    told, size = pq.read_metadata(path), path.stat().st_size
    groups = [told.row_group(number) for number in range(told.num_row_groups)]
    if (unpacked := sum(group.total_byte_size for group in groups)) > max(SMALL_BYTES, UNPACKS_TO * size):
        return f"{unpacked:,} bytes in {size:,}"
    values = [sum(group.column(column).num_values for group in groups) for column in range(told.num_columns)]
    most = max([told.num_rows, *values])
    if most <= SMALL_VALUES:
        return None
    if most > VALUES_A_BYTE * size:
        return f"{most:,} values in {size:,} bytes"
    return f"{most:,} levels in {told.num_rows:,} rows" if most > LEVELS_A_ROW * told.num_rows else None


def _packed(path: Path) -> str | None:
    size, unpacked = path.stat().st_size, 0
    with pa.input_stream(str(path), compression="detect") as text:
        while chunk := text.read(_CHUNK_BYTES):
            unpacked += len(chunk)
            if unpacked > max(SMALL_BYTES, UNPACKS_TO * size):
                return f"{unpacked:,} bytes and more in {size:,}"
    return None


def long_texts(connection: duckdb.DuckDBPyConnection, file: File, paths: Iterable[Path]) -> Iterator[str]:
    """Columns that are read with a text that is none; of CSV, DuckDB takes no line of more than two megabytes.

    Each file by itself: DuckDB copies texts where it unites files by the names of their columns.
    """
    for path in paths:
        if is_text(path):
            continue
        rows = "read_parquet('" + str(path).replace("'", "''") + "')"
        types = connection.execute(f"describe select * from {rows}").fetchall()
        there = {name for name, kind, *_ in types if kind == "VARCHAR"}
        words = [column.name for column in file.columns if column.kind in WORDS and column.name in there]
        asked = ", ".join(["count(*)", *(f'max(strlen("{name}"))' for name in words)])
        ((_, *longest),) = connection.execute(f"select {asked} from {rows}").fetchall()
        for name, found in zip(words, longest, strict=True):
            if found is not None and found > LONGEST_TEXT_BYTES:
                yield f"{name} has a text of {found:,} bytes, {LONGEST_TEXT_BYTES:,} are the most"
