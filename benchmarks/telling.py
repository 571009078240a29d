"""Rows of a suite as a table for people and as lines for machines."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime

from rich.box import SIMPLE
from rich.table import Table

from benchmarks.rows import Row

_SAID = {None: "", True: "met", False: "missed"}


def shown(title: str, rows: Iterable[Row]) -> Table:
    """The table."""
    table = Table(box=SIMPLE, title=title)
    table.add_column("figure", overflow="fold")
    for heading in ("value", "wanted", "", "×"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        wanted = "" if row.wanted is None else f"{'≥' if row.more else '≤'} {_number(row.wanted)}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(row.name, f"{_number(row.value)} {row.unit}", wanted, _SAID[row.met], ratio, row.note)
    return table


def line(suite: str, row: Row) -> dict[str, object]:
    """A row as JSON; what could not be measured is null."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "figure": f"{suite}: {row.name}",
        "value": None if math.isnan(row.value) else round(row.value, 4),
        "unit": row.unit,
        "wanted": row.wanted,
        "met": row.met,
        "ratio": None if row.ratio is None else round(row.ratio, 4),
        "note": row.note,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def _number(value: float) -> str:
    if math.isnan(value):
        return "—"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
