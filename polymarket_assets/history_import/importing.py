"""An import from paths to the lake: find, check everything, then file dataset by dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.history_import import (
    checking,
    density,
    filing,
    labelling,
    leaking,
    ordering,
    taking,
    venues,
)
from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.history_import.filing import Filed, Shelf
from polymarket_assets.history_import.finding import Dataset, find
from polymarket_assets.history_import.labelling import Labelled
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.instants import EPOCH

if TYPE_CHECKING:
    import duckdb

# Called with the dataset, the table in work, rows done in this step and rows due.
Progress = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Imported:
    """What an import made of one dataset."""

    source: str
    files: tuple[Path, ...]
    filed: dict[str, Filed]
    # None where the dataset says nothing of ends.
    labelled: Labelled | None
    # Rows left out, by table and reason.
    left_out: dict[tuple[str, str], int]
    first_price_at: datetime | None
    last_price_at: datetime | None
    first_close_at: datetime | None
    last_close_at: datetime | None


@dataclass(frozen=True)
class ImportReport:
    """What an import did, and which files it passed over."""

    datasets: tuple[Imported, ...]
    passed_over: tuple[tuple[Path, str], ...]


def run(
    lake: Lake,
    paths: Sequence[Path],
    *,
    only: Sequence[str] = (),
    clock: Callable[[], datetime],
    progress: Progress = lambda source, table, done, due: None,
) -> ImportReport:
    """Import every dataset of a known form among `paths`; the first write comes after the last check.

    Raises:
        UnknownForm, BadDataset: nothing was written.
        LakeUnwritable: whole files only; the import can be repeated and completes.
    """
    found = find(paths, only=only)
    now = clock()
    with ExitStack() as stack:
        opened = _checked(lake, stack, found.datasets, now)
        done = tuple(_import(lake, dataset, connection, now, progress) for dataset, connection in opened)
    return ImportReport(done, found.passed_over)


def _checked(
    lake: Lake, stack: ExitStack, datasets: Sequence[Dataset], now: datetime
) -> list[tuple[Dataset, duckdb.DuckDBPyConnection]]:
    """Every dataset opened, its markets taken. Raises `BadDataset` with everything that speaks against any of them."""
    opened: list[tuple[Dataset, duckdb.DuckDBPyConnection]] = []
    against = [f"{one.form.name}: {reason}" for one in datasets for reason in density.reasons(one.paths)]
    if against:
        raise BadDataset(against)
    for dataset in datasets:
        with _told(dataset, against):
            opened.append((dataset, stack.enter_context(taking.opened(dataset))))
    for dataset, connection in opened:
        with _told(dataset, against):
            against += checking.reasons(connection, dataset.form)
    if not against:
        for dataset, connection in opened:
            with _told(dataset, against):
                taking.take_markets(connection, dataset.form, now=now)
    if not against:
        against += venues.reasons(lake, opened)
        for dataset, connection in opened:
            with _told(dataset, against):
                against += leaking.reasons(connection, dataset.form)
    if against:
        raise BadDataset(against)
    return opened


@contextmanager
def _told(dataset: Dataset, against: list[str]) -> Iterator[None]:
    """A file that cannot be read speaks against its dataset; pages that are damaged are found only when they are looked at."""
    try:
        yield
    except BadDataset as e:
        against += e.reasons
    except checking.unreadable() as e:
        against.append(f"{dataset.form.name}: a file cannot be read: {str(e).splitlines()[0]}")


def _import(
    lake: Lake, dataset: Dataset, connection: duckdb.DuckDBPyConnection, now: datetime, progress: Progress
) -> Imported:
    form = dataset.form
    filed: dict[str, Filed] = {}
    left_out: dict[tuple[str, str], int] = {}
    spans: list[pa.Table] = []
    for name in ("markets", *form.series):
        shelf = Shelf(lake, TABLES[f"history_{name}"], form.name, now)
        rows = ordering.counted(connection, f"all_{name}", shelf.table)
        left_out |= _left_out(shelf.table.name, rows)
        taken = rows.filter(pc.is_null(rows.column("left_out")))
        spans += [] if name == "markets" else [taken]
        filed[shelf.table.name] = _file(connection, shelf, taken, progress)
    labelled = labelling.label(lake, connection, form.name, now=now) if form.ends is not None else None
    closes = connection.execute("select min(closed_at), max(closed_at) from taken_markets").fetchall()
    return Imported(form.name, tuple(dataset.paths), filed, labelled, left_out, *_span(spans), *closes[0])


def _left_out(table: str, rows: pa.Table) -> dict[tuple[str, str], int]:
    """Rows that are not taken, by table and reason."""
    refused = rows.filter(pc.is_valid(rows.column("left_out")))
    counts = refused.group_by("left_out").aggregate([("rows", "sum")]).sort_by("left_out")
    return {(table, row["left_out"]): row["rows_sum"] for row in counts.to_pylist()}


def _span(series: Sequence[pa.Table]) -> tuple[datetime | None, datetime | None]:
    """The first and the last instant of the rows taken of prices, books and trades."""
    rows = pa.concat_tables(series) if series else None
    if rows is None or not rows.num_rows:
        return None, None
    first, last = (fold(rows.column(name)).as_py() for fold, name in ((pc.min, "first"), (pc.max, "last")))
    return EPOCH + timedelta(microseconds=first), EPOCH + timedelta(microseconds=last)


def _file(connection: duckdb.DuckDBPyConnection, shelf: Shelf, taken: pa.Table, progress: Progress) -> Filed:
    name = shelf.table.name
    due = pc.sum(taken.column("rows")).as_py() or 0
    progress(shelf.source, name, 0, due)
    return filing.file_rows(
        connection, shelf, taken, on_rows=lambda rows: progress(shelf.source, name, rows, due)
    )
