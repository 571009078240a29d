"""`python -m drills.soak`: five tiers and the streamer for some minutes, through a venue that lies (`--calm`: through one that does not).

The platform is the real one: Dagster's daemon starts windows and discovery by its schedules and its watchdog. What the
table at the end says is read from the lake, from Dagster's own records and from the simulator's ledger.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn

from drills.lies import Lie, lies
from drills.platform import Load, Platform, stop_cleanly
from drills.processes import PATIENCE_S, Simulator, wait_for
from drills.soaked import Soaked, judged, shown
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import TIERS

MINUTES = 10.0
# Of all services, as far as a line across an ocean.
LATENCY_MS = 50.0
# Until sockets are open and windows sample, nothing is expected of anybody.
LOADED_EVERY_S = 5.0
WIDTH = 160
# In the drill's folder: what everything took, a line every so often.
LOADS = "loads.jsonl"


def main() -> int:
    """Run the drill and print its tables; 1 where a promise was broken."""
    asked = _parser().parse_args()
    stop_cleanly()
    with _folder(asked.keep) as folder:
        with Progress(*Progress.get_default_columns(), TimeElapsedColumn()) as progress:
            soaked = soak(folder, asked.minutes, asked.seed, asked.factor, progress, calm=asked.calm)
        verdicts = judged(soaked)
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        for table in shown(soaked, verdicts):
            console.print(table)
    broken = [verdict for verdict in verdicts if not verdict.holds]
    print("every promise was kept" if not broken else f"broken: {', '.join(verdict.promise for verdict in broken)}")  # fmt: skip
    return 1 if broken else 0


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where everything lies; gone afterwards, unless it is to be kept."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="drill-soak-") as folder:
            yield Path(folder)
    else:
        keep.mkdir(parents=True)
        yield keep.resolve()


def soak(folder: Path, minutes: float, seed: int, factor: float, progress: Progress, *, calm: bool) -> Soaked:
    """Run everything for so long, and gather what became of it. Raises `TimeoutError` where it does not begin to sample or to hear."""
    venue = Simulator(folder, ["--seed", str(seed), "--profile", "tiers", "--times", str(factor)])
    venue.control("POST", "/faults/latency", {"ms": LATENCY_MS})
    venue.control("POST", "/faults/limiter", {})
    platform = Platform(folder, venue, _caps(venue.settings, factor))
    try:
        platform.start()
        platform.wait_for_sampling(tuple(tier.name for tier in TIERS))
        wait_for(lambda: platform.streamer.is_hearing, "the stream", 2 * PATIENCE_S)
        began = datetime.now(UTC)
        loads, history = _watch(platform, minutes, [] if calm else lies(minutes), progress)
        ended = datetime.now(UTC)
        alive = platform.is_alive
        runs = platform.runs()
    finally:
        platform.stop()
        venue.stop()
    return Soaked(platform.lake, venue.ledger, began, ended, runs, loads, history, alive, calm, folder)


def _caps(settings: Settings, factor: float) -> dict[str, str]:
    """The caps of the tiers, so many times: what gives way is to be the machine."""
    return {f"MAX_MARKETS_{tier.name.upper()}": str(round(settings.max_markets(tier.name) * max(factor, 1))) for tier in TIERS}  # fmt: skip


def _watch(platform: Platform, minutes: float, planned: list[Lie], progress: Progress) -> tuple[list[tuple[float, Load, Load]], list[tuple[float, float]]]:  # fmt: skip
    """Let time pass: tell the lies when they are due, and note what everything takes, and Dagster's history."""
    began, loads, history = time.monotonic(), [], []
    task = progress.add_task("soaking", total=minutes * 60)
    while (passed := time.monotonic() - began) < minutes * 60:
        while planned and planned[0].after_s <= passed:
            lie = planned.pop(0)
            progress.console.print(f"{timedelta(seconds=round(passed))} {lie}")
            platform.venue.control("POST", f"/faults/{lie.fault}", {**lie.given, "for_s": lie.for_s})
            if lie.is_of_listings:
                platform.discover()
        loads.append((passed, platform.load(), platform.load_of_streamer()))
        history.append((passed, platform.history_mb()))
        _note(platform.folder / LOADS, loads[-1])
        progress.update(task, completed=passed)
        time.sleep(LOADED_EVERY_S)
    return loads, history


def _note(file: Path, loads: tuple[float, Load, Load]) -> None:
    """A line for who looks while it runs, or keeps the folder."""
    passed, platform, streamer = loads
    with file.open("a") as lines:
        lines.write(json.dumps({"s": round(passed), "platform": asdict(platform), "streamer": asdict(streamer)}) + "\n")  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long (default: %(default)s)")
    parser.add_argument("--factor", type=float, default=1.0, help="so many times the markets (default: %(default)s)")  # fmt: skip
    parser.add_argument("--calm", action="store_true", help="a venue that does not lie: what it takes, and how late slots are")  # fmt: skip
    parser.add_argument("--keep", type=Path, help="a folder that is made, and holds everything afterwards")
    parser.add_argument("--seed", type=int, default=7, help="of the venue (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
