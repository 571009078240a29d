"""What an import shows: a progress bar while it works, tables of what it did and of what is there at the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from polymarket_assets.history_import.census import Census
from polymarket_assets.history_import.importing import Imported, ImportReport
from polymarket_assets.history_import.labelling import Labelled


class Bars:
    """One progress bar per dataset and table."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, source: str, table: str, done: int, due: int) -> None:
        """Rows done more of `due`; see `importing.Progress`."""
        key = (source, table)
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(f"{source} → {table}", total=due)
        self._progress.advance(self._tasks[key], done)


def show(console: Console, report: ImportReport) -> None:
    """Print what was taken, what was left out and why, and which files were passed over."""
    console.print(_taken(report))
    for imported in report.datasets:
        _spans(console, imported)
    for table in (_left_out(report), _unlabelled(report)):
        if table is not None:
            console.print(table)
    for path, why in report.passed_over:
        console.print(f"passed over: {path.name} ({why})", highlight=False, markup=False)


def _taken(report: ImportReport) -> Table:
    table = Table("dataset", "table", title="Imported")
    for heading in ("rows", "files written", "as they were"):
        table.add_column(heading, justify="right")
    for imported in report.datasets:
        for name, filed in imported.filed.items():
            table.add_row(
                imported.source, name, f"{filed.rows:,}", f"{filed.written:,}", f"{filed.unchanged:,}"
            )
        if (labelled := imported.labelled) is not None:
            table.add_row(
                imported.source,
                "resolutions",
                f"{sum(labelled.states.values()):,}",
                f"{int(labelled.written > 0)}",
                f"{int(labelled.written == 0)}",
            )
    return table


def _spans(console: Console, imported: Imported) -> None:
    said = (
        f"{imported.source}: closes {_written(imported.first_close_at)} … {_written(imported.last_close_at)}, "
        f"rows {_written(imported.first_price_at)} … {_written(imported.last_price_at)}; {_labels(imported.labelled)}"
    )
    console.print(said, highlight=False, markup=False, soft_wrap=True)


def _labels(labelled: Labelled | None) -> str:
    if labelled is None:
        return "it says nothing of ends"
    states = ", ".join(f"{count:,} {state}" for state, count in labelled.states.items())
    return (
        f"{states}; {labelled.written:,} new versions, {labelled.unchanged:,} known, {labelled.settled_elsewhere:,} settled by another "
        f"source, {labelled.contradicted:,} against another source"
    )


def _written(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "–"


def _left_out(report: ImportReport) -> Table | None:
    rows = [
        (imported.source, table, reason, count)
        for imported in report.datasets
        for (table, reason), count in imported.left_out.items()
    ]
    return _reasons("Left out", ("dataset", "table", "why"), rows)


def _unlabelled(report: ImportReport) -> Table | None:
    rows = [
        (imported.source, reason, count)
        for imported in report.datasets
        if imported.labelled is not None
        for reason, count in imported.labelled.unlabelled.items()
    ]
    return _reasons("Without a label", ("dataset", "why"), rows)


def _reasons(title: str, headings: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> Table | None:
    """Rows whose last value is a count; None where there are none."""
    if not rows:
        return None
    shown = Table(*headings, title=title)
    shown.add_column("rows", justify="right")
    for *said, count in rows:
        shown.add_row(*said, f"{count:,}")
    return shown


def show_census(console: Console, census: Census) -> None:
    """Print what the lake holds of closed markets, by source and category."""
    # Eighty columns must hold it: no frame, and days of close to the month.
    shown = Table(title="The past in this lake", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("source", "category"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("markets", "labels", "won", "prices", "books", "trades"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("closed", no_wrap=True)
    for row in census.rows:
        counts = (row.prices, row.books, row.trades)
        shown.add_row(
            row.source,
            row.category or "–",
            f"{row.markets:,}",
            f"{row.labelled:,}",
            "–" if row.won is None else f"{row.won:.0%}",
            *map(_shortly, counts),
            _months(row.first_close, row.last_close),
        )
    console.print(shown)
    console.print(
        f"{census.distinct:,} markets, {census.labelled:,} of them labelled; a market that several sources have counts once here",
        highlight=False,
        soft_wrap=True,
    )


def _shortly(count: int) -> str:
    """Thousands as `828k`."""
    return "–" if not count else f"{count}" if count < 10_000 else f"{count / 1_000:.0f}k"


def _months(first: date, last: date) -> str:
    """`24-01…25-09`."""
    return (
        f"{first:%y-%m}"
        if (first.year, first.month) == (last.year, last.month)
        else f"{first:%y-%m}…{last:%y-%m}"
    )
