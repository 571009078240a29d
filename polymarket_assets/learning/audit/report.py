"""`python -m polymarket_assets.learning leak-audit`: the guards against a lake, in a table."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.progress import track
from rich.table import Table

from polymarket_assets.learning.audit.audited import Audit, Finding
from polymarket_assets.learning.audit.guards import GUARDS

# A guard that had nothing to look at clears nothing.
_MARKS = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]not answered[/]"}


def run(audit: Audit, console: Console) -> int:
    """Ask every guard and print what it found; 1 where one is red."""
    asked = track(GUARDS, "looking for leaks", console=console, transient=True)
    found = {guard.name: guard.ask(audit) for guard in asked}
    console.print(_shown(found))
    console.print(_counted(found))
    console.print("L15, choices made on test weeks, is not of a lake: trials are counted where they are made")
    return 1 if any(finding.good is False for finding in found.values()) else 0


def _counted(found: dict[str, Finding]) -> str:
    """How many are green, red and not answered: no red one is not yet all green."""
    count = Counter(finding.good for finding in found.values())
    said = f"{count[True]} of {len(found)} guards are green, {count[False]} red"
    return (
        f"{said}, {count[None]} not answered: of their leaks this lake tells nothing" if count[None] else said
    )


def _shown(found: dict[str, Finding]) -> Table:
    table = Table(title="Leaks of ML.md 2.5, looked for in this lake", title_justify="left")
    for heading in ("guard", "leaks", "", "found"):
        table.add_column(heading, overflow="fold")
    for guard in GUARDS:
        finding = found[guard.name]
        table.add_row(guard.name, guard.leaks, _MARKS[finding.good], finding.said)
    return table
