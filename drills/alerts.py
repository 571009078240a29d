"""`python -m drills.alerts`: every condition that people are told of, forced, through the sensor, to a local webhook.

Of each that lasts: three blips shorter than the rule, each of them seen (not of what is a fact, not a measurement: runs,
checks and materialisations that stand in Dagster's records are told after one look); then for good, with the sensor's process ended between writing what is to
be told and sending it; then over, while Slack is limited, broken or away. There must be no alert of the blips, one of the
condition and one recovery; and health, asked before, during and after, must be fine, say the level and the reason that the
condition has, and be fine again. Of each that happens: one message, none when it is seen again. At the end Slack itself is
hurt: slow, and the process ended while it hands a message over.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drills.alert_conditions import CONDITIONS
from drills.alert_rows import Row, forced_condition, hurt_slack
from drills.disks import enter_namespace
from drills.webhook import BROKEN, DOWN, LIMITED

WIDTH = 190
# Characters of a reason that the table has.
LONGEST_REASON = 120
# Most of a condition's time is waiting for processes and disks: two cores carry three of them.
AT_ONCE = 3


def main(arguments: list[str] | None = None) -> int:
    """Run the drill and print its table; 1 where a promise was broken."""
    given = sys.argv[1:] if arguments is None else arguments
    only = _parser().parse_args(given).only
    try:
        code = enter_namespace("drills.alerts", given)
    except PermissionError as e:
        print(f"{e}: disks cannot be filled here", file=sys.stderr)
        return 1
    if code is not None:
        return code
    logging.disable(logging.ERROR)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="drill-alerts-", ignore_cleanup_errors=True) as folder:
        rows = list(_forced(list(_tasks(Path(folder), only))))
    Console(width=None if sys.stdout.isatty() else WIDTH, emoji=False, markup=False).print(_table(rows))
    good = all(row.is_kept for row in rows)
    print(f"{'every promise was kept' if good else 'broken'}, in {time.monotonic() - began:.0f} s")
    return 0 if good else 1


def _tasks(folder: Path, only: list[str]) -> Iterator[Callable[[], Row]]:
    """What is to be done, each in a folder of its own; Slack is hurt in turn in each way."""
    chosen = [one for one in CONDITIONS if not only or one.kind in only]
    for number, (condition, hurt) in enumerate(zip(chosen, cycle((LIMITED, BROKEN, DOWN)), strict=False)):
        yield partial(forced_condition, folder / str(number), condition, hurt)
    for how in () if only else ("slow", "killed"):
        yield partial(hurt_slack, folder / how, how)


def _forced(tasks: list[Callable[[], Row]]) -> Iterator[Row]:
    """Their rows in order, some at once, each in a process of its own: a place is a whole installation."""
    with ProcessPoolExecutor(AT_ONCE, mp_context=get_context("fork")) as pool:
        for row, took_s in pool.map(_timed, tasks):
            print(f"{'✓' if row.is_kept else '✗'} {row.name} ({took_s:.0f} s)", flush=True)
            yield row


def _timed(task: Callable[[], Row]) -> tuple[Row, float]:
    began = time.monotonic()
    return task(), time.monotonic() - began


def _table(rows: list[Row]) -> Table:
    table = Table("condition", "kind", "of three blips", "alerts", "recoveries", "Slack meanwhile", "health", "what it said", "")  # fmt: skip
    for row in rows:
        counts = ["·" if count is None else str(count) for count in (row.blips, row.alerts, row.recoveries)]
        table.add_row(row.name, row.kind, *counts, row.slack, " → ".join(row.health) or "·", row.said[:LONGEST_REASON], "✓" if row.is_kept else "✗")  # fmt: skip
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.alerts", description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="kinds to force; all without it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
