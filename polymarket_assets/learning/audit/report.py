"""`python -m polymarket_assets.learning leak-audit`: the guards against a lake, in a table."""

from __future__ import annotations

from rich.console import Console
from rich.progress import track
from rich.table import Table

from polymarket_assets.learning.audit.audited import Audit, Finding
from polymarket_assets.learning.audit.guards import GUARDS

_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "–"}


def run(audit: Audit, console: Console) -> int:
    """Ask every guard and print what it found; 1 where one is red."""
    asked = track(GUARDS, "looking for leaks", console=console, transient=True)
    found = {guard.name: guard.ask(audit) for guard in asked}
    console.print(_shown(found))
    console.print("L15, choices made on test weeks, is not of a lake: trials are counted where they are made")
    return 1 if any(finding.good is False for finding in found.values()) else 0


def _shown(found: dict[str, Finding]) -> Table:
    table = Table(title="Leaks of ML.md 2.5, looked for in this lake", title_justify="left")
    for heading in ("guard", "leaks", "", "found"):
        table.add_column(heading, overflow="fold")
    for guard in GUARDS:
        finding = found[guard.name]
        table.add_row(guard.name, guard.leaks, _MARKS[finding.good], finding.said)
    return table
