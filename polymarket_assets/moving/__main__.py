"""`python -m polymarket_assets.moving dagster FROM TO` and `… mlflow FROM TO`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from polymarket_assets.moving import of_dagster, of_mlflow
from polymarket_assets.venue.errors import PolymarketError


def main() -> int:
    """Move, and say what; one sentence and 1 where it cannot be."""
    asked = _parser().parse_args()
    try:
        moved = asked.move(asked.source, asked.target)
    except PolymarketError as e:
        print(f"moving: {e}", file=sys.stderr)
        return 1
    print("moved " + ", ".join(f"{count:,} {table}" for table, count in moved.items()))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m polymarket_assets.moving", description="Copy a history from one database to another, which must be empty.")  # fmt: skip
    of = parser.add_subparsers(required=True, metavar="dagster|mlflow")
    dagster = of.add_parser("dagster", help="between two folders with a dagster.yaml, as data/dagster and deploy")  # fmt: skip
    mlflow = of.add_parser("mlflow", help="between two addresses as `--backend-store-uri` takes them, as sqlite:///data/mlflow/mlflow.db and postgresql+psycopg2:///mlflow")  # fmt: skip
    for command, kind, move in ((dagster, Path, of_dagster.move), (mlflow, str, of_mlflow.move)):
        command.add_argument("source", type=kind, metavar="FROM")
        command.add_argument("target", type=kind, metavar="TO")
        command.set_defaults(move=move)
    return parser


if __name__ == "__main__":
    sys.exit(main())
