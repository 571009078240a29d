"""What an import shows: a progress bar while it works, tables of what it did at the end."""

from __future__ import annotations

from datetime import datetime
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from polymarket_assets.history_import.importing import Imported, ImportReport


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
    if left := _left_out(report):
        console.print(left)
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
        labelled = imported.labelled
        table.add_row(
            imported.source,
            "resolutions",
            f"{sum(labelled.states.values()):,}",
            f"{int(labelled.written > 0)}",
            f"{int(labelled.written == 0)}",
        )
    return table


def _spans(console: Console, imported: Imported) -> None:
    labelled = imported.labelled
    states = ", ".join(f"{count:,} {state}" for state, count in labelled.states.items())
    console.print(
        f"{imported.source}: closes {_written(imported.first_close_at)} … {_written(imported.last_close_at)}, "
        f"prices {_written(imported.first_price_at)} … {_written(imported.last_price_at)}; {states}; "
        f"{labelled.written:,} new versions, {labelled.unchanged:,} known, {labelled.settled_elsewhere:,} settled by another source, "
        f"{labelled.contradicted:,} of those against this one",
        highlight=False,
        soft_wrap=True,
    )


def _written(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "–"


def _left_out(report: ImportReport) -> Table | None:
    rows = [
        (imported.source, table, reason, count)
        for imported in report.datasets
        for (table, reason), count in imported.left_out.items()
    ]
    if not rows:
        return None
    shown = Table("dataset", "table", "why", title="Left out")
    shown.add_column("rows", justify="right")
    for source, table, reason, count in rows:
        shown.add_row(source, table, reason, f"{count:,}")
    return shown
