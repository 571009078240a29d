"""`python -m drills.production`: the services of `docker-compose.yml` as they run in production, against the simulator; then each is killed.

The image's build steps are replayed from what is committed, with every dependency by its hash; each service runs by its own
command and environment, none as root, with its history in a real Postgres. First the demo's checks: every slot accounted
for, every trade heard, every label right. Then kill -9 of each service, once, while whatever ends is started again as the
file's restart policy says; Postgres is killed in the midst of runs. After each: the seconds until it is well, and until the
nearest tier is sampled again; at the end, whether a slot has no account, and whether a partition that was there is lost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from rich.console import Console
from rich.table import Table

from drills import restart
from drills.platform import stop_cleanly
from drills.processes import Simulator, wait_for
from launch import compose_check, simulated, stages, summary
from launch.compose_check import VARIABLES
from launch.containers import POSTGRES, Containers
from launch.narration import Narration
from launch.recording import Recording
from launch.runs import Dagster
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable

# Well again, whoever was killed: a start of Dagster's processes, and on a busy machine the wait for the next core.
WELL_WITHIN_S = 60.0
# Two looks of the watchdog, each after what Dagster waits for its database; a start of the code server before them.
SAMPLING_WITHIN_S = 120.0
# Between two kills: runs get going. That the nearest tier is sampled again was waited for before.
BETWEEN_S = 5.0
# Who is killed, and how long nobody starts it again; the last is longer than Dagster asks for a connection.
KILLED = (
    ("webserver", 0.0),
    ("mlflow", 0.0),
    ("streamer", 0.0),
    ("daemon", 0.0),
    ("code", 0.0),
    (POSTGRES, 0.0),
    (POSTGRES, 30.0),
)
MEMORY = Path("/dev/shm")
_LOOK_S = 0.2
WIDTH = 140
# What Dagster knows of partitions.
_PARTITIONS = "select distinct asset_key, partition from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION' and partition is not null"


@dataclass
class Connections:
    """The most connections that were open at once, by service and in all, as far as looks five times a second tell."""

    of: Counter[str] = field(default_factory=Counter)
    most: int = 0

    def look(self, made: Containers) -> None:
        """One look; a server that is down has none."""
        assert made.database is not None
        with suppress(psycopg2.Error):
            rows = made.database.ask("postgres", "select application_name, count(*) from pg_stat_activity where datname in ('dagster', 'mlflow') group by 1")  # fmt: skip
            self.of |= Counter({str(name): int(count) for name, count in rows})
            self.most = max(self.most, sum(int(count) for _, count in rows))


@dataclass(frozen=True)
class Healed:
    """What a kill led to: seconds until well, and until sampling (None: never)."""

    what: restart.Outcome
    well_s: float | None
    # How long nobody started it again: so much later it may be well, and sampling.
    away_s: float

    @property
    def is_kept(self) -> bool:
        """Whether what is promised came true."""
        back_s = self.what.back_s
        well = self.well_s is not None and self.well_s <= WELL_WITHIN_S + self.away_s
        return (
            well
            and back_s is not None
            and back_s <= SAMPLING_WITHIN_S + self.away_s
            and not self.what.unaccounted
        )


@contextmanager
def counted(made: Containers) -> Iterator[Connections]:
    """Count connections meanwhile."""
    found, over = Connections(), threading.Event()

    def go_on() -> None:
        while not over.wait(_LOOK_S):
            found.look(made)

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def variables(venue: Simulator, *, watch: bool) -> dict[str, str]:
    """What stands in `.env`: the simulator for a venue, and ours alone."""
    told = venue.settings
    addresses = {name.upper(): str(getattr(told, name)) for name in ("polymarket_gamma_url", "polymarket_clob_url", "polymarket_data_url")}  # fmt: skip
    return {**VARIABLES, **addresses, "POLYMARKET_WS_URL": venue.url, "MIN_VOLUME_USD": "0", "RATE_SHARE": "1", "WATCH_WINDOWS": str(watch).lower()}  # fmt: skip


def settings(made: Containers, venue: Simulator) -> Settings:
    """Where people, and the demo's stages, find it all."""
    data = made.image.root / "data"
    return venue.settings.model_copy(update={
        "lake_root": str(data / "lake"), "state_dir": data / "state", "mlflow_tracking_uri": f"http://127.0.0.1:{made.ports['5000']}",
        "dagster_port": made.ports["3000"], "mlflow_port": made.ports["5000"], "stream_status_port": made.ports["8081"],
    })  # fmt: skip


def demo(console: Console, made: Containers, venue: Simulator) -> bool:
    """The stages of `make demo`, asked of the services; whether all that it checks is as it must be."""
    told = settings(made, venue)

    def seal() -> None:
        if made.execute("streamer", "python", "-m", "streamer", "seal", "--until", "now"):
            raise Unavailable(f"sealing failed: {made.said('streamer')[-2000:]}")

    with Narration(console) as progress:
        dagster = Dagster(told.dagster_port, seconds=stages.START_S)
        stages.discover(dagster, progress)
        recording = Recording(dagster, progress)
        recording.go_on(stages.WATCH_S)
        learning = stages.learn(dagster, recording, progress)
        asking = stages.ask(dagster, recording, progress)
        watched = recording.end()
        known_at = stages.close(dagster, watched, seal, progress)
        learned = stages.judge(dagster, learning, progress)
        asked = stages.pay(dagster, asking, known_at, progress)
    return summary.show(console, summary.lines(told, watched, learned, asked, venue.ledger))


