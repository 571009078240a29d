"""Taken rows into the lake: one part per day of close and source, replaced only where its rows differ.

A part is named after its source, so importing again finds it. Markets that a former import of the source filed and
this one does not mention stay; markets whose day of close changed leave their old part last, so that a crash
leaves whole files and the next import completes the move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polymarket_assets.lake import layout
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake, conform

if TYPE_CHECKING:
    import duckdb

# Rows fetched at once; a day's rows are held whole.
BATCH_ROWS = 100_000


@dataclass
class Filed:
    """What became of one table's rows: rows taken, parts written, parts found as they should be."""

    rows: int = 0
    written: int = 0
    unchanged: int = 0


def file_rows(
    lake: Lake,
    connection: duckdb.DuckDBPyConnection,
    table: str,
    source: str,
    *,
    relation: str,
    on_rows: Callable[[int], None] = lambda rows: None,
) -> Filed:
    """Publish the rows of `relation` as parts of `table`; `on_rows` hears how many are done.

    Raises:
        SchemaMismatch: the rows do not fit the table.
        LakeUnwritable: days published before stay; the import can be repeated.
    """
    filed = Filed()
    days: dict[date, set[str]] = {}
    for day, rows in _by_day(connection, table, relation):
        days[day] = set(pc.unique(rows.column("market_id")).to_pylist())
        _publish(lake, table, source, day, rows, filed)
        on_rows(rows.num_rows)
    _withdraw_moved(lake, table, source, days, filed)
    return filed


def _by_day(
    connection: duckdb.DuckDBPyConnection, table: str, relation: str
) -> Iterator[tuple[date, pa.Table]]:
    """The rows of a relation by day of close, each in the order of the table's key."""
    declared = TABLES[table]
    order = _listed(("close_day", *declared.key))
    reader = connection.sql(
        f"select {_listed(declared.names)} from {relation} order by {order}"
    ).to_arrow_reader(BATCH_ROWS)
    pending: list[pa.Table] = []
    for batch in reader:
        for piece in _split(conform(declared, pa.Table.from_batches([batch]))):
            if pending and _day(pending[0]) != _day(piece):
                yield _day(pending[0]), pa.concat_tables(pending)
                pending = []
            pending.append(piece)
    if pending:
        yield _day(pending[0]), pa.concat_tables(pending)


def _split(rows: pa.Table) -> Iterator[pa.Table]:
    days = rows.column("close_day")
    for day in pc.unique(days):
        yield rows.filter(pc.equal(days, day))


def _day(rows: pa.Table) -> date:
    day: date = rows.column("close_day")[0].as_py()
    return day


def _publish(lake: Lake, table: str, source: str, day: date, rows: pa.Table, filed: Filed) -> None:
    """A day's part: its new rows, and those of markets the import does not mention."""
    filed.rows += rows.num_rows
    there = _there(lake, table, source, day)
    if there is not None:
        others = pc.invert(pc.is_in(there.column("market_id"), pc.unique(rows.column("market_id"))))
        rows = _sorted(table, pa.concat_tables([there.filter(others), rows]))
        if _content(there).equals(_content(rows)):
            filed.unchanged += 1
            return
    lake.publish(table, rows, part=_part(source), at=day)
    filed.written += 1


def _withdraw_moved(lake: Lake, table: str, source: str, days: dict[date, set[str]], filed: Filed) -> None:
    """Take markets that were filed anew out of the parts of other days."""
    taken = set().union(*days.values())
    for day in _days_there(lake, table, source):
        there = _there(lake, table, source, day)
        if there is None:
            continue
        moved = pa.array(sorted(taken - days.get(day, set())), pa.string())
        stays = there.filter(pc.invert(pc.is_in(there.column("market_id"), moved)))
        if stays.num_rows < there.num_rows:
            lake.publish(table, stays, part=_part(source), at=day)
            filed.written += 1


def _part(source: str) -> str:
    return f"import-{source}"


def _there(lake: Lake, table: str, source: str, day: date) -> pa.Table | None:
    """The part a former import filed, if any."""
    declared = TABLES[table]
    path = f"{layout.folder(declared, day)}/{layout.part(_part(source))}"
    if lake.store.read_bytes(path) is None:
        return None
    return conform(declared, pq.ParquetFile(lake.store.uri(path)).read())


def _days_there(lake: Lake, table: str, source: str) -> list[date]:
    name = layout.part(_part(source))
    found = (layout.span_of(path) for path in lake.store.list(table) if path.endswith(f"/{name}"))
    return [span.start.date() for span in found if span is not None]


def _sorted(table: str, rows: pa.Table) -> pa.Table:
    return rows.sort_by([(name, "ascending") for name in TABLES[table].key])


def _content(rows: pa.Table) -> pa.Table:
    """What makes two parts the same: everything but when it reached us."""
    return rows.drop_columns(["received_at"]).combine_chunks()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
