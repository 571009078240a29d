"""Taken rows into the lake: one part per day of close and source, replaced only where its rows differ.

A part is named after its source, so importing again finds it. Rows of markets that the import mentions are replaced,
whatever day they were filed on; those of other markets stay. Days a market moved away from are rewritten last, so that
a crash loses no row and the next import completes the move. Whether a day differs is told by the sum of its rows' hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.history_import import ordering
from polymarket_assets.history_import.ordering import Due
from polymarket_assets.history_import.taking import columns
from polymarket_assets.lake import layout
from polymarket_assets.lake.schemas import Table
from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    import duckdb

OnRows = Callable[[int], None]
# A day's rows, whatever their order: how many, and the sum of their hashes.
Digest = tuple[int, int]


@dataclass
class Filed:
    """What became of one table's rows: rows taken, parts written, parts found as they should be."""

    rows: int = 0
    written: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class Shelf:
    """Where the rows of one table and source lie: one part a day; rows of an import were received at one instant."""

    lake: Lake
    table: Table
    source: str
    received_at: datetime

    @property
    def part(self) -> str:
        """The name of every part."""
        return f"import-{self.source}"

    @property
    def taken(self) -> str:
        """The view of the rows to be filed."""
        return self.table.name.replace("history_", "taken_")

    def paths(self) -> list[str]:
        """The parts that former imports filed."""
        name = layout.part(self.part)
        return [path for path in self.lake.store.list(self.table.name) if path.endswith(f"/{name}")]

    def publish(self, day: date, pieces: Iterator[pa.Table]) -> None:
        """Replace the part of a day."""
        self.lake.publish_pieces(self.table.name, pieces, part=self.part, at=day)


def file_rows(
    connection: duckdb.DuckDBPyConnection,
    shelf: Shelf,
    markets: pa.Table,
    on_rows: OnRows = lambda rows: None,
) -> Filed:
    """Publish the taken rows of a table (see `taking`), as `ordering.counted` has them; `on_rows` hears how many are done.

    Raises:
        SchemaMismatch: the rows do not fit the table.
        LakeUnwritable: days published before stay; the import can be repeated.
    """
    constant = {"received_at": shelf.received_at, "source": shelf.source}
    new = Due(shelf.taken, shelf.table, markets, constant)
    there = shelf.paths()
    if not there:
        _publish(shelf, connection, new, on_rows)
        return Filed(new.rows, len(new.days), 0)
    differing, left = _differing(shelf, connection, there)
    first = _waiting(shelf, connection, differing)
    _publish(shelf, connection, first, on_rows)
    _rewrite(shelf, connection, left)
    on_rows(max(0, new.rows - first.rows))
    return Filed(new.rows, len(differing) + len(left), len(new.days - differing))


def _publish(shelf: Shelf, connection: duckdb.DuckDBPyConnection, waiting: Due, on_rows: OnRows) -> None:
    """One part per day, of as many pieces as it has."""

    def heard(pieces: Iterator[tuple[date, pa.Table]]) -> Iterator[pa.Table]:
        for _, piece in pieces:
            yield piece
            on_rows(piece.num_rows)

    if waiting.rows:
        with shelf.lake.store.scratch() as scratch:
            for day, pieces in groupby(ordering.in_order(connection, waiting, scratch), key=itemgetter(0)):
                shelf.publish(day, heard(pieces))


def _differing(
    shelf: Shelf, connection: duckdb.DuckDBPyConnection, there: list[str]
) -> tuple[set[date], set[date]]:
    """The days whose part is not as it should be, and those that all mentioned markets have left."""
    listed = ", ".join("'" + shelf.lake.store.uri(path).replace("'", "''") + "'" for path in there)
    # A part filed before an optional column was thought of lacks it: it is null there.
    connection.register("_declared", shelf.table.schema.empty_table())
    connection.execute(
        f"""
        create or replace temp view held as select {columns(shelf.table)} from (
            select * from read_parquet([{listed}], hive_partitioning = false, union_by_name = true)
            union all by name select * from _declared
        )
        """
    )
    new = _digests(connection, shelf, shelf.taken)
    held = _digests(connection, shelf, "held semi join all_markets using (market_id)")
    return {day for day in new if new[day] != held.get(day)}, held.keys() - new.keys()


def _digests(connection: duckdb.DuckDBPyConnection, shelf: Shelf, rows: str) -> dict[date, Digest]:
    """What makes a day's rows the same: everything but when they reached us."""
    names = ", ".join(f'"{name}"' for name in shelf.table.names if name != "received_at")
    found = connection.execute(
        f"select close_day, count(*), sum(hash({names})) from {rows} group by close_day"
    )
    return {day: (rows, total) for day, rows, total in found.fetchall()}


def _waiting(shelf: Shelf, connection: duckdb.DuckDBPyConnection, days: set[date]) -> Due:
    """Of these days, the taken rows, and the held ones of markets that the import does not mention."""
    listed = pa.table({"close_day": pa.array(sorted(days), pa.date32())})
    connection.register("_days", listed)
    connection.execute("create or replace temp table due_days as from _days")
    connection.unregister("_days")
    connection.execute(
        f"""
        create or replace temp view due as
        select *, null::varchar as left_out from {shelf.taken} semi join due_days using (close_day)
        union all select *, null::varchar as left_out from held semi join due_days using (close_day) anti join all_markets using (market_id)
        """
    )
    markets = ordering.counted(connection, "due", shelf.table, "len(bids) + len(asks)")
    return Due("due", shelf.table, markets, {"source": shelf.source})


def _rewrite(shelf: Shelf, connection: duckdb.DuckDBPyConnection, left: set[date]) -> None:
    """Rewrite the days that markets moved away from: what stays there, or nothing."""
    stays = _waiting(shelf, connection, left)
    _publish(shelf, connection, stays, lambda rows: None)
    for day in sorted(left - stays.days):
        shelf.publish(day, iter(()))
