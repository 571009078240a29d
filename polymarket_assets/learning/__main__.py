"""`python -m polymarket_assets.learning docs|leak-audit`: learning outside Dagster."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

from rich.console import Console

from polymarket_assets.lake import open_existing
from polymarket_assets.learning.features import documenting
from polymarket_assets.settings import load
from polymarket_assets.venue.errors import PolymarketError

# Rows of features that are computed again: of what was recorded, and of what was fetched.
ROWS = 10


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 where the audit is red, 2 where there is no lake."""
    asked = _parser().parse_args(arguments)
    if asked.command == "docs":
        sys.stdout.write(documenting.markdown())
        return 0
    try:
        return _audit(asked.root, asked.rows)
    except PolymarketError as e:
        print(e, file=sys.stderr)
        return 2


def _audit(root: str | None, count: int) -> int:
    from polymarket_assets.learning.audit import report
    from polymarket_assets.learning.audit.audited import Audit

    audit = Audit(open_existing(root), datetime.now(UTC), count, streamed=tuple(load().stream_tiers))
    return report.run(audit, Console(width=None if sys.stdout.isatty() else 160))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m polymarket_assets.learning", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("docs", help="docs/features.md, from the declarations")
    audit = commands.add_parser("leak-audit", help="does anything in a lake know more than it could have?")
    audit.add_argument("--root", help="folder of the lake; default: LAKE_ROOT")
    audit.add_argument("--rows", type=int, default=ROWS, help="rows of features computed again, as many recorded as fetched (default: %(default)s)")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
