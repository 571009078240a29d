"""`python -m drills.kill`: SIGKILL at random moments, also while sealing; then what was sent is looked for.

A lake and a state folder of the drill's own, a simulator with a ledger, and the streamer as people run it. In each
round the recorder is killed: at once after it was started, some time after it had caught up, or together with a
`seal --until now` (either first). At the end it is stopped, everything is sealed, `trades` is built with
the simulator's Data API, and the promises are judged against the ledger.
"""

from __future__ import annotations

import argparse
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drills import truth
from drills.judging import Frames, Kill, Life, Recorded, Sent, Verdict, changes, judge
from drills.processes import Simulator, Streamer, busy, wait_for
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

# Five minutes on two cores.
KILLS = 50
RATE = 2000
# The targets of the two figures.
HEARING_S, RECOVERED_S = 3.0, 10.0
# Kinds of rounds, and how many of each in ten; the last round is always a `FULL` one.
ROUNDS = {"early": 2, "late": 5, "sealing": 3}
# Killed when a minute of journal, all that is ever open, is nearly full: the most that there can be to recover.
FULL, _FULL_S = "full", 56.0
# Sooner, it would be killed before it has heard anything most of the time; later, nothing new would be met.
_EARLY_S, _LATE_S, _SEAL_S = (0.05, 3.0), (0.3, 6.0), (0.0, 3.0)
# New markets are looked for about so often.
_DISCOVER_S = 10.0
# Trades handed over just before the end may not be read any more.
_IN_FLIGHT = timedelta(seconds=1)
# Violations shown of each promise.
_SHOWN = 5


@dataclass
class Figures:
    """What recovering took, in seconds from each start."""

    hearing_s: list[float] = field(default_factory=list)
    recovered_s: list[float] = field(default_factory=list)
    rounds: Counter[str] = field(default_factory=Counter)


