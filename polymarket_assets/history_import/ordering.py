"""Rows in the order of their table's key, however many there are: spread over scratch files by ranges of markets, then sorted range by range.

DuckDB sorts rows of nested lists through its own files in about twice the time, and takes twice the memory. Here a row moves twice, and
memory holds two ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from polymarket_assets.lake.schemas import Table
from polymarket_assets.lake.schemas.declare import LEVELS

if TYPE_CHECKING:
    import duckdb

Item = TypeVar("Item")

# A range is held about three times over while it is sorted and written, and the next one is read meanwhile.
RANGE_BYTES = 64 * 1024 * 1024
# Every range is an open file, and a process may have a thousand: beyond this ranges grow instead.
MOST_RANGES = 256
# Rows asked of DuckDB at once are spread over all ranges: as many as make pieces worth writing.
BATCH_BYTES = 32 * 1024 * 1024
# What rows take up but for what varies: instants, numbers and offsets; a market has texts, too.
ROW_BYTES, LEVEL_BYTES, MARKET_BYTES = 64, 12, 1024
# What the scratch files need not hold: the market tells it.
_OF_MARKET = ("market_id", "close_day")


@dataclass(frozen=True)
class Due:
    """Rows that wait in a view: by market how many bytes in which span, and columns that are the same in every row."""

    view: str
    table: Table
    markets: pa.Table
    constant: Mapping[str, object]

    @property
    def rows(self) -> int:
        """How many rows wait."""
        return _sum(self.markets, "rows")

    @property
    def bytes(self) -> int:
        """How large they are about."""
        return _sum(self.markets, "bytes")

    @property
    def days(self) -> set[date]:
        """The days they are filed on."""
        return set(self.markets.column("close_day").to_pylist())


def counted(
    connection: duckdb.DuckDBPyConnection, view: str, table: Table, levels: str = "levels"
) -> pa.Table:
    """Look at the rows of a view once: by market and `left_out` how many, how large, and from when to when, in the order of filing.

    `levels` is SQL for how many levels a row of books has: forms give it, so that no level need be looked at.
    """
    size = str(ROW_BYTES if len(table.key) > 1 else MARKET_BYTES)
    if any(field.type == LEVELS for field in table.schema):
        size += f" + {LEVEL_BYTES} * ({levels})"
    instant = f"epoch_us({table.key[1]})" if len(table.key) > 1 else "0"
    return connection.sql(
        f"""
        select close_day, market_id, left_out, count(*) as rows, sum({size})::bigint as bytes, min({instant}) as first, max({instant}) as last
        from {view} group by close_day, market_id, left_out order by close_day, market_id
        """
    ).to_arrow_table()


def in_order(
    connection: duckdb.DuckDBPyConnection, waiting: Due, scratch: Path
) -> Iterator[tuple[date, pa.Table]]:
    """The rows by day, then key, as tables of one day each; `scratch` is an empty folder with room for the rows."""
    size = max(RANGE_BYTES, -(-waiting.bytes // MOST_RANGES))
    ranged = _ranged(waiting.markets, size)
    connection.register("_ranged", ranged)
    try:
        files = _spread(connection, waiting, scratch)
    finally:
        connection.unregister("_ranged")
    yield from ahead(piece for file in files for piece in _sorted(file, waiting))


def ahead(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, each made in another thread while the one before is in use."""
    found, end = iter(items), object()
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, found, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, found, end)
            yield item  # type: ignore[misc]


def _sum(rows: pa.Table, name: str) -> int:
    return int(np.sum(rows.column(name).to_numpy())) if rows.num_rows else 0


