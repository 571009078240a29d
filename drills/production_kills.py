"""kill -9 of each service of `docker-compose.yml`, while whatever ends is started again: how long it takes, and what is lost."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from drills import restart
from drills.processes import Simulator, wait_for
from drills.production_demo import variables
from launch.containers import POSTGRES, Containers
from polymarket_assets.lake.writing import Lake
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
# What Dagster knows of partitions.
_PARTITIONS = "select distinct asset_key, partition from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION' and partition is not null"


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
