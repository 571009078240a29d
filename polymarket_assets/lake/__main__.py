"""`python -m polymarket_assets.lake tables|docs|keep|forecast|export`: what a lake holds and means, how it is kept, and its rows for elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from polymarket_assets.lake import (
    compacting,
    documenting,
    export_files,
    exporting,
    forecast,
    inventory,
    keeping,
    open_existing,
    showing,
)
from polymarket_assets.lake.keeping import Rules
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import PolymarketError


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 and one sentence where it cannot be, or where something failed that comes again."""
    asked = _parser().parse_args(arguments)
    if asked.command == "docs":
        sys.stdout.write(documenting.markdown())
        return 0
    try:
        lake = open_existing(asked.root)
        shown, code = _COMMANDS[asked.command](lake, asked)
        Console(markup=False).print(shown)
    except PolymarketError as e:
        Console(stderr=True).print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    return code


def _tables(lake: Lake, asked: argparse.Namespace) -> tuple[Table, int]:
    return showing.holdings(lake, list(inventory.holdings(lake))), 0


def _keep(lake: Lake, asked: argparse.Namespace) -> tuple[Table, int]:
    back = timedelta(days=asked.look_back)
    if asked.dry_run:
        return showing.due(keeping.due(lake, _rules(), now=_now(), look_back=back)), 0
    told = Console(stderr=True, markup=False)
    done = keeping.keep(
        lake, _rules(), clock=_now, look_back=back, on_folder=lambda f: told.print(f.path, style="dim")
    )
    return showing.kept(done), 1 if done.failed else 0


def _forecast(lake: Lake, asked: argparse.Namespace) -> tuple[Table, int]:
    found = forecast.forecast(lake, now=_now(), retention_days=_rules().retention_days)
    return showing.forecast(found), 1 if found.level == forecast.ERROR else 0


def _export(lake: Lake, asked: argparse.Namespace) -> tuple[Table, int]:
    bounds = exporting.Asked(asked.table, asked.start, asked.end, tuple(asked.market), asked.format)
    told = Console(stderr=True, markup=False)
    with told.status(f"exporting {asked.table}") as status:
        done = exporting.export(
            lake,
            bounds,
            asked.out,
            clock=_now,
            on_day=lambda day: status.update(f"exporting {asked.table}: {day}"),
        )
    return showing.exported(asked.out, done), 0


_COMMANDS: dict[str, Callable[[Lake, argparse.Namespace], tuple[Table, int]]] = {
    "tables": _tables,
    "keep": _keep,
    "forecast": _forecast,
    "export": _export,
}


def _rules() -> Rules:
    from polymarket_assets.settings import load

    settings = load()
    return Rules(settings.retention_days, settings.cold_root, timedelta(days=settings.cold_after_days))


def _now() -> datetime:
    return datetime.now(UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m polymarket_assets.lake", description="Look into the lake, and look after it."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    said = {
        "tables": "each table: rows, files, bytes and span",
        "keep": "what the job `keeping` does every hour: compact, retire, move to cold storage",
        "forecast": "what each table adds a day, and when the disk is full; 1 when that is within three days",
        "export": "a table, or a span of it, as Parquet or CSV with its schema and a manifest",
    }
    for name, help_ in said.items():
        command = commands.add_parser(name, help=help_, description=help_)
        command.add_argument("--root", help="folder of the lake; default: LAKE_ROOT")
    keep = commands.choices["keep"]
    keep.add_argument("--dry-run", action="store_true", help="only say what would be done")
    keep.add_argument("--look-back", type=int, default=compacting.LOOK_BACK.days, metavar="DAYS", help="hours of so many days are compacted (default: %(default)s)")  # fmt: skip
    _ask_for_export(commands.choices["export"])
    commands.add_parser("docs", help="print docs/tables.md from the declared schemas")
    return parser


def _ask_for_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("table", metavar="TABLE", help="see `tables`")
    export.add_argument("--from", dest="start", type=_instant, metavar="INSTANT", help="2026-03-01 or 2026-03-01T12:00:00Z; default: from the first row")  # fmt: skip
    export.add_argument("--to", dest="end", type=_instant, metavar="INSTANT", help="up to, but without, this; default: to the last row")  # fmt: skip
    export.add_argument("--market", nargs="+", default=(), metavar="ID", help="market ids; default: all")
    export.add_argument("--format", choices=export_files.FORMATS, default=export_files.FORMATS[0], help="default: %(default)s")  # fmt: skip
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder of its own; the same export there is replaced")  # fmt: skip


def _instant(text: str) -> datetime:
    """A day or an RFC 3339 instant; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant: write 2026-03-01 or 2026-03-01T12:00:00Z") from e  # fmt: skip
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
