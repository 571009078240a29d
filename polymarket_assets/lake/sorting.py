"""Sorting more rows than memory may hold: sorted runs in scratch files, merged block by block.

Rows that fit into one run are sorted where they are. The same rows give the same order whatever files they
came in, as long as the columns sorted by tell any two of them apart.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polymarket_assets.lake import opening

# A run is held about three times over while it is sorted.
RUN_BYTES = 64 * 1024 * 1024
# One block of every run is in memory while they are merged: a hundred runs are six gigabytes of rows.
BLOCK_BYTES = 1024 * 1024
# Few enough rows that messages of several kilobytes each are no burst of memory.
_BATCH_ROWS = 16_384


def sorted_rows(
    files: Iterable[str],
    ids: Sequence[str],
    order: Sequence[str],
    scratch: Path,
    complete: Callable[[pa.Table], pa.Table] = lambda rows: rows,
) -> Iterator[pa.Table]:
    """The rows of Parquet files as tables that follow one another in `order`, each of a few thousand rows up to a run.

    Columns named in `ids`, texts of few different values, come as dictionaries. `scratch` is an empty folder with
    room for the rows. The files have the same columns, or `complete` gives them.
    """
    runs: list[Path] = []
    held: pa.Table | None = None
    for chunk in _chunks(files, ids, complete):
        if held is not None:
            runs.append(_spilled(held, scratch / f"{len(runs):06d}.parquet"))
        held = _sorted(chunk, order)
    if held is not None and not runs:
        yield held
    elif held is not None:
        runs.append(_spilled(held, scratch / f"{len(runs):06d}.parquet"))
        held = None
        yield from _merged([_Head(run, order) for run in runs], order)


def _chunks(
    files: Iterable[str], ids: Sequence[str], complete: Callable[[pa.Table], pa.Table]
) -> Iterator[pa.Table]:
    """The rows in the order of the files, a run's worth at a time."""
    held: list[pa.Table] = []
    size = 0
    for file in files:
        source = opening.source(file)
        footer = pq.read_metadata(source)
        there = set(footer.schema.to_arrow_schema().names) & set(ids)
        with pq.ParquetFile(source, metadata=footer, read_dictionary=list(there), pre_buffer=False) as opened:
            for batch in opened.iter_batches(_BATCH_ROWS):
                held.append(complete(pa.Table.from_batches([batch])))
                size += batch.nbytes
                if size >= RUN_BYTES:
                    yield pa.concat_tables(held)
                    held, size = [], 0
    if held:
        yield pa.concat_tables(held)


def _sorted(rows: pa.Table, order: Sequence[str]) -> pa.Table:
    whole = rows.combine_chunks()
    keys = {str(n): _comparable(whole.column(name)) for n, name in enumerate(order)}
    indices = pc.sort_indices(pa.table(keys), [(key, "ascending") for key in keys])
    return whole.take(indices)


def _comparable(column: pa.ChunkedArray) -> pa.Array:
    """What sorts as the column does: of a dictionary, the ranks of its values, since Arrow sorts no tables by dictionaries."""
    (chunk,) = column.chunks or [pa.array([], column.type)]
    if not pa.types.is_dictionary(column.type):
        return chunk
    ranks = np.empty(len(chunk.dictionary), np.int32)
    ranks[pc.sort_indices(chunk.dictionary).to_numpy()] = np.arange(len(ranks), dtype=np.int32)
    return pa.array(ranks).take(chunk.indices)


def _spilled(rows: pa.Table, file: Path) -> Path:
    block = max(1, rows.num_rows * BLOCK_BYTES // max(rows.nbytes, 1))
    pq.write_table(rows, file, compression="lz4", row_group_size=block, write_statistics=False)
    return file


def _merged(heads: list[_Head], order: Sequence[str]) -> Iterator[pa.Table]:
    """Up to the first end of a block, every row that belongs there is in memory: that much follows, again and again."""
    while heads:
        end = min(head.last for head in heads)
        yield _sorted(pa.concat_tables([head.up_to(end) for head in heads]), order)
        heads = [head for head in heads if head.block.num_rows]


class _Head:
    """What was read of a sorted run and not yet taken; empty when the run is over."""

    def __init__(self, run: Path, order: Sequence[str]) -> None:
        self._order = order
        self._file = pq.ParquetFile(run, pre_buffer=False)
        self._next = 0
        self.block = self._file.schema_arrow.empty_table()
        self._read()

    @property
    def last(self) -> tuple[Any, ...]:
        """The greatest key in memory."""
        return self._key(self.block.num_rows - 1)

    def up_to(self, end: tuple[Any, ...]) -> pa.Table:
        """Take the rows up to a key, inclusive, of those in memory."""
        count = bisect_right(range(self.block.num_rows), end, key=self._key)
        taken, self.block = self.block.slice(0, count), self.block.slice(count)
        if not self.block.num_rows:
            self._read()
        return taken

    def _read(self) -> None:
        if self._next < self._file.num_row_groups:
            self.block = self._file.read_row_group(self._next).combine_chunks()
            self._next += 1
        else:
            self._file.close()

    def _key(self, row: int) -> tuple[Any, ...]:
        return tuple(self.block.column(name)[row].as_py() for name in self._order)