class Drill:
    """One drill in a folder."""

    def __init__(
        self, folder: Path, simulator: Simulator, dice: random.Random, say: Callable[[str], None]
    ) -> None:
        self.lake = Lake(folder / "lake")
        self.streamer = Streamer(folder / "lake", folder / "state", simulator.url, folder / "streamer.log")
        self.kills: list[Kill] = []
        self.lives: list[Life] = []
        self.figures = Figures()
        self.files = 0
        self.unreadable: list[str] = []
        self._simulator, self._dice, self._say = simulator, dice, say
        self._seen: dict[Path, int] = {}
        self._killed_at: list[datetime] = []
        self._discovered_at = 0.0

    def run(self, kills: int) -> tuple[datetime, datetime]:
        """Kill so often, then stop and seal; returns from when until when everything is accounted for."""
        self._discover()
        started = datetime.now(UTC)
        self._start()
        self._wait_until_well()
        for n in range(kills):
            kind = self._dice.choices(list(ROUNDS), list(ROUNDS.values()))[0] if n + 1 < kills else FULL
            self._round(kind)
            self.figures.rounds[kind] += 1
            self._look_at_files()
            self._say(f"killed {n + 1} of {kills} times ({kind})")
            self._start()
            if kind != "early":
                self._wait_until_well()
        ended = datetime.now(UTC)
        self.lives.append(Life(self._born_at, ended))
        if code := self.streamer.end(signal.SIGTERM):
            raise RuntimeError(f"the streamer ended with {code}: {self.streamer.said[-2000:]}")
        self._seal()
        return started, ended - _IN_FLIGHT

    def _start(self) -> None:
        self._started, self._born_at = time.monotonic(), datetime.now(UTC)
        self.streamer.start()

    def _wait_until_well(self) -> None:
        """Wait for data and for recovery, and note how long both took."""
        wait_for(lambda: self._lives() and self.streamer.is_hearing, "data")
        again = datetime.now(UTC)
        self.figures.hearing_s.append(time.monotonic() - self._started)
        wait_for(lambda: self._lives() and self.streamer.is_recovered, "recovery")
        self.figures.recovered_s.append(time.monotonic() - self._started)
        self.kills += [Kill(at, again) for at in self._killed_at]
        self._killed_at.clear()
        if time.monotonic() - self._discovered_at > _DISCOVER_S:
            self._discover()

    def _round(self, kind: str) -> None:
        if kind == "sealing":
            seal = self.streamer.spawn("seal", "--until", "now")
            time.sleep(self._dice.uniform(*_SEAL_S))
            for kill in self._dice.sample([self._kill, lambda: _kill(seal)], 2):
                kill()
            return
        moments = {"early": _EARLY_S, "late": _LATE_S, FULL: (_FULL_S, _FULL_S)}
        time.sleep(self._dice.uniform(*moments[kind]))
        self._kill()

    def _kill(self) -> None:
        self._killed_at.append(datetime.now(UTC))
        self.lives.append(Life(self._born_at, self._killed_at[-1]))
        self.streamer.end(signal.SIGKILL)

    def _discover(self) -> None:
        self._discovered_at = time.monotonic()
        self._simulator.discover(self.lake)

    def _look_at_files(self) -> None:
        """Open what was published since the last look."""
        now = {file: file.stat().st_ino for file in truth.published(Path(self.lake.root)) if file.exists()}
        fresh = [file for file, inode in now.items() if self._seen.get(file) != inode]
        self.files += len(fresh)
        self.unreadable += truth.unreadable(fresh)
        self._seen |= now

    def _seal(self) -> None:
        """Seal twice: what is sealed must not change."""
        before: list[str] | None = None
        for _ in range(2):
            if code := self.streamer.run("seal", "--until", "now"):
                raise RuntimeError(f"seal ended with {code}: {self.streamer.said[-2000:]}")
            sealed = reading.files(self.lake, "trades_raw") + reading.files(self.lake, "book_changes")
            if before not in (None, sealed):
                self.unreadable.append(f"sealing twice changed the files: {set(sealed) ^ set(before or ())}")
            before = sealed
        self._look_at_files()

    def _lives(self) -> bool:
        if not self.streamer.is_alive:
            raise RuntimeError(f"the streamer ended by itself: {self.streamer.said[-2000:]}")
        return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def main(arguments: list[str] | None = None) -> int:
    """Drill and judge; 1 where a promise is broken."""
    given = _parser().parse_args(arguments)
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="drill-kill-"))
    console.print(f"{given.kills} kills, seed {given.seed}, {given.rate} messages a second, in {folder}", highlight=False)  # fmt: skip
    simulator = Simulator(folder, busy(given.seed, given.rate))
    drill = Drill(
        folder,
        simulator,
        random.Random(given.seed),
        lambda said: console.print(said, style="dim", highlight=False),
    )
    try:
        start, end = drill.run(given.kills)
        simulator.build_trades(drill.lake, Span(start, end))
    finally:
        if drill.streamer.is_alive:
            drill.streamer.end(signal.SIGKILL)
        simulator.stop()
    lines = truth.ledger(simulator.ledger)
    sent = list(truth.sent(lines, start, end))
    recorded = truth.recorded(drill.lake, truth.begun_at(lines), {trade.key for trade in sent})
    recorded.unreadable += drill.unreadable
    verdicts = judge(sent, recorded, drill.kills, drill.files)
    frames = truth.frames(lines, drill.lives, drill.lake)
    verdicts.append(changes(frames))
    console.print(shown(verdicts))
    console.print(_measured(drill, sent, recorded, frames))
    return 1 if any(verdict.violations for verdict in verdicts) else 0


def shown(verdicts: list[Verdict]) -> Table:
    """The promises, and what breaks them."""
    table = Table("promise", "judged", "violations", "of these")
    for verdict in verdicts:
        count = len(verdict.violations)
        told = "\n".join([*verdict.violations[:_SHOWN], *(["…"] if count > _SHOWN else [])])
        table.add_row(
            verdict.promise, f"{verdict.judged:,}", f"{count:,}", told, style="red" if count else ""
        )
    return table


def _measured(drill: Drill, sent: list[Sent], recorded: Recorded, frames: Frames) -> Table:
    shown = Table("figure", "median", "worst", "target")
    for name, taken, target in (
        ("start to data heard", drill.figures.hearing_s, HEARING_S),
        ("start to recovery complete", drill.figures.recovered_s, RECOVERED_S),
    ):
        worst = max(taken)
        over = "yellow" if worst > target else ""
        shown.add_row(
            name, f"{statistics.median(taken):.2f} s", f"{worst:.2f} s", f"{target:g} s", style=over
        )
    kinds = ", ".join(f"{count} {kind}" for kind, count in drill.figures.rounds.items())
    alive_s = sum((life.end - life.start).total_seconds() for life in drill.lives)
    shown.caption = (
        f"kills: {kinds}; alive {alive_s:.0f} s, handed {frames.handed.total() / alive_s:,.0f} book changes a second; "
        f"{sum(s.due for s in sent):,} trades sent, {recorded.heard.total():,} heard, {len(recorded.gaps):,} gaps"
    )
    return shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="how often (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=7, help="of the moments and of the simulator (default: %(default)s)"
    )
    parser.add_argument(
        "--rate", type=int, default=RATE, help="messages a second, of a busy profile (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
