"""`python -m drills.shards`: markets move between one streamer and two while they record, and processes are killed meanwhile.

A host is a state folder: shard n runs on host n, and all write to one lake. A move starts the new ones before the old ones are
ended; one of the new ones is killed while it catches up, and the old ones are stopped or killed. Between moves one of the shards is
killed and started again. At the end everything is sealed, `trades` is built with the simulator's Data API, and judged.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drills import judging, truth
from drills.judging import Kill, Life, Recorded, Sent, Verdict
from drills.kill import shown
from drills.processes import ALL_TIERS, Simulator, Streamer, busy, wait_for
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard

# There and back twice: four minutes on two cores.
MOVES = 4
RATE = 1000
# How long shards record undisturbed between what happens to them.
_STEADY_S = 8.0
# A new one is killed this long after its start: before, while or after it asks for its first books.
_CATCHING_UP_S = (0.2, 4.0)
# How long a killed shard is away.
_AWAY_S = (0.0, 4.0)
# Trades handed over around the ends of a steady span may have been handed before or after.
_EDGE = timedelta(seconds=1)


@dataclass
class Moved:
    """What a move was like."""

    count: int
    ended: str
    hearing_s: float
    # From the start of the new ones until the old ones had ended.
    span: Life


@dataclass
class Drill:
    """One drill in a folder."""

    folder: Path
    simulator: Simulator
    dice: random.Random
    say: Callable[[str], None]
    living: dict[Shard, Streamer] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    steady: list[Life] = field(default_factory=list)
    moves: list[Moved] = field(default_factory=list)

    @property
    def lake(self) -> Lake:
        """The lake of all hosts."""
        return Lake(self.folder / "lake")

    def run(self, moves: int) -> Span:
        """Move so often, then stop and seal; returns the time that is accounted for."""
        self.simulator.discover(self.lake)
        began = datetime.now(UTC)
        self._start(Shard())
        wait_for(self._all_heard, "everything is heard")
        for n in range(moves):
            self._rest()
            self._kill_and_start(self.dice.choice([*self.living]))
            self._rest()
            # There and back, each with old ones that are stopped and with old ones that are killed.
            self._move(2 - n % 2, signal.SIGKILL if n % 4 in (1, 2) else signal.SIGTERM)
            moved = self.moves[-1]
            self.say(f"moved to {moved.count} within {moved.hearing_s:.1f} s; the old were {moved.ended}")
        self._rest()
        ended = datetime.now(UTC)
        self._end()
        return Span(began, ended - _EDGE)

    def _streamer(self, shard: Shard) -> Streamer:
        more = {**ALL_TIERS, "STREAM_SHARD": f"{shard.number}", "STREAM_SHARDS": f"{shard.count}"}
        host = self.folder / f"host{shard.number}"
        return Streamer(self.folder / "lake", host, self.simulator.url, self.folder / f"{shard}.log", more)

    def _start(self, shard: Shard) -> None:
        self.living.setdefault(shard, self._streamer(shard)).start()

    def _move(self, count: int, number: signal.Signals) -> None:
        """Start the new ones, hurt one of them, and end the old ones once everything is heard by the new."""
        old, new = list(self.living), [Shard(n, count) for n in range(count)]
        began, from_at = time.monotonic(), datetime.now(UTC)
        for shard in new:
            self._start(shard)
        self._kill_and_start(self.dice.choice(new), after_s=self.dice.uniform(*_CATCHING_UP_S))
        hearing_s = time.monotonic() - began
        for shard in old:
            self.living[shard].end(number)
            if shard.number >= count:
                self._give_up(shard)
            del self.living[shard]
        ended = "stopped" if number == signal.SIGTERM else "killed"
        self.moves.append(Moved(count, ended, hearing_s, Life(from_at, datetime.now(UTC))))

    def _give_up(self, shard: Shard) -> None:
        """What a host does that has no shard any more (docs/scaling.md): bring the rest to the lake, and forget."""
        self._command(self.living[shard], "seal", "--until", "now")
        shutil.rmtree(self.folder / f"host{shard.number}" / "stream")

    def _kill_and_start(self, shard: Shard, after_s: float = 0.0) -> None:
        time.sleep(after_s)
        listened, at = bool(self.living[shard].health()), datetime.now(UTC)
        self.living[shard].end(signal.SIGKILL)
        time.sleep(self.dice.uniform(*_AWAY_S))
        self._start(shard)
        wait_for(self._all_heard, "everything is heard again")
        self.kills.append(Kill(at, datetime.now(UTC), shard, listened))

    def _rest(self) -> None:
        """Record undisturbed, with the markets that were listed meanwhile."""
        self.simulator.discover(self.lake)
        from_at = datetime.now(UTC)
        time.sleep(_STEADY_S)
        self.steady.append(Life(from_at + _EDGE, datetime.now(UTC) - _EDGE))

    def _all_heard(self) -> bool:
        for shard, streamer in self.living.items():
            if not streamer.is_alive:
                raise RuntimeError(f"shard {shard} ended by itself: {streamer.said[-2000:]}")
        return all(_hears(streamer) and streamer.is_hearing for streamer in self.living.values())

    def _end(self) -> None:
        """Stop all, then seal on every host; only one of them does."""
        for streamer in self.living.values():
            streamer.end(signal.SIGTERM)
        for shard in sorted(self.living, key=lambda shard: -shard.number):
            self._command(self.living[shard], "seal", "--until", "now")

    def _command(self, streamer: Streamer, *arguments: str) -> None:
        if code := streamer.run(*arguments):
            raise RuntimeError(f"{arguments} ended with {code}: {streamer.said[-2000:]}")


def _hears(streamer: Streamer) -> bool:
    """Whether every book came that will: one whose market has ended meanwhile does not, and is late."""
    told = streamer.health().get("tokens", {})
    is_whole = bool(told.get("subscribed")) and told["subscribed"] == told["wanted"]
    return is_whole and told["without_book"] <= told["late"]


def main(arguments: list[str] | None = None) -> int:
    """Drill and judge; 1 where a promise is broken."""
    given = _parser().parse_args(arguments)
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="drill-shards-"))
    console.print(f"{given.moves} moves, seed {given.seed}, {given.rate} messages a second, in {folder}", highlight=False)  # fmt: skip
    simulator = Simulator(folder, busy(given.seed, given.rate))
    drill = Drill(folder, simulator, random.Random(given.seed), lambda said: console.print(said, style="dim", highlight=False))  # fmt: skip
    try:
        span = drill.run(given.moves)
        simulator.build_trades(drill.lake, span)
    finally:
        for streamer in drill.living.values():
            if streamer.is_alive:
                streamer.end(signal.SIGKILL)
        simulator.stop()
    lines = truth.ledger(simulator.ledger)
    sent = list(truth.sent(lines, span.start, span.end))
    recorded = truth.recorded(drill.lake, truth.begun_at(lines), {trade.key for trade in sent})
    verdicts = judged(drill, sent, recorded)
    console.print(shown(verdicts))
    console.print(_measured(drill, sent, recorded))
    return 1 if any(verdict.violations for verdict in verdicts) else 0


def judged(drill: Drill, sent: list[Sent], recorded: Recorded) -> list[Verdict]:
    """The promises of the drill of kills, by shard, and those about sharing."""
    files = truth.published(Path(drill.lake.root))
    recorded.unreadable += truth.unreadable(files)
    return [
        *judging.judge(sent, recorded, drill.kills, len(files)),
        judging.shared(sent, drill.steady),
        judging.unheard(sent, [move.span for move in drill.moves], recorded),
        judging.unfounded(recorded.gaps, drill.kills),
    ]


def _measured(drill: Drill, sent: list[Sent], recorded: Recorded) -> Table:
    table = Table("to", "all heard after", "the old were", "trades meanwhile", "heard", "by both")
    for move in drill.moves:
        mine = [s for s in sent if s.due and move.span.start <= s.at <= move.span.end]
        heard = [recorded.heard[s.key] for s in mine]
        table.add_row(
            f"{move.count}", f"{move.hearing_s:.1f} s", move.ended, f"{len(mine):,}", f"{sum(n > 0 for n in heard):,}",
            f"{sum(n > 1 for n in heard):,}",
        )  # fmt: skip
    table.caption = (
        f"{len(drill.kills)} kills beside; {sum(s.due for s in sent):,} trades sent, {len(recorded.heard):,} heard, "
        f"{recorded.trades.total():,} in trades, {len(recorded.gaps):,} gaps"
    )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.shards", description=__doc__)
    parser.add_argument("--moves", type=int, default=MOVES, help="from one to two, back, and so on (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=7, help="of the moments and of the simulator (default: %(default)s)")  # fmt: skip
    parser.add_argument("--rate", type=int, default=RATE, help="messages a second, of a busy profile (default: %(default)s)")  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
