"""Any table and span of the lake as Parquet or CSV in a folder of its own, with its schema and a manifest.

Rows stream from file to file, one row group in memory at a time. A day's files are listed when its turn comes:
names got from the lake can be opened for 15 minutes only, an export may take longer. Data files are named by their
checksum and count when `manifest.json` names them, written last: whole exports or none, and one done again replaces
the former in one step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds

from polymarket_assets.lake import export_files, form, layout, opening, reading
from polymarket_assets.lake.errors import NoSuchTable, SpanDoesNotFit
from polymarket_assets.lake.export_files import File, Manifest, What
from polymarket_assets.lake.schemas import LAKE_FORMAT, TABLES, Grain, Table
from polymarket_assets.lake.spans import DAY, Span, day_of
from polymarket_assets.lake.writing import Lake

# A batch of full order books is some ten megabytes.
_BATCH_ROWS = 8_192


@dataclass(frozen=True)
class Asked:
    """What is to be exported, from `start` up to, but without, `end`; None or empty: without that bound."""

    table: str
    start: datetime | None = None
    end: datetime | None = None
    markets: tuple[str, ...] = ()
    format: str = "parquet"


@dataclass
class Extent:
    """First and last value of the column that files a table, over the rows seen so far."""

    first: datetime | date | None = None
    last: datetime | date | None = None


def export(
    lake: Lake, asked: Asked, folder: Path, *, clock: Callable[[], datetime], on_day: Callable[[date], None] = lambda day: None
) -> Manifest:  # fmt: skip
    """Write an export into `folder`, or replace the same export there; a span without rows gives one file without rows.

    Raises:
        NoSuchTable: no table has this name.
        SpanDoesNotFit: the table is not filed by time, or by whole days, or has no markets.
        NotAnExport: the folder holds something else; it was not touched.
        LakeUnwritable: nothing was published; the call can be repeated.
    """
    table, what, extent = _table(asked), _what(asked), Extent()
    before = export_files.standing(folder, what)
    store = export_files.store(folder)
    with ExitStack() as undo:
        files: list[File] = []
        undo.callback(export_files.forget, folder, files, before)
        groups = _groups(table, _rows(lake, table, asked, on_day, extent))
        for file in export_files.publish(store, table, asked.format, groups):
            files.append(file)
        manifest = Manifest(
            **msgspec.structs.asdict(what), rows=sum(file.rows for file in files), first=_text(extent.first), last=_text(extent.last), files=files,
            lake_format=LAKE_FORMAT, created_at=clock(),
        )  # fmt: skip
        export_files.commit(store, manifest, export_files.described(table, asked.format))
        undo.pop_all()
    return manifest


def _table(asked: Asked) -> Table:
    if asked.table not in TABLES:
        raise NoSuchTable(f"there is no table {asked.table!r}; tables are {', '.join(TABLES)}")
    table = TABLES[asked.table]
    bounds = [at for at in (asked.start, asked.end) if at is not None]
    if bounds and table.filed_by is None:
        raise SpanDoesNotFit(f"{table.name} is not filed by time: export it whole, without --from and --to")
    if _is_dated(table) and any(at != day_of(at) for at in bounds):
        raise SpanDoesNotFit(f"{table.name} is filed by the day of {table.filed_by}: name whole days, such as --from 2026-03-01 --to 2026-03-02")  # fmt: skip
    if len(bounds) == 2 and bounds[0] >= bounds[1]:
        raise SpanDoesNotFit(
            "no time lies between --from and --to: --to is the first instant left out and must come after --from"
        )
    if asked.markets and "market_id" not in table.names:
        raise SpanDoesNotFit(f"{table.name} has no market_id: export it without --market")
    return table


def _what(asked: Asked) -> What:
    return What(
        table=asked.table,
        start=_text(asked.start),
        end=_text(asked.end),
        markets=sorted(set(asked.markets)),
        format=asked.format,
    )


def _text(at: datetime | date | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _is_dated(table: Table) -> bool:
    return table.filed_by is not None and pa.types.is_date(table.schema.field(table.filed_by).type)


def _rows(
    lake: Lake, table: Table, asked: Asked, on_day: Callable[[date], None], extent: Extent
) -> Iterator[pa.RecordBatch]:
    """Every row that was asked for, day by day."""
    wanted = _filter(table, asked)
    for span in _days(lake, table, asked):
        if span is not None:
            on_day(span.start.date())
        for file in reading.files(lake, table.name, span):
            for batch in _of_file(table, file, wanted):
                _widen(extent, table, batch)
                yield batch


def _days(lake: Lake, table: Table, asked: Asked) -> Iterator[Span | None]:
    """The days to read, those only of which the lake holds something; None: a table that is not filed by time."""
    if table.grain is Grain.WHOLE:
        yield None
        return
    held = {found.start for path in lake.store.list(table.name) if (found := layout.span_of(path))}
    for day in sorted({day_of(at) for at in held}):
        start, end = max(day, asked.start or day), min(day + DAY, asked.end or day + DAY)
        if start < end:
            yield Span(start, end)


def _filter(table: Table, asked: Asked) -> ds.Expression | None:
    """Files are filed to the hour or day; a span is exact."""
    terms: list[ds.Expression] = [ds.field("market_id").isin(list(asked.markets))] if asked.markets else []
    if table.filed_by is not None:
        at, type_ = ds.field(table.filed_by), table.schema.field(table.filed_by).type
        start, end = (
            (bound.date() if bound and _is_dated(table) else bound) for bound in (asked.start, asked.end)
        )
        terms += [at >= pa.scalar(start, type_)] if start else []
        terms += [at < pa.scalar(end, type_)] if end else []
    wanted = None
    for term in terms:
        wanted = term if wanted is None else wanted & term
    return wanted


def _of_file(table: Table, file: str, wanted: ds.Expression | None) -> Iterator[pa.RecordBatch]:
    """The rows of a file that are wanted, in the declared columns; those the file lacks are null."""
    reading.require_declared(table, file)
    with reading.damage_told(file):
        found = opening.dataset(file, table.schema).to_batches(
            filter=wanted, batch_size=_BATCH_ROWS, batch_readahead=1, fragment_readahead=1
        )
        yield from (batch for batch in found if batch.num_rows)


def _widen(extent: Extent, table: Table, batch: pa.RecordBatch) -> None:
    import pyarrow.compute as pc

    if table.filed_by is not None:
        ends = pc.min_max(batch.column(table.filed_by)).as_py()
        extent.first = min(extent.first or ends["min"], ends["min"])
        extent.last = max(extent.last or ends["max"], ends["max"])


def _groups(table: Table, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches as tables of a row group each."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= form.group_rows(table):
            yield pa.Table.from_batches(held, table.schema)
            held = []
    if held:
        yield pa.Table.from_batches(held, table.schema)
