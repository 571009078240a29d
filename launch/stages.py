"""The stages of the demo, in the order in which data flows. Each asks Dagster for runs and waits for them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from rich.progress import Progress

from launch.ports import wait_for
from launch.processes import LOOPBACK
from launch.runs import Dagster
from polymarket_assets.lake.spans import HOUR, day_of, hour_of
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import TIERS
from polymarket_assets.venue.errors import Unavailable

# Processes answer within seconds on an idle machine; a busy one gets this long.
START_S = 120
# A run of the demo takes seconds; past this something is wrong.
RUN_S = 240
# Long enough for markets of one to four minutes to begin and end in front of us.
WATCH_S = 120
# New markets appear all the time: what is listed is looked at this often meanwhile.
LOOK_EVERY_S = 40
# Too little of an hour is left for a window: wait for the next.
SHORTEST_WINDOW_S = 20
# A run that is asked for begins within this time.
RUN_BEGINS_S = 10
# Past days whose closed markets are fetched to learn from, and the day before, where their features begin.
HISTORY_DAYS = 3


@dataclass
class Watched:
    """What the recording stage did: the hours it touched, the slots its windows had, and when it ended."""

    hours: set[datetime] = field(default_factory=set)
    expected: Counter[str] = field(default_factory=Counter)
    until: datetime = field(default_factory=lambda: datetime.now(UTC))


def hour_key(at: datetime) -> str:
    """Dagster's key of the hour `at` lies in."""
    return f"{hour_of(at):%Y-%m-%d-%H:00}"


def start(settings: Settings, child: subprocess.Popen[bytes], progress: Progress) -> Dagster:
    """Wait until every process answers. Raises `Unavailable`, naming the one that does not."""
    pages = {
        "simulator": f"http://{LOOPBACK}:{settings.sim_port + 2}/health",
        "streamer": f"http://{LOOPBACK}:{settings.stream_status_port}/health",
        "mlflow": f"http://{LOOPBACK}:{settings.mlflow_port}/health",
        "dagster": f"http://{LOOPBACK}:{settings.dagster_port}/server_info",
    }
    task = progress.add_task("Start simulator, streamer, MLflow, Dagster", total=len(pages))
    for name, page in pages.items():
        try:
            wait_for(page, seconds=START_S, alive=lambda: child.poll() is None)
        except Unavailable as e:
            raise Unavailable(f"{name} did not start: {e}; its log says why") from e
        progress.advance(task)
    return Dagster(settings.dagster_port, seconds=START_S)


def discover(dagster: Dagster, progress: Progress) -> None:
    """Look at what is listed."""
    task = progress.add_task("Discover what is listed", total=1)
    dagster.wait([_discovery(dagster)], seconds=RUN_S)
    progress.advance(task)


def _discovery(dagster: Dagster) -> str:
    return dagster.launch("discovery", tags={"dagster/partition": hour_key(_with_room(RUN_BEGINS_S))})


def _with_room(seconds: float) -> datetime:
    """Now, or the start of the next hour where this one has less left: what is over cannot be recorded."""
    now = datetime.now(UTC)
    rest = (hour_of(now) + HOUR - now).total_seconds()
    if rest >= seconds:
        return now
    time.sleep(rest)
    return datetime.now(UTC)


def watch(dagster: Dagster, progress: Progress) -> Watched:
    """Sample all tiers for `WATCH_S`, fetch the past beside it, and look for new markets meanwhile."""
    watched = Watched()
    end = datetime.now(UTC) + timedelta(seconds=WATCH_S)
    task = progress.add_task("Record five tiers and the trade stream", total=WATCH_S)
    history: list[str] = []
    while (left := (end - datetime.now(UTC)).total_seconds()) > SHORTEST_WINDOW_S:
        windows = _windows(dagster, watched, left)
        history = history or _history(dagster)
        _sit_out(
            dagster,
            windows,
            end,
            lambda over: progress.update(
                task, completed=WATCH_S - max(0.0, (end - datetime.now(UTC)).total_seconds())
            ),
        )
        for run in windows:
            _count_expected(dagster, run, watched)
    progress.update(task, completed=WATCH_S)
    fetched = progress.add_task(f"Fetch {HISTORY_DAYS} past days of closed markets", total=len(history))
    dagster.wait(history, seconds=RUN_S, tick=lambda over: progress.update(fetched, completed=over))
    watched.until = datetime.now(UTC)
    return watched


