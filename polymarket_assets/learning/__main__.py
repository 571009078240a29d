"""`python -m polymarket_assets.learning docs`: what there is to say of learning outside Dagster."""

from __future__ import annotations

import argparse
import sys

from polymarket_assets.learning.features import documenting


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns its exit code."""
    asked = _parser().parse_args(arguments)
    if asked.command == "docs":
        sys.stdout.write(documenting.markdown())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m polymarket_assets.learning", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("docs", help="docs/features.md, from the declarations")
    return parser


if __name__ == "__main__":
    sys.exit(main())