def _ranged(markets: pa.Table, size: int) -> pa.Table:
    """Each market's place in the order and its range; one that fills several is cut by time, in as many equal steps."""
    bytes_ = markets.column("bytes").to_numpy()
    first, last = markets.column("first").to_numpy(), markets.column("last").to_numpy()
    steps = -(-bytes_ // size)
    range_ = (np.cumsum(bytes_) - bytes_) // size
    # A large market has its ranges to itself.
    extra = np.cumsum(steps - 1) - (steps - 1)
    return pa.table(
        {
            "close_day": markets.column("close_day"),
            "market_id": markets.column("market_id"),
            "place": pa.array(np.arange(markets.num_rows), pa.int32()),
            "range": pa.array(range_ + extra, pa.int32()),
            "steps": pa.array(steps, pa.int32()),
            "first": first,
            "step_us": np.maximum(1, -(-(last - first + 1) // steps)),
        }
    )


def _spread(connection: duckdb.DuckDBPyConnection, waiting: Due, scratch: Path) -> list[Path]:
    """The rows in one file per range, in no order, in the order of the ranges."""
    table = waiting.table
    instant = f"(epoch_us({table.key[1]}) - first) // step_us" if len(table.key) > 1 else "0"
    told = {*_OF_MARKET, *waiting.constant}
    names = ", ".join(f'"{name}"' for name in table.names if name not in told)
    query = f"""
        select (range + least(steps - 1, {instant}))::integer as range, place{", " + names if names else ""}
        from {waiting.view} join _ranged using (close_day, market_id)
    """
    rows = max(2_048, min(1_000_000, BATCH_BYTES * max(1, waiting.rows) // max(1, waiting.bytes)))
    batches = connection.sql(query).to_arrow_reader(rows)
    schema = pa.schema([field for field in batches.schema if field.name != "range"])
    writers: dict[int, pa.ipc.RecordBatchFileWriter] = {}
    for batch in ahead(batches):
        for at, piece in _pieces(batch, schema):
            if at not in writers:
                writers[at] = pa.ipc.new_file(str(scratch / f"{at:06d}"), schema)
            writers[at].write(piece)
    for writer in writers.values():
        writer.close()
    return [scratch / f"{at:06d}" for at in sorted(writers)]


def _pieces(batch: pa.RecordBatch, schema: pa.Schema) -> Iterator[tuple[int, pa.RecordBatch]]:
    """A batch cut by range."""
    ranges = batch.column("range").to_numpy()
    order = np.argsort(ranges, kind="stable")
    found, starts = np.unique(ranges[order], return_index=True)
    rows = batch.select(schema.names)
    if len(found) > 1:
        rows = rows.take(pa.array(order))
    for at, start, end in zip(found, starts, [*starts[1:], len(ranges)], strict=True):
        yield int(at), rows.slice(start, end - start)


def _sorted(file: Path, waiting: Due) -> Iterator[tuple[date, pa.Table]]:
    """The rows of a range in their order, day by day; the file is gone then."""
    with pa.OSFile(str(file)) as opened:
        rows = pa.ipc.open_file(opened).read_all().combine_chunks()
    file.unlink()
    keys = [_numbers(rows, name) for name in ("place", *waiting.table.key[1:])]
    rows = rows.take(pa.array(np.lexsort(keys[::-1])))
    days = waiting.markets.column("close_day").combine_chunks().take(rows.column("place").combine_chunks())
    cuts = np.flatnonzero(np.diff(days.cast(pa.int32()).to_numpy(), prepend=-1))
    for start, end in zip(cuts, [*cuts[1:], rows.num_rows], strict=True):
        yield days[int(start)].as_py(), _declared(rows.slice(start, end - start), waiting)


def _numbers(rows: pa.Table, name: str) -> Any:
    column = rows.column(name)
    return (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_numpy()


def _declared(rows: pa.Table, waiting: Due) -> pa.Table:
    """Rows with what the market tells of them, and what is the same in all, in the order of the table's columns."""
    place = rows.column("place").combine_chunks()
    for name in _OF_MARKET:
        rows = rows.append_column(name, waiting.markets.column(name).combine_chunks().take(place))
    for name, value in waiting.constant.items():
        rows = rows.append_column(
            name, pa.repeat(pa.scalar(value, waiting.table.schema.field(name).type), rows.num_rows)
        )
    return rows.select(list(waiting.table.names))
