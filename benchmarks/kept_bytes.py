"""What a book and a snapshot take up once their hour is compacted, beside JSON lines; and what compacting costs.

`python -m benchmarks kept`, with `--long` compacting at the size of ten thousand markets too. The hour is one of T4: a slot
every 15 seconds, books as in `kept_books`. JSON is what a collector would keep: the venue's book, or the snapshot's row, a
line each in the order they came, plain and with zstd 3 as one file. For the large hour each market is published many times
under other ids, so as not to wait for them to be made up.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks import kept_books
from benchmarks.kept_books import AT, SLOTS, Books
from benchmarks.measuring import run
from benchmarks.rows import Row, Tell
from polymarket_assets.lake import compacting, reading
from polymarket_assets.lake.writing import Lake

MARKETS = 200
# Enough for the ratios to stand still; a line of JSON takes longer to write than a book to compact.
JSON_ROWS = 20_000
# Of each of `MARKETS`, for the large hour.
COPIES = 50
TITLE = "an hour of T4 once it is compacted; × is of JSON lines with zstd"
_TIER = "t4"
_LINES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "orderbooks": kept_books.wire_line,
    "snapshots": kept_books.row_line,
}
_NOW = AT + timedelta(hours=2)


@dataclass(frozen=True)
class Kept:
    """Bytes a row of one table, kept in four ways."""

    table: str
    rows: int
    json: float
    json_zstd: float
    parts: float
    compacted: float


def publish(root: Path, *, markets: int, slots: int = SLOTS, copies: int = 1) -> dict[str, tuple[int, int, int]]:  # fmt: skip
    """Publish an hour's slots as a window does; returns rows, bytes of plain and of zstd JSON, by table, of the first rows."""
    lake = Lake(root)
    told = {name: _Lines(line) for name, line in _LINES.items()}
    for at, *tables in Books(markets).slots(slots):
        for name, rows in zip(_LINES, tables, strict=True):
            told[name].take(rows)
            lake.publish(name, _copied(rows, copies), part=f"{at:%H%M%S}", at=at, tier=_TIER)
    return {name: lines.close() for name, lines in told.items()}


class _Lines:
    """Rows as lines of JSON, counted, and as one zstd stream."""

    def __init__(self, line: Callable[[dict[str, Any]], bytes]) -> None:
        self._line, self._rows, self._bytes = line, 0, 0
        self._packed = pa.BufferOutputStream()
        self._stream = pa.CompressedOutputStream(self._packed, "zstd")

    def take(self, rows: pa.Table) -> None:
        for row in itertools.islice(rows.to_pylist(), max(0, JSON_ROWS - self._rows)):
            line = self._line(row)
            self._stream.write(line)
            self._rows += 1
            self._bytes += len(line)

    def close(self) -> tuple[int, int, int]:
        self._stream.close()
        return self._rows, self._bytes, self._packed.getvalue().size


def _copied(rows: pa.Table, copies: int) -> pa.Table:
    index = rows.schema.get_field_index("market_id")
    ids = rows.column("market_id").to_pylist()
    return pa.concat_tables(
        rows.set_column(
            index,
            rows.schema.field(index),
            [pa.array([f"{id_[:-2]}{n:02x}" for id_ in ids] if n else ids, pa.string())],
        )
        for n in range(copies)
    )


def sizes(root: Path, *, markets: int, slots: int = SLOTS) -> Iterator[Kept]:
    """Bytes a row by table; compacts the lake at `root`, which is empty before."""
    lines = publish(root, markets=markets, slots=slots)
    lake = Lake(root)
    before = {name: _bytes_a_row(lake, name) for name in _LINES}
    compact(lake)
    for name, (rows, plain, packed) in lines.items():
        yield Kept(name, reading.rows(lake, name).num_rows, plain / rows, packed / rows, before[name], _bytes_a_row(lake, name))  # fmt: skip


def _bytes_a_row(lake: Lake, table: str) -> float:
    files = reading.files(lake, table)
    rows = sum(reading.footer(file).metadata.num_rows for file in files)
    return sum(Path(file).stat().st_size for file in files) / rows


def compact(lake: Lake) -> None:
    """Compact the hour. Raises `RuntimeError` where it fails."""
    done = compacting.compact(lake, clock=lambda: _NOW)
    if done.failed:
        raise RuntimeError(done.failed[0])


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    """Measure; rows come as they are known."""
    with tempfile.TemporaryDirectory() as made:
        tell("bytes a row")
        for kept in sizes(Path(made) / "sizes", markets=MARKETS):
            yield from _size_rows(kept)
        tell("compacting")
        yield from _cost(Path(made) / "cost", COPIES if long else 1)


def _size_rows(kept: Kept) -> Iterator[Row]:
    yield Row(f"{kept.table}: a row, compacted", kept.compacted, "bytes", ratio=kept.compacted / kept.json_zstd, note=f"{kept.rows:,} rows; in parts {kept.parts:,.0f}")  # fmt: skip
    yield Row(f"{kept.table}: a row as JSON", kept.json, "bytes", ratio=kept.json / kept.json_zstd)
    yield Row(f"{kept.table}: a row as JSON, zstd", kept.json_zstd, "bytes", ratio=1.0)


def _cost(root: Path, copies: int) -> Iterator[Row]:
    """Compacting an hour in a process of its own: wall time and peak memory."""
    publish(root, markets=MARKETS, copies=copies)
    lake = Lake(root)
    size = sum(sum(lake.store.sizes(name).values()) for name in _LINES)
    took = run(f"from benchmarks import kept_bytes as k; from polymarket_assets.lake.writing import Lake; k.compact(Lake({str(root)!r}))")  # fmt: skip
    rows = sum(reading.footer(file).metadata.num_rows for file in reading.files(lake, "orderbooks"))
    yield Row(f"compacting {rows:,} books and as many snapshots", took.wall_s, "s", note=f"{size / 1e6:,.0f} MB of parts, peak {took.peak_mb:,.0f} MB, {rows / took.wall_s:,.0f} books a second")  # fmt: skip
