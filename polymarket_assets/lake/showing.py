"""Tables on the terminal for `python -m polymarket_assets.lake`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from rich.filesize import decimal
from rich.table import Table

from polymarket_assets.lake.export_files import Manifest
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.forecast import Forecast
from polymarket_assets.lake.inventory import Holding
from polymarket_assets.lake.keeping import Due, Kept
from polymarket_assets.lake.writing import Lake


def holdings(lake: Lake, held: list[Holding]) -> Table:
    """What a lake holds, table by table."""
    shown = Table(title=lake.root, show_footer=True)
    shown.add_column("table", footer="all", no_wrap=True)
    for heading, total in (
        ("rows", f"{sum(h.rows for h in held):,}"),
        ("files", f"{sum(h.files for h in held):,}"),
        ("size", decimal(sum(h.bytes for h in held))),
    ):
        shown.add_column(heading, footer=total, justify="right")
    shown.add_column("first")
    shown.add_column("last")
    for h in held:
        shown.add_row(h.table, f"{h.rows:,}", f"{h.files:,}", decimal(h.bytes), _at(h.first), _at(h.last))
    return shown


def forecast(found: Forecast) -> Table:
    """What each table adds a day, and when the disks are full."""
    shown = Table(title="growth", show_footer=True, caption="; ".join(map(str, found.disks)))
    shown.add_column("table", footer=f"of {found.hours} hours recorded")
    shown.add_column("a day", justify="right", footer=decimal(round(sum(g.bytes_a_day for g in found.tables))))  # fmt: skip
    shown.add_column("as much goes")
    for growth in found.tables:
        shown.add_row(growth.table, decimal(round(growth.bytes_a_day)), growth.goes or "")
    return shown


def due(found: Due) -> Table:
    """What would be done, folder by folder, the totals by table."""
    shown = _work("what would be done; nothing was")
    for what, folders in (
        ("remove", found.retention.doomed),
        ("compact", found.to_compact),
        ("move to cold storage", found.to_move),
    ):
        for table, held in _by_table(folders):
            span = f"{held[0].span.start:%Y-%m-%d %H:%M} … {held[-1].span.end:%Y-%m-%d %H:%M}"
            shown.add_row(what, table, f"{len(held):,}", decimal(sum(f.bytes for f in held)), span)
    for kept in found.retention.kept:
        shown.add_row("stays", kept.table, f"{kept.folders:,}", "", kept.why)
    return shown


def kept(done: Kept) -> Table:
    """What was done."""
    shown = _work("what was done")
    c, r, m = done.compacted, done.retired, done.moved
    shown.add_row("compacted", "", f"{c.folders:,}", f"{decimal(c.bytes_before)} → {decimal(c.bytes_after)}", f"{c.files_before:,} files → {c.files_after:,}, {c.rows:,} rows")  # fmt: skip
    shown.add_row("retired", "", f"{r.folders:,}", decimal(r.bytes), f"{r.files:,} files")
    if m is not None:
        shown.add_row("moved", "", f"{m.folders:,}", decimal(m.bytes), f"{m.files:,} files")
    gone = c.removed + r.removed + (m.removed if m else 0)
    shown.add_row("removed", "", "", "", f"{gone:,} files superseded before")
    for what, told in (("stays", r.kept), ("failed", done.failed)):
        for sentence in told:
            shown.add_row(what, "", "", "", sentence)
    if done.left:
        shown.add_row("left", "", f"{done.left:,}", "", "for the next run: there was no more time")
    return shown


def exported(folder: Path, done: Manifest) -> Table:
    """What an export wrote."""
    said = f"{done.first} … {done.last}" if done.first else "no rows in this span" if done.rows == 0 else ""
    shown = Table(title=f"{done.table} in {folder}", caption=said, show_footer=True)
    shown.add_column("file", footer="all", no_wrap=True)
    shown.add_column("rows", justify="right", footer=f"{done.rows:,}")
    shown.add_column("size", justify="right", footer=decimal(sum(file.bytes for file in done.files)))
    for file in done.files:
        shown.add_row(file.name, f"{file.rows:,}", decimal(file.bytes))
    return shown


def _work(title: str) -> Table:
    shown = Table(title=title)
    for heading in ("what", "table", "hours", "size", ""):
        shown.add_column(heading, justify="right" if heading in ("hours", "size") else "left")
    return shown


def _by_table(folders: Iterable[Folder]) -> Iterator[tuple[str, Sequence[Folder]]]:
    by_table: dict[str, list[Folder]] = {}
    for folder in folders:
        by_table.setdefault(folder.table.name, []).append(folder)
    yield from by_table.items()


def _at(at: datetime | date | None) -> str:
    if at is None:
        return "–"
    return f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"
