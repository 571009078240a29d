"""An import from paths to the lake: find, check everything, then file dataset by dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from polymarket_assets.history_import import checking, filing, labelling, taking
from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.history_import.filing import Filed
from polymarket_assets.history_import.finding import Dataset, find
from polymarket_assets.history_import.labelling import Labelled
from polymarket_assets.lake.writing import Lake

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
    labelled: Labelled
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
    with ExitStack() as stack:
        opened = [(dataset, stack.enter_context(taking.opened(dataset))) for dataset in found.datasets]
        against = [reason for dataset, c in opened for reason in checking.reasons(c, dataset.form)]
        if against:
            raise BadDataset(against)
        done = tuple(_import(lake, dataset, c, clock(), progress) for dataset, c in opened)
    return ImportReport(done, found.passed_over)


def _import(
    lake: Lake, dataset: Dataset, connection: duckdb.DuckDBPyConnection, now: datetime, progress: Progress
) -> Imported:
    source = dataset.form.name
    left_out = taking.take(connection, dataset.form, now=now)
    filed = {
        table: _file(lake, connection, table, source, progress)
        for table in ("history_markets", "history_prices")
    }
    labelled = labelling.label(lake, connection, source, now=now)
    (span,) = connection.execute(_SPAN).fetchall()
    return Imported(source, tuple(dataset.paths), filed, labelled, left_out, *span)


_SPAN = """
    select (select min(priced_at) from taken_prices), (select max(priced_at) from taken_prices), min(closed_at), max(closed_at)
    from taken_markets
"""


def _file(
    lake: Lake, connection: duckdb.DuckDBPyConnection, table: str, source: str, progress: Progress
) -> Filed:
    taken = table.replace("history_", "taken_")
    ((due,),) = connection.execute(f"select count(*) from {taken}").fetchall()
    progress(source, table, 0, due)
    return filing.file_rows(
        lake,
        connection,
        table,
        source,
        on_rows=lambda rows: progress(source, table, rows, due),
    )
