"""`python -m polymarket_assets.history_import PATH…`: datasets from elsewhere into the lake."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from polymarket_assets import lake as lakes
from polymarket_assets.history_import import importing
from polymarket_assets.history_import.census import census
from polymarket_assets.history_import.forms import FORMS
from polymarket_assets.history_import.importing import ImportReport
from polymarket_assets.history_import.reporting import Bars, show, show_census
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import PolymarketError


def main(arguments: list[str] | None = None) -> int:
    """Import and report; 1 where nothing could be imported, with one sentence or a list of reasons."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if not asked.paths and not asked.census:
        parser.error("name a file, a folder or a mapping, or ask for the --census")
    told = Console(stderr=True)
    try:
        lake = lakes.open_lake()
        if asked.paths:
            show(Console(markup=False), _imported(lake, asked, told))
        show_census(Console(markup=False), census(lake))
    except (PolymarketError, LakeError) as e:
        told.print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    return 0


def _imported(lake: Lake, asked: argparse.Namespace, told: Console) -> ImportReport:
    with Bars(told) as progress:
        return importing.run(
            lake, asked.paths, only=asked.only, clock=lambda: datetime.now(UTC), progress=progress
        )


def _parser() -> argparse.ArgumentParser:
    forms = "; ".join(f"{form.name}: {form.holds}" for form in FORMS.values())
    parser = argparse.ArgumentParser(
        prog="python -m polymarket_assets.history_import",
        description="Bring third-party datasets of resolved markets into the lake at LAKE_ROOT, and show what is there by source and category.",
        epilog=f"Known forms: {forms}. Any other dataset needs a mapping: docs/import.md.",
    )
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a Parquet file, a mapping (.yaml), or a folder of them",
    )
    parser.add_argument(
        "--only", type=_names, default=(), metavar="FORM,…", help="import these forms only, comma separated"
    )
    parser.add_argument("--census", action="store_true", help="import nothing, only show what is there")
    return parser


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


if __name__ == "__main__":
    sys.exit(main())