def kill(made: Containers, lake: Lake, name: str, away_s: float) -> Healed:
    """kill -9 of one service, and what comes of it: seconds are from the kill, sampling counts once it may start again."""
    time.sleep(BETWEEN_S)
    at = datetime.now(UTC)
    made.away.add(name)
    made.kill(name)
    time.sleep(away_s)
    made.away.discard(name)
    again = datetime.now(UTC)
    what = f"{name}, away for {away_s:.0f} s" if away_s else name
    well_s = back_s = None
    with suppress(Unavailable):
        wait_for(lambda: made.is_running(name), f"a start of {name}")
        made.wait(name)
        well_s = (datetime.now(UTC) - at).total_seconds()
    with suppress(TimeoutError):
        back_s = (wait_for(lambda: restart.begun_after(lake, again), f"sampling after {name}", 2 * SAMPLING_WITHIN_S) - at).total_seconds()  # fmt: skip
    return Healed(restart.Outcome(what, at, back_s, None, 0, 0, 0), well_s, away_s)


def partitions(made: Containers) -> set[tuple[str, str]]:
    """Partitions that Dagster knows as materialised."""
    assert made.database is not None
    return {(str(key), str(partition)) for key, partition in made.database.ask("dagster", _PARTITIONS)}


def kills(console: Console, made: Containers, venue: Simulator) -> bool:
    """Each once, while windows are started where none is; whether every promise was kept."""
    lake = Lake(str(made.image.root / "data" / "lake"))
    # As a person does who edits `.env`: what reads it is made anew.
    made.variables = variables(venue, watch=True)
    made.kill("code")
    healed: list[Healed] = []
    known: set[tuple[str, str]] = set()
    with made.kept():
        began = datetime.now(UTC)
        wait_for(lambda: restart.begun_after(lake, began), "sampling", 2 * SAMPLING_WITHIN_S)
        for name, away_s in KILLED:
            known |= partitions(made)
            healed.append(kill(made, lake, name, away_s))
        time.sleep(BETWEEN_S)
    lost = known - partitions(made)
    healed = [Healed(restart.accounted(lake, one.what), one.well_s, one.away_s) for one in healed]
    table = Table("killed", "well after", "sampling again after", "slots of T4 in the hole", "taken", "without an account", "")  # fmt: skip
    for one in healed:
        mark = "[green]✓[/]" if one.is_kept else "[red]✗[/]"
        table.add_row(one.what.what, _s(one.well_s), _s(one.what.back_s), str(one.what.slots), str(one.what.taken), str(one.what.unaccounted), mark)  # fmt: skip
    console.print(table)
    console.print(f"partitions known before a kill: {len(known):,}, of these lost: {len(lost)}; started again: {dict(Counter(made.restarts))}")  # fmt: skip
    return not lost and all(one.is_kept for one in healed)


def _s(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.1f} s"


def drill(folder: Path, console: Console, *, here: bool, without_demo: bool, seed: int) -> bool:
    """Build, run, check, kill."""
    began = time.monotonic()
    venue = Simulator(folder, ["--seed", str(seed), "--profile", simulated.PROFILE.name])
    try:
        made = compose_check.containers(folder / "image", compose_check.content(), variables(venue, watch=False), venv=Path(sys.prefix) if here else None)  # fmt: skip
        console.print(f"built after {time.monotonic() - began:.0f} s")
        try:
            took = made.up(made.services)
            console.print("well: " + ", ".join(f"{name} after {seconds:.0f} s" for name, seconds in took.items()))  # fmt: skip
            with counted(made) as connections:
                good = without_demo or demo(console, made, venue)
                console.print(f"after {time.monotonic() - began:.0f} s")
                healed = kills(console, made, venue)
            console.print(f"most connections at once: {connections.most}; by service: {dict(connections.of)}")
        finally:
            killed = made.stop()
        console.print(f"had to be killed at the end: {', '.join(killed) or 'none'}; took {time.monotonic() - began:.0f} s")  # fmt: skip
    finally:
        venue.stop()
    return good and healed


def main() -> int:
    """Run the drill; 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m drills.production", description=__doc__)
    parser.add_argument("--here", action="store_true", help="with this environment, not one that is installed anew")  # fmt: skip
    parser.add_argument("--without-demo", action="store_true", help="the kills alone")
    parser.add_argument("--seed", type=int, default=7, help="of the venue (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder to work in, which stays")
    asked = parser.parse_args()
    stop_cleanly()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    # Gigabytes of small files: in memory where there is one for it.
    with tempfile.TemporaryDirectory(prefix="drill-production-", dir=MEMORY if MEMORY.is_dir() else None) as name:  # fmt: skip
        folder = asked.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        good = drill(folder, console, here=asked.here, without_demo=asked.without_demo, seed=asked.seed)
    console.print("every promise was kept" if good else "broken")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
