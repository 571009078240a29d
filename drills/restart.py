"""`python -m drills.restart`: kill -9 of what samples, again and again, and how long until it samples again.

A window run; the daemon; the code server alone, and with all its runs; and everything at once, which is a reboot in small. After
each: the seconds until the nearest tier has a slot that was begun after the kill, whether every slot has its account,
and whether every file is whole. Where runs die with their code server, a listing and two batch runs are among them: the
seconds until the venue was listed again, and until a batch run began.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from drills import lanes, truth
from drills.platform import Platform, stop_cleanly
from drills.processes import PATIENCE_S, Simulator, wait_for
from polymarket_assets.collecting import heartbeats, slots
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import BY_NAME, TIERS

T4 = BY_NAME["t4"]
# Promised by the issue.
BACK_WITHIN_S = 60.0
# Two looks of the watchdog, a start of the daemon, and a listing: the queue is free again for whatever waits in it.
LANES_WITHIN_S = 90.0
# As the supervisor of `make up` waits before it starts again what ended.
RESTART_PAUSE_S = 2.0
# Some slots of the nearest tier between two kills.
BETWEEN_S = 35.0
WIDTH = 140


@dataclass(frozen=True)
class Outcome:
    """What a kill led to."""

    what: str
    at: datetime
    back_s: float | None
    # None where the kill leaves lanes alone, or they were not free again.
    lanes: lanes.Lanes | None
    # Slots of T4 from the kill until it was back: all, taken, and without an account.
    slots: int
    taken: int
    unaccounted: int


def window(platform: Platform) -> None:
    """The run of the nearest tier."""
    state = Path(str(platform.settings.state_dir))
    (beat,) = [b for run_id in heartbeats.of(state, "t4") if (b := heartbeats.read(state, "t4", run_id)) is not None and not b.process.is_gone]  # fmt: skip
    beat.process.kill()


def daemon(platform: Platform) -> None:
    """The daemon, which its supervisor starts again."""
    assert platform.daemon is not None
    platform.daemon.kill()
    platform.daemon.wait()
    time.sleep(RESTART_PAUSE_S)
    platform.start_daemon()


def code_server(platform: Platform) -> None:
    """The code server and its runs."""
    assert platform.code is not None
    assert platform.daemon is not None
    _kill_all_but(platform, platform.daemon.pid)
    platform.code.wait()
    time.sleep(RESTART_PAUSE_S)
    platform.start_code()


def code_server_alone(platform: Platform) -> None:
    """The code server; its runs live on."""
    assert platform.code is not None
    platform.code.kill()
    platform.code.wait()
    time.sleep(RESTART_PAUSE_S)
    platform.start_code()


def everything(platform: Platform) -> None:
    """All of it but the streamer, which has drills of its own."""
    assert platform.code is not None
    assert platform.daemon is not None
    _kill_all_but(platform)
    platform.daemon.wait()
    platform.code.wait()
    time.sleep(RESTART_PAUSE_S)
    platform.start_code()
    platform.start_daemon()


def _kill_all_but(platform: Platform, *spared: int) -> None:
    assert platform.streamer.process is not None
    for pid in set(platform.members()) - {platform.streamer.process.pid, *spared}:
        os.kill(pid, signal.SIGKILL)


# What nobody tells Dagster of: runs die together with the server that started them.
UNTOLD = ("code server and runs", "everything")
KILLS: dict[str, Callable[[Platform], None]] = {
    "window run": window,
    "daemon": daemon,
    "code server": code_server_alone,
    "code server and runs": code_server,
    "everything": everything,
}


def drill(folder: Path, seed: int, rounds: int) -> tuple[list[Outcome], list[str]]:
    """Kill each, `rounds` times; the outcomes, and the files that are not whole."""
    venue = Simulator(folder, ["--seed", str(seed), "--profile", "busy", "--rate", "200"])
    platform = Platform(folder, venue)
    try:
        platform.start()
        platform.wait_for_sampling(tuple(tier.name for tier in TIERS))
        outcomes = [_outcome(platform, what) for _ in range(rounds) for what in KILLS]
    finally:
        platform.stop()
        venue.stop()
    files = [file for file in truth.published(folder / "lake") if "book_changes" not in str(file)]
    return [accounted(platform.lake, outcome) for outcome in outcomes], truth.unreadable(files)


def _outcome(platform: Platform, what: str) -> Outcome:
    time.sleep(BETWEEN_S)
    with lanes.filled(platform) if what in UNTOLD else nullcontext():
        at = datetime.now(UTC)
        KILLS[what](platform)
    back_s = freed = None
    with suppress(TimeoutError):
        back_s = (wait_for(lambda: begun_after(platform.lake, at), f"sampling after {what}", 3 * PATIENCE_S) - at).total_seconds()  # fmt: skip
        if what in UNTOLD:
            freed = lanes.freed(platform, at, 3 * PATIENCE_S)
    return Outcome(what, at, back_s, freed, 0, 0, 0)


def begun_after(lake: Lake, at: datetime) -> datetime | None:
    """When the first sweep begun after an instant had its answers."""
    time.sleep(0.5)
    rows = reading.rows(lake, "sweeps", Span(at - timedelta(hours=1), at + timedelta(hours=1)), tier="t4").to_pylist()  # fmt: skip
    later = [row["finished_at"] for row in rows if row["started_at"] is not None and row["started_at"] > at]
    return min(later, default=None)


def accounted(lake: Lake, outcome: Outcome) -> Outcome:
    """With the slots of the hole."""
    until = outcome.at + timedelta(seconds=outcome.back_s or 3 * PATIENCE_S)
    rows = {row["slot_at"]: row for row in reading.rows(lake, "sweeps", tier="t4").to_pylist()}
    hours = Span(hour_of(outcome.at), until).hours()
    hole = [at for hour in hours for at in slots.hour_grid(T4, hour) if outcome.at <= at < until]
    taken = sum(at in rows and rows[at]["status"] != "missed" for at in hole)
    return replace(outcome, slots=len(hole), taken=taken, unaccounted=sum(at not in rows for at in hole))


def _is_kept(outcome: Outcome) -> bool:
    """Whether what was promised of a kill came true."""
    freed = outcome.lanes
    sampled = outcome.back_s is not None and outcome.back_s <= BACK_WITHIN_S and not outcome.unaccounted
    untold = outcome.what not in UNTOLD or (freed is not None and max(freed.listed_s, freed.batch_s) <= LANES_WITHIN_S)  # fmt: skip
    return sampled and untold


def _row(outcome: Outcome) -> tuple[str, ...]:
    """As the table shows it."""
    back = "never" if outcome.back_s is None else f"{outcome.back_s:.1f} s"
    missing = "never" if outcome.what in UNTOLD else "·"
    freed = (missing, missing) if outcome.lanes is None else (f"{outcome.lanes.listed_s:.1f} s", f"{outcome.lanes.batch_s:.1f} s")  # fmt: skip
    return (outcome.what, back, *freed, str(outcome.slots), str(outcome.taken), str(outcome.unaccounted))


def main() -> int:
    """Run the drill and print its table; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m drills.restart", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="how often each is killed (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=7, help="of the venue (default: %(default)s)")
    asked = parser.parse_args()
    stop_cleanly()
    with tempfile.TemporaryDirectory(prefix="drill-restart-") as folder:
        outcomes, broken = drill(Path(folder), asked.seed, asked.rounds)
    table = Table("killed", "sampling again after", "listed again after", "batch run after", "slots of T4 in the hole", "taken", "without an account")  # fmt: skip
    for one in outcomes:
        table.add_row(*_row(one))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table, f"files that are not whole: {broken or 'none'}")
    good = not broken and all(map(_is_kept, outcomes))
    print("every promise was kept" if good else "broken")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
