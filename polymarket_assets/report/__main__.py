"""`python -m polymarket_assets.report market|event NAME`: one HTML page and its picture."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal

from polymarket_assets.lake import open_existing
from polymarket_assets.venue.errors import PolymarketError

if TYPE_CHECKING:
    from polymarket_assets.report.page import Written

OUT = Path("data/reports")


def main(arguments: list[str] | None = None) -> int:
    """Write a page and say where; 1 and one sentence where it cannot be."""
    asked = _parser().parse_args(arguments)
    began = time.monotonic()
    try:
        written = _write(asked)
    except PolymarketError as e:
        Console(stderr=True).print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 1
    took = time.monotonic() - began
    told = Console(highlight=False, soft_wrap=True)
    told.print(f"{written.html} ({decimal(written.bytes)}) and {written.png.name}, {took:.1f} s", markup=False)  # fmt: skip
    return 0


def _write(asked: argparse.Namespace) -> Written:
    from polymarket_assets.report import event, market, page

    lake = open_existing(asked.root)
    # Bytes of a command line that are no text come as halves of characters, which no name has.
    name = asked.name.encode(errors="replace").decode()
    made = {"market": market.page, "event": event.page}[asked.what](
        lake, name, clock=_now, since=asked.since, until=asked.until
    )
    return page.write(made, asked.out)


def _now() -> datetime:
    return datetime.now(UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m polymarket_assets.report",
        description="Write what the lake has of a market or an event as one HTML page, and as a PNG.",
    )
    commands = parser.add_subparsers(dest="what", required=True)
    said = {
        "market": "prices, trades, spread, depth, gaps and how it ended",
        "event": "all markets of an event, and of a negRisk set their sum",
    }
    for what, help_ in said.items():
        command = commands.add_parser(what, help=help_, description=help_)
        command.add_argument("name", metavar="NAME", help=f"slug or id of the {what}; a market also by its condition id")  # fmt: skip
        command.add_argument("--since", type=_instant, metavar="INSTANT", help="2026-03-01 or 2026-03-01T12:00:00Z; default: the last 15 days that were recorded")  # fmt: skip
        command.add_argument("--until", type=_instant, metavar="INSTANT", help="up to, but without, this; default: to the end")  # fmt: skip
        command.add_argument("--root", help="folder of the lake; default: LAKE_ROOT")
        command.add_argument("--out", type=Path, default=OUT, metavar="DIR", help="folder for the page; default: %(default)s")  # fmt: skip
    return parser


def _instant(text: str) -> datetime:
    """A day or an RFC 3339 instant; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant: write 2026-03-01 or 2026-03-01T12:00:00Z") from e  # fmt: skip
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


if __name__ == "__main__":
    sys.exit(main())