def close(dagster: Dagster, watched: Watched, environment: dict[str, str], progress: Progress) -> None:
    """Seal what was streamed, bring trades together, ask how markets ended, compute features."""
    task = progress.add_task("Seal, heal, settle ends, compute features", total=4)
    subprocess.run(
        [sys.executable, "-m", "streamer", "seal", "--until", "now"],
        env=environment,
        check=True,
        capture_output=True,
    )
    # What closed meanwhile: the socket's word is never the only source.
    dagster.wait([_discovery(dagster)], seconds=RUN_S)
    progress.advance(task)
    hours = {hour_key(hour) for hour in watched.hours | {hour_of(datetime.now(UTC))}}
    resolving = dagster.launch("resolving")
    trades = [dagster.launch("closed_hour", tags={"dagster/partition": hour}) for hour in hours]
    dagster.wait(
        [resolving, *trades], seconds=RUN_S, tick=lambda over: progress.update(task, completed=1 + over)
    )
    past = _days()
    days = {
        "dagster/asset_partition_range_start": f"{past[0]}",
        "dagster/asset_partition_range_end": f"{past[-1]}",
    }
    features = [dagster.launch("hour_features", tags={"dagster/partition": hour}) for hour in hours]
    dagster.wait([dagster.launch("day_features", tags=days), *features], seconds=RUN_S)
    progress.update(task, completed=4)


def learn(dagster: Dagster, progress: Progress) -> dict[str, object]:
    """Train and judge; returns what the evaluation reported."""
    task = progress.add_task("Train, and judge against the market's price", total=1)
    run = dagster.launch("learning")
    dagster.wait([run], seconds=RUN_S)
    progress.advance(task)
    return dagster.reported(run).get("evaluation", {})


def _days() -> list[date]:
    """The past days whose history is fetched, oldest first."""
    today = day_of(datetime.now(UTC))
    return [(today - timedelta(days=n)).date() for n in range(HISTORY_DAYS, 0, -1)]


def _history(dagster: Dagster) -> list[str]:
    return [dagster.launch("closed_day", tags={"dagster/partition": f"{day}"}) for day in _days()]


def _windows(dagster: Dagster, watched: Watched, left_s: float) -> list[str]:
    """A window of every tier, within the hour; waits for the next hour where this one has too little left."""
    now = _with_room(SHORTEST_WINDOW_S)
    rest = (hour_of(now) + HOUR - now).total_seconds()
    watched.hours.add(hour_of(now))
    return [
        dagster.launch(
            f"window_{tier.name}",
            tags={"dagster/partition": hour_key(now), "tier": tier.name},
            config={"ops": {f"sample_{tier.name}": {"config": {"WINDOW_S": min(left_s, rest)}}}},
        )
        for tier in reversed(TIERS)
    ]


def _sit_out(dagster: Dagster, windows: list[str], end: datetime, tick: object) -> None:
    """Wait for windows, looking for new markets now and then."""
    looked = time.monotonic()

    def look(over: int) -> None:
        nonlocal looked
        tick(over)  # type: ignore[operator]
        now = datetime.now(UTC)
        if time.monotonic() - looked > LOOK_EVERY_S and now < end - timedelta(seconds=LOOK_EVERY_S / 2):
            looked = time.monotonic()
            _discovery(dagster)

    dagster.wait(windows, seconds=WATCH_S + RUN_S, tick=look)


def _count_expected(dagster: Dagster, run: str, watched: Watched) -> None:
    for key, reported in dagster.reported(run).items():
        if key.startswith("snapshots/"):
            watched.expected[key.removeprefix("snapshots/")] += int(reported["expected"])
