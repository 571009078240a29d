"""`python -m polymarket_assets.history_import PATH…`: datasets from elsewhere into the lake."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from polymarket_assets import lake
from polymarket_assets.history_import import importing
from polymarket_assets.history_import.forms import FORMS
from polymarket_assets.history_import.reporting import Bars, show
from polymarket_assets.venue.errors import PolymarketError


def main(arguments: list[str] | None = None) -> int:
    """Import and report; 1 where nothing could be imported, with one sentence or a list of reasons."""
    asked = _parser().parse_args(arguments)
    told = Console(stderr=True)
    try:
        with Bars(told) as progress:
            report = importing.run(
                lake.open_lake(),
                asked.paths,
                only=asked.only,
                clock=lambda: datetime.now(UTC),
                progress=progress,
            )
    except PolymarketError as e:
        told.print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    show(Console(), report)
    return 0


def _parser() -> argparse.ArgumentParser:
    forms = "; ".join(f"{form.name}: {form.holds}" for form in FORMS.values())
    parser = argparse.ArgumentParser(
        prog="python -m polymarket_assets.history_import",
        description="Bring third-party datasets of resolved markets into the lake at LAKE_ROOT.",
        epilog=f"Known forms: {forms}.",
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a Parquet file or a folder of them"
    )
    parser.add_argument(
        "--only", type=_names, default=(), metavar="FORM,…", help="import these forms only, comma separated"
    )
    return parser


def _names(value: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip())


if __name__ == "__main__":
    sys.exit(main())
