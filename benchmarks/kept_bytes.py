"""What a book and a snapshot take up once their hour is compacted, beside JSON lines; and what compacting costs.

`python -m benchmarks.kept_bytes [--markets N] [--slots N] [--copies N]` prints two tables. The hour is one of T4: a slot every
15 seconds, books as in `kept_books`. JSON is what a collector would keep: the venue's book, or the snapshot's row, a line each in the
order they came, plain and with zstd 3 as one file. `--copies` publishes each market that many times under other ids, to see
compacting at the size of ten thousand markets without waiting for them to be made up.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import kept_books
from benchmarks.kept_books import AT, SLOTS, Books
from benchmarks.measuring import Figure, run
from polymarket_assets.lake import compacting, reading
from polymarket_assets.lake.writing import Lake

MARKETS = 500
# Enough for the ratios to stand still; a line of JSON takes longer to write than a book to compact.
JSON_ROWS = 20_000
KEPT = Path("data/benchmarks/kept_bytes")
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


def prepared() -> Lake:
    """The lake of the figure, made once and kept beside the results."""
    if not (KEPT / "whole").exists():
        publish(KEPT, markets=MARKETS)
        (KEPT / "whole").touch()
    return Lake(KEPT)


def reopen(lake: Lake) -> None:
    """Take compacting back."""
    for path in lake.store.list(""):
        if "/merged-" in path or "/_manifest" in path:
            lake.store.remove(path)


def read_whole(lake: Lake) -> None:
    """What it is beside: every part read, and nothing done with it."""
    for name in _LINES:
        for file in lake.store.list(name):
            if "/part-" in file:
                reading.footer(lake.store.uri(file)).read()


def _shown(kept: list[Kept]) -> Table:
    shown = Table(box=SIMPLE, title="bytes a row")
    for heading in ("table", "rows", "JSON lines", "JSON zstd", "parts", "compacted", "JSON : compacted", "JSON zstd : compacted"):  # fmt: skip
        shown.add_column(heading, justify="left" if heading == "table" else "right")
    for k in kept:
        ratios = (f"{k.json / k.compacted:.1f}", f"{k.json_zstd / k.compacted:.1f}")
        shown.add_row(k.table, f"{k.rows:,}", *(f"{size:,.0f}" for size in (k.json, k.json_zstd, k.parts, k.compacted)), *ratios)  # fmt: skip
    return shown


def _cost(root: Path, markets: int, slots: int, copies: int) -> Table:
    """Compacting an hour in a process of its own: wall time and peak memory."""
    publish(root, markets=markets, slots=slots, copies=copies)
    lake = Lake(root)
    size = sum(sum(lake.store.sizes(name).values()) for name in _LINES)
    took = run(f"from benchmarks import kept_bytes as k; from polymarket_assets.lake.writing import Lake; k.compact(Lake({str(root)!r}))")  # fmt: skip
    rows = sum(reading.footer(file).metadata.num_rows for file in reading.files(lake, "orderbooks"))
    shown = Table(box=SIMPLE, title=f"compacting {markets * copies:,} markets × {slots} slots, {rows:,} books and as many snapshots")  # fmt: skip
    for heading in ("parts, MB", "seconds", "books a second", "peak memory, MB"):
        shown.add_column(heading, justify="right")
    shown.add_row(f"{size / 1e6:,.0f}", f"{took.wall_s:.1f}", f"{rows / took.wall_s:,.0f}", f"{took.peak_mb:,.0f}")  # fmt: skip
    return shown


def main() -> None:
    """Print bytes a row, and what compacting costs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kept_bytes", description=__doc__)
    parser.add_argument("--markets", type=int, default=MARKETS)
    parser.add_argument("--slots", type=int, default=SLOTS)
    parser.add_argument("--copies", type=int, default=1, help="of each market, when the cost is measured")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        console = Console()
        console.print(_shown(list(sizes(Path(made) / "sizes", markets=asked.markets, slots=asked.slots))))
        console.print(_cost(Path(made) / "cost", asked.markets, asked.slots, asked.copies))


FIGURE = Figure(
    name="kept_bytes",
    subject="from benchmarks import kept_bytes as k; lake = k.prepared(); k.reopen(lake); k.compact(lake)",
    beside="from benchmarks import kept_bytes as k; k.read_whole(k.prepared())",
    called="reading the parts",
    rounds=1,
)

if __name__ == "__main__":
    main()
