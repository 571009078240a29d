"""`python -m polymarket_assets.lake tables|docs`: what a lake holds, and what its tables mean."""

from __future__ import annotations

import argparse
import sys
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from polymarket_assets.lake import documenting, inventory, open_lake
from polymarket_assets.lake.errors import NoLake
from polymarket_assets.lake.inventory import Holding
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import PolymarketError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 and one sentence where it cannot be."""
    asked = _parser().parse_args(arguments)
    if asked.command == "docs":
        sys.stdout.write(documenting.markdown())
        return 0
    try:
        lake = open_lake(asked.root)
        if not Path(lake.root).exists():
            raise NoLake(f"there is no lake at {lake.root} yet: `make up`, `make demo` and history_import begin one; LAKE_ROOT or --root name another")  # fmt: skip
        Console().print(_shown(lake, list(inventory.holdings(lake))))
    except PolymarketError as e:
        Console(stderr=True).print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m polymarket_assets.lake", description="Look into the lake."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    tables = commands.add_parser("tables", help="each table: rows, files, bytes and span")
    tables.add_argument("--root", help="folder of the lake; default: LAKE_ROOT")
    commands.add_parser("docs", help="print docs/tables.md from the declared schemas")
    return parser


def _shown(lake: Lake, held: list[Holding]) -> Table:
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


def _at(at: datetime | date | None) -> str:
    if at is None:
        return "–"
    return f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"


if __name__ == "__main__":
    sys.exit(main())
