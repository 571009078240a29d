"""`python -m polymarket_assets.learning train|score|evaluate|leak-audit|docs`: learning outside Dagster."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from polymarket_assets.learning.commands import running
from polymarket_assets.venue.errors import PolymarketError

# Rows of features that are computed again: of what was recorded, and of what was fetched.
ROWS = 10
# Shapes of trees that are tried at each cut: none, unless asked for.
MOST_TRIALS = 100


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 1 where the audit is red or a skill is too good to be true, 2 and one sentence where it cannot be done."""
    asked = _parser().parse_args(arguments)
    try:
        return running.COMMANDS[asked.command](asked)
    except PolymarketError as e:
        Console(stderr=True).print(str(e), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m polymarket_assets.learning", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train on a lake, log the run, register the model and judge it")
    score = commands.add_parser("score", help="what a model says of the feature rows of any lake")
    evaluate = commands.add_parser("evaluate", help="scored rows against how their markets ended")
    audit = commands.add_parser("leak-audit", help="does anything in a lake know more than it could have?")
    commands.add_parser("docs", help="docs/features.md, from the declarations")
    for command in (train, score, evaluate):
        command.add_argument("--lake", help="folder of the lake; default: LAKE_ROOT")
    for command in (train, score):
        command.add_argument("--tracking", metavar="URI", help="tracking server; default: MLFLOW_TRACKING_URI")  # fmt: skip
    train.add_argument("--trials", type=_trials, default=0, help="shapes of trees tried at each cut (default: none)")  # fmt: skip
    score.add_argument("--model", required=True, help="models:/polymarket@champion, models:/polymarket/3, runs:/<id>/model or a folder")  # fmt: skip
    score.add_argument("--out", required=True, type=Path, metavar="FILE.parquet", help="where forecasts go")
    score.add_argument("--since", type=_instant, metavar="INSTANT", help="from this instant on: 2026-03-01 or 2026-03-01T12:00:00Z")  # fmt: skip
    score.add_argument("--until", type=_instant, metavar="INSTANT", help="up to, but without, this")
    score.add_argument("--at", type=_instant_or_now, metavar="INSTANT|now", help="not the rows of features, but every market a recorded lake had sampled at this instant")  # fmt: skip
    evaluate.add_argument("--predictions", required=True, type=Path, metavar="FILE.parquet", help="what `score` wrote")  # fmt: skip
    evaluate.add_argument("--report", type=Path, metavar="FILE.html", help="write the judgement as a page, too")  # fmt: skip
    evaluate.add_argument("--in-sample", action="store_true", help="also rows that the model may have learnt from: no judgement of it")  # fmt: skip
    audit.add_argument("--root", help="folder of the lake; default: LAKE_ROOT")
    audit.add_argument("--rows", type=int, default=ROWS, help="rows of features computed again, as many recorded as fetched (default: %(default)s)")  # fmt: skip
    return parser


def _instant(text: str) -> datetime:
    """A day or an RFC 3339 instant; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{text!r} is no instant: write 2026-03-01 or 2026-03-01T12:00:00Z") from e  # fmt: skip
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _instant_or_now(text: str) -> datetime:
    return datetime.now(UTC) if text == "now" else _instant(text)


def _trials(text: str) -> int:
    if not text.isdigit() or int(text) > MOST_TRIALS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of trials: 0 … {MOST_TRIALS}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
