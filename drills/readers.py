"""`python -m drills.readers`: readers query a lake without a pause while it is written, compacted, moved, and its keeper killed.

A lake of the drill's own in which an hour lasts two seconds. DuckDB reads through `lake.connect()`, polars through
`lake.files()`, each in several processes; the keeper gets SIGKILL at random moments. Every answer must hold what was
published before it, each row once; none may end in an error.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drills.hammering import FIRST, HOUR_S, MARKETS, TABLE, Heard, ledger
from drills.processes import PROJECT
from polymarket_assets.lake import compacting, folders, layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR
from polymarket_assets.lake.writing import Lake

SECONDS = 60.0
READERS = {"duckdb": 1, "polars": 1}
# From just started, in the middle of its imports, to after a round of work.
_KILL_S = (0.3, 4.0)
_END_S = 60.0
_SHOWN = 3


@dataclass
class Outcome:
    """What a drill found."""

    heard: dict[str, Heard] = field(default_factory=dict)
    kills: int = 0
    compacted: int = 0
    moved: int = 0
    retired: int = 0
    # Of the keeper that nobody killed, and of the rows that stand at the end.
    failed: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """Everything that must not be."""
        met = [f"{name}: {what}" for name, h in self.heard.items() for what in (*h.errors, *h.wrong)]
        idle = [f"{name} asked nothing" for name, h in self.heard.items() if not h.queries]
        return [*met, *idle, *self.failed]


def drill(root: Path, seconds: float, seed: int, *, readers: dict[str, int] | None = None) -> Outcome:
    """Run everything for so long in a folder of its own, and judge."""
    dice, began = random.Random(seed), time.time()
    until = began + seconds
    writer = _spawn("writer", root, began, until, seed)
    asking = {
        f"{role} {n + 1}": _spawn(role, root, began, until, seed + n)
        for role, count in (readers or READERS).items()
        for n in range(count)
    }
    outcome = Outcome()
    while time.time() < until:
        keeper = _spawn("keeper", root, began, until, seed)
        time.sleep(min(dice.uniform(*_KILL_S), max(0.0, until - time.time())))
        if keeper.poll() not in (None, 0):
            outcome.failed.append(f"the keeper ended with {keeper.returncode}")
        keeper.kill()
        keeper.wait()
        outcome.kills += 1
    writer.wait(_END_S)
    for name, process in asking.items():
        told, _ = process.communicate(timeout=_END_S)
        outcome.heard[name] = Heard(**json.loads(told))
    _judge_the_end(root, outcome)
    return outcome


def _spawn(role: str, root: Path, began: float, until: float, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "drills.hammering", role, str(root), str(began), str(until), str(seed)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def _judge_the_end(root: Path, outcome: Outcome) -> None:
    """Count what the keepers did, finish what the last one left, and count every row."""
    lake = Lake(root / "lake")
    for line in (root / "kept").read_text().splitlines() if (root / "kept").exists() else []:
        done = json.loads(line)
        outcome.compacted += done["compacted"]
        outcome.moved += done["moved"]
        outcome.retired += done["retired"]
        outcome.failed += done["failed"]
    last = max(ledger(root), default=0)
    end = FIRST + HOUR * (last // 30 + 3)
    outcome.failed += compacting.compact(lake, clock=lambda: end).failed
    compacting.compact(lake, clock=lambda: end + HOUR)
    rows = reading.rows(lake, TABLE)
    slots = set(rows.column("slot_at").to_pylist())
    if rows.num_rows != len(slots) * MARKETS:
        outcome.failed.append(f"{rows.num_rows} rows of {len(slots)} slots stand at the end")
    for folder in folders.folders(lake, TABLES[TABLE]):
        parts = [name for name in folder.files if layout.is_part(name)]
        if parts and folder.span.end < end:
            outcome.failed.append(f"{folder} is left with {len(parts)} parts")


def _shown(outcome: Outcome, seconds: float) -> Table:
    shown = Table(
        title=f"{seconds:g} s, an hour every {HOUR_S:g} s",
        caption=f"{outcome.kills} kills of the keeper; at least {outcome.compacted} foldings of hours, {outcome.moved} moves, {outcome.retired} removals by days",
    )
    for heading in ("reader", "queries", "slots at most", "errors", "wrong"):
        shown.add_column(heading, justify="left" if heading == "reader" else "right")
    for name, heard in outcome.heard.items():
        shown.add_row(name, f"{heard.queries:,}", f"{heard.slots:,}", str(len(heard.errors)), str(len(heard.wrong)))  # fmt: skip
    return shown


def main() -> int:
    """Run the drill and print its table; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m drills.readers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the moments of kills (default: %(default)s)")
    parser.add_argument(
        "--readers", type=int, default=1, help="processes of each kind (default: %(default)s)"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = drill(Path(folder), asked.seconds, asked.seed, readers=dict.fromkeys(READERS, asked.readers))  # fmt: skip
    console = Console()
    console.print(_shown(outcome, asked.seconds))
    for violation in outcome.violations[:_SHOWN]:
        console.print(violation, style="red", highlight=False, markup=False, soft_wrap=True)
    console.print("broken" if outcome.violations else "every answer held every row once")
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
