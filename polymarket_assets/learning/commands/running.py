"""The commands, each from what was asked to an exit code; what people see of them stands here, and nothing else does."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

from polymarket_assets.lake import open_existing
from polymarket_assets.settings import load
from polymarket_assets.venue.errors import Refused

if TYPE_CHECKING:
    import pyarrow as pa

    from polymarket_assets.lake.writing import Lake
    from polymarket_assets.learning.commands.loading import Loaded

# One seed for everything random, as in Dagster: a training can be repeated.
SEED = 7
WIDTH = 160


def train(asked: argparse.Namespace) -> int:
    """Train, log, register, judge."""
    from polymarket_assets.learning import making, training_set
    from polymarket_assets.learning.tracking import require

    lake, address, console, now = open_existing(asked.lake), _address(asked), _console(), datetime.now(UTC)
    _quiet()
    require(address)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("building the training set", total=None)
        rows = training_set.build(lake, now=now).rows
        progress.update(task, description="walking through cuts")
        made = making.made(
            lake, rows, address, seed=SEED, trials=asked.trials, now=now, log=lambda line: None,
            on_fold=lambda done, of: progress.update(task, completed=done, total=of),
        )  # fmt: skip
        progress.update(task, description="judging", total=None)
        found = making.judged(lake, made.run_id, address)
    _say(console, f"run {made.run_id}, {made.version}, {made.rows:,} rows, {made.trials:,} trials, kappa {made.kappa:.2f}")  # fmt: skip
    _say(console, found.evaluation.verdict, f"backtest: {found.backtest.verdict}")
    return 1 if found.evaluation.overall.suspicious else 0


def score(asked: argparse.Namespace) -> int:
    """Write what a model says."""
    from polymarket_assets.learning.commands import scoring
    from polymarket_assets.learning.commands.loading import loaded

    if asked.at and (asked.since or asked.until):
        raise Refused("--at is one instant and --since and --until are a span of rows of features: ask for one of them")  # fmt: skip
    lake, console = open_existing(asked.lake), _console()
    _quiet()
    with loaded(asked.model, lambda: _address(asked)) as model:
        said = _scored(asked, lake, model, console)
    scoring.write(said, asked.out)
    _say(console, f"{said.num_rows:,} rows of {len(said.column('market_id').unique()):,} markets, scored by {model.name}: {asked.out}")  # fmt: skip
    return 0


def _scored(asked: argparse.Namespace, lake: Lake, model: Loaded, console: Console) -> pa.Table:
    from polymarket_assets.learning.commands import scoring

    rows = scoring.rows_at(lake, asked.at, tuple(load().stream_tiers)) if asked.at else scoring.rows_of_features(lake, asked.since, asked.until)  # fmt: skip
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"asking {model.name}", total=rows.num_rows)
        of = scoring.INSTANT if asked.at else scoring.FEATURES
        return scoring.scored(rows, model, of=of, at=datetime.now(UTC), on_rows=lambda count: progress.advance(task, count))  # fmt: skip


def evaluate(asked: argparse.Namespace) -> int:
    """Judge what was said."""
    from polymarket_assets.learning.commands import judging

    lake, console = open_existing(asked.lake), _console()
    with console.status("joining outcomes and judging"):
        found = judging.judged(lake, asked.predictions, now=datetime.now(UTC), in_sample=asked.in_sample)
    for warning in found.warnings:
        console.print(warning, style="yellow", highlight=False, markup=False, soft_wrap=True)
    console.print(judging.shown(found.evaluation))
    if asked.report:
        judging.write(found, asked.report)
        _say(console, f"{asked.report}")
    return 1 if found.evaluation.overall.suspicious and not asked.in_sample else 0


def leak_audit(asked: argparse.Namespace) -> int:
    """Hold a lake against the guards."""
    from polymarket_assets.learning.audit import report
    from polymarket_assets.learning.audit.audited import Audit

    audit = Audit(open_existing(asked.root), datetime.now(UTC), asked.rows, streamed=tuple(load().stream_tiers))  # fmt: skip
    return report.run(audit, _console())


def docs(_: argparse.Namespace) -> int:
    """Print docs/features.md."""
    from polymarket_assets.learning.features import documenting

    sys.stdout.write(documenting.markdown())
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "train": train, "score": score, "evaluate": evaluate, "leak-audit": leak_audit, "docs": docs,
}  # fmt: skip


def _address(asked: argparse.Namespace) -> str:
    return str(asked.tracking or load().need_mlflow_tracking_uri())


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else WIDTH)


def _quiet() -> None:
    """MLflow tells of databases and versions as it goes: of no use to who asked, and in the way of a progress bar."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
