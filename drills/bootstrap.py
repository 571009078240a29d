"""`python -m drills.bootstrap`: `make bootstrap` through a venue that lies, stopped once midway, and held against the truth.

The simulator has a fortnight of closed markets. While they are fetched its answers are late, cut, doubled and short, cursors
are stuck or missing, errors storm, and once it is down altogether. In the end markets, prices, trades and outcomes must be
those that the simulator made; and the same command once more must find nothing to change.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from drills.past import Compared, Past, compare
from drills.platform import stop_cleanly
from drills.processes import PROJECT, Simulator
from launch.bootstrap_plan import Wish
from polymarket_assets.collecting.history import closed_days
from polymarket_assets.lake.writing import Lake

DAYS, MARKETS = 14, 1_000
# As much of each answer as meets every fault many times in some thousand requests, and few enough that most are well.
LIES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("latency", {"ms": 20, "jitter_ms": 30}),
    ("limiter", {}),
    ("throttle", {"chance": 0.01, "retry_after_s": 1}),
    ("error_storm", {"chance": 0.05, "status": 502}),
    ("truncated_body", {"chance": 0.05}),
    # A page of prices takes the minute that an answer may take, and with it most of a day's fetching.
    ("slow_loris", {"service": "data", "chance": 0.0003, "every_s": 0.001}),
    ("stuck_cursor", {"chance": 0.02}),
    ("missing_cursor", {"chance": 0.02}),
    ("repeated_rows", {"service": "gamma", "chance": 0.2}),
    ("repeated_rows", {"service": "data", "path": "/v2/prices-history", "chance": 0.2}),
    ("short_pages", {"service": "data", "path": "/v2/trades", "rows": 40}),
)
# Once for longer than the clients' own patience.
DOWN_AFTER_S, DOWN_FOR_S = 30.0, 20.0
# The first call is stopped when so many days of prices are there.
STOPPED_AFTER_DAYS = 2
# Whatever happens, a call ends.
CALL_WITHIN_S = 1_800.0
# The command gives up what the venue spoils again and again, and says that it can be called once more.
MOST_CALLS = 4
# The exit code of what Ctrl-C stopped.
STOPPED = 130


@dataclass(frozen=True)
class Call:
    """One call of the command."""

    code: int
    seconds: float
    said: str


def main() -> int:
    """Run the drill and print what came of it; 1 where the tables are not the truth."""
    asked = _parser().parse_args()
    stop_cleanly()
    with tempfile.TemporaryDirectory(prefix="drill-bootstrap-") as folder:
        return drill(Path(folder), asked.days, asked.markets, asked.seed, calm=asked.calm)


def drill(folder: Path, days: int, markets: int, seed: int, *, calm: bool) -> int:
    """Fetch, stop, go on, compare, fetch again."""
    venue = Simulator(folder, ["--seed", str(seed), "--profile", "past"])
    environment, console = _environment(folder, venue), Console(width=None if sys.stdout.isatty() else 140)
    lake = Lake(folder / "lake")
    try:
        for fault, given in [] if calm else LIES:
            venue.control("POST", f"/faults/{fault}", given)
        down = threading.Timer(DOWN_AFTER_S, _down, [venue])
        down.daemon = True
        if not calm:
            down.start()
        stopped = call(environment, days, markets, stop_when=lambda: _days_of(lake) >= STOPPED_AFTER_DAYS)
        console.print(f"stopped after {stopped.seconds:.0f} s with {_days_of(lake)} days of prices, exit code {stopped.code}")  # fmt: skip
        if stopped.code != STOPPED:
            console.print(stopped.said, markup=False, highlight=False)
        calls = [call(environment, days, markets)]
        while calls[-1].code and len(calls) < MOST_CALLS:
            calls.append(call(environment, days, markets))
        compared = _compared(folder, lake, days, markets)
        before = _files(folder / "lake")
        again = call(environment, days, markets)
        unchanged = _files(folder / "lake") == before and "nothing is changed" in again.said
    finally:
        venue.stop()
    console.print(calls[-1].said, markup=False, highlight=False)
    console.print(_shown(stopped, calls, compared, again, unchanged))
    return 0 if stopped.code == STOPPED and calls[-1].code == again.code == 0 and unchanged and all(one.equal for one in compared) else 1  # fmt: skip


def _down(venue: Simulator) -> None:
    venue.control("POST", "/faults/venue_down", {"for_s": DOWN_FOR_S})


def _environment(folder: Path, venue: Simulator) -> dict[str, str]:
    told = venue.settings
    return {
        **os.environ, "LAKE_ROOT": str(folder / "lake"), "STATE_DIR": str(folder / "state"), "DAGSTER_HOME": str(folder / "dagster"),
        "POLYMARKET_GAMMA_URL": told.polymarket_gamma_url, "POLYMARKET_CLOB_URL": told.polymarket_clob_url,
        "POLYMARKET_DATA_URL": told.polymarket_data_url, "RATE_SHARE": "1.0", "PYTHONPATH": str(PROJECT),
    }  # fmt: skip


def call(environment: dict[str, str], days: int, markets: int, stop_when: Any = lambda: False) -> Call:
    """Call the command; Ctrl-C as soon as `stop_when` says so."""
    began = time.monotonic()
    command = [sys.executable, "-m", "launch", "bootstrap", "--days", str(days), "--markets", str(markets), "--trades", "1"]  # fmt: skip
    with tempfile.TemporaryFile("w+") as said:
        # A folder of its own: settings of whoever runs the drill stay out of it.
        # In a drill that was started in the background Ctrl-C would be ignored by whatever it starts.
        running = subprocess.Popen(command, cwd=Path(environment["DAGSTER_HOME"]).parent, env=environment, stdout=said, stderr=subprocess.STDOUT, preexec_fn=_hears_interrupts)  # fmt: skip
        while running.poll() is None and time.monotonic() - began < CALL_WITHIN_S:
            if stop_when():
                running.send_signal(signal.SIGINT)
                break
            time.sleep(0.2)
        try:
            code = running.wait(max(1.0, CALL_WITHIN_S - (time.monotonic() - began)))
        finally:
            running.kill()
        said.seek(0)
        return Call(code, time.monotonic() - began, said.read())


def _hears_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _days_of(lake: Lake) -> int:
    return len(lake.store.list("history_prices"))


def _compared(folder: Path, lake: Lake, days: int, markets: int) -> list[Compared]:
    now = datetime.now(UTC)
    dates = Wish(days, markets, trades=True).dates(now)
    volumes = sorted(((row["volume_usd"] or 0.0, row["market_id"]) for day in dates for row in closed_days.markets(lake, day)), reverse=True)  # fmt: skip
    least = volumes[min(markets, len(volumes)) - 1][0] if len(volumes) > markets else 0.0
    asked = {market_id for volume, market_id in volumes if volume >= least}
    return compare(Past(folder / "ledger.jsonl"), lake, dates, asked, now)


def _files(root: Path) -> dict[str, str]:
    """Every file of a lake with its checksum and when it was written."""
    return {
        str(
            file.relative_to(root)
        ): f"{hashlib.sha256(file.read_bytes()).hexdigest()} {file.stat().st_mtime_ns}"
        for file in sorted(root.rglob("*.parquet"))
    }


def _shown(stopped: Call, calls: list[Call], compared: list[Compared], again: Call, unchanged: bool) -> Table:
    table = Table(title="make bootstrap through a venue that lies", title_justify="left")
    for heading in ("", "", ""):
        table.add_column(heading, overflow="fold")
    lines = [
        ("Ctrl-C is a clean stop", stopped.code == STOPPED, f"exit code {stopped.code}"),
        ("the same command goes on to the end", calls[-1].code == 0, f"{len(calls)} calls, {sum(one.seconds for one in calls):.0f} s"),
        *((one.table, one.equal, str(one)) for one in compared),
        ("once more finds nothing to change", unchanged and again.code == 0, f"{again.seconds:.0f} s"),
    ]  # fmt: skip
    for what, good, said in lines:
        table.add_row(what, "✓" if good else "✗", said)
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drills.bootstrap", description=__doc__)
    parser.add_argument(
        "--days", type=int, default=DAYS, help="of the past, at most 15 (default: %(default)s)"
    )
    parser.add_argument("--markets", type=int, default=MARKETS, help="the most traded (default: %(default)s)")
    parser.add_argument("--calm", action="store_true", help="a venue that does not lie")
    parser.add_argument("--seed", type=int, default=7, help="of the venue (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
