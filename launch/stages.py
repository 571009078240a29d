"""The stages of the demo, in the order in which data flows. Each asks Dagster for runs and waits for them.

Learning comes while markets are still open: a model is asked about them before they end, and what it would have bought is paid when they do.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rich.progress import Progress

from launch.ports import wait_for
from launch.processes import LOOPBACK
from launch.recording import RUN_BEGINS_S, Recording, Watched, discovery, hour_key, with_room
from launch.runs import RUN_S, Dagster
from polymarket_assets.lake.spans import day_of, hour_of
from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable

# Processes answer within seconds on an idle machine; a busy one gets this long.
START_S = 120
# Long enough for markets of one to four minutes to begin and end in front of us, and to learn meanwhile.
WATCH_S = 150
# Models are asked for so long at least, so often; their runs take some seconds, and more on a busy machine.
ASK_S, ASK_EVERY_S = 75.0, 15.0
# Past days whose closed markets are fetched to learn from, and the day before, where their features begin.
HISTORY_DAYS = 3
# Orders of the demo: books of T4 come every 15 s, and its markets do not wait for the platform's own 36 minutes.
PAPER = Rules(latency_s=5, wait_s=15, filed_s=10)

Reported = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Asked:
    """How often models were asked live, how many predictions they stored, and what the portfolio's last run reported."""

    times: int
    predictions: int
    traded: Mapping[str, Any]


def start(settings: Settings, child: subprocess.Popen[bytes], progress: Progress) -> Dagster:
    """Wait until every process answers. Raises `Unavailable`, naming the one that does not."""
    pages = {
        "simulator": f"http://{LOOPBACK}:{settings.sim_port + 2}/health",
        "streamer": f"http://{LOOPBACK}:{settings.stream_status_port}/health",
        "mlflow": f"http://{LOOPBACK}:{settings.mlflow_port}/health",
        "console": f"http://{LOOPBACK}:{settings.console_port}/overview",
        "dagster": f"http://{LOOPBACK}:{settings.dagster_port}/server_info",
    }
    task = progress.add_task("Start simulator, streamer, MLflow, Dagster, console", total=len(pages))
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
    dagster.wait([discovery(dagster)], seconds=RUN_S)
    progress.advance(task)


def learn(dagster: Dagster, recording: Recording, progress: Progress) -> str:
    """Fetch the past and how it ended, compute its features, train; returns the run, which goes on to judge and decide."""
    past = progress.add_task(f"Fetch {HISTORY_DAYS} past days, how they ended, their features", total=HISTORY_DAYS + 2)  # fmt: skip
    fetched = [dagster.launch("closed_day", tags={"dagster/partition": f"{day}"}) for day in _days()]

    def tell(over: int) -> None:
        recording.look()
        progress.update(past, completed=over)

    dagster.wait(fetched, seconds=RUN_S, tick=tell)
    for job, tags in (("resolving", {}), ("day_features", _range(_days()))):
        dagster.wait([dagster.launch(job, tags=tags)], seconds=RUN_S, tick=recording.look)
        progress.advance(past)
    task = progress.add_task("Train a model that starts from the price", total=1)
    run = dagster.launch("learning")
    dagster.wait_for("model", run, seconds=RUN_S, tick=recording.look)
    progress.advance(task)
    return run


def ask(dagster: Dagster, recording: Recording, progress: Progress) -> list[str]:
    """Ask the models about markets that are open, again and again until the recording ends; returns the runs."""
    recording.go_on(ASK_S)
    task = progress.add_task("Ask the models live, trade on paper", total=recording.left_s)
    runs: list[str] = []
    # Of the last the books are to come as well.
    while (left := recording.left_s) > PAPER.latency_s + PAPER.wait_s:
        began = time.monotonic()
        runs.append(_live(dagster))
        dagster.wait(runs[-1:], seconds=RUN_S, tick=recording.look)
        while time.monotonic() - began < ASK_EVERY_S and recording.left_s > 0:
            recording.look()
            time.sleep(1)
        progress.advance(task, left - max(0.0, recording.left_s))
    progress.update(task, completed=progress.tasks[task].total)
    return runs


def judge(dagster: Dagster, run: str, progress: Progress) -> Reported:
    """Wait until the model is judged and it is decided who is followed; returns what its run reported."""
    task = progress.add_task("Judge it against the price, decide who is followed", total=1)
    dagster.wait([run], seconds=RUN_S)
    progress.advance(task)
    return dagster.reported(run)


def close(dagster: Dagster, watched: Watched, seal: Callable[[], None], progress: Progress) -> datetime:
    """Seal what was streamed, ask how markets ended, bring trades together, compute features; returns when ends were known."""
    task = progress.add_task("Seal, heal, settle ends, compute features", total=4)
    seal()
    # What closed meanwhile: the socket's word is never the only source.
    dagster.wait([discovery(dagster)], seconds=RUN_S)
    progress.advance(task)
    dagster.wait([dagster.launch("resolving")], seconds=RUN_S)
    known_at = datetime.now(UTC)
    progress.advance(task)
    hours = sorted(watched.hours | {hour_of(datetime.now(UTC))})
    for job in ("closed_hour", "hour_features"):
        runs = [dagster.launch(job, tags={"dagster/partition": hour_key(hour)}) for hour in hours]
        dagster.wait(runs, seconds=RUN_S)
        progress.advance(task)
    return known_at


def pay(dagster: Dagster, runs: list[str], known_at: datetime, progress: Progress) -> Asked:
    """Settle paper positions by the ends known at an instant, once all that could have been bought by then is decided."""
    task = progress.add_task("Pay what was bought on paper", total=1)
    rest = known_at + _decided_after(PAPER) - datetime.now(UTC)
    time.sleep(max(0.0, rest.total_seconds()))
    runs = [*runs, _live(dagster)]
    dagster.wait(runs[-1:], seconds=RUN_S)
    progress.advance(task)
    told = [dagster.reported(run) for run in runs]
    predictions = sum(int(one["predictions"]["predicted"]) for one in told)
    return Asked(len(runs), predictions, told[-1].get("paper_portfolio", {}))


def _live(dagster: Dagster) -> str:
    filed = {"FILED_S": PAPER.filed_s}
    times = {"LATENCY_S": PAPER.latency_s, "WAIT_S": PAPER.wait_s, **filed}
    tags = {"dagster/partition": hour_key(with_room(RUN_BEGINS_S))}
    return dagster.launch(
        "live",
        tags=tags,
        config={"ops": {"predictions": {"config": filed}, "paper_portfolio": {"config": times}}},
    )


def _decided_after(rules: Rules) -> timedelta:
    """As in `learning.paper`, and a moment more: an end counts for what is decided after it."""
    return timedelta(seconds=rules.latency_s + 2 * rules.wait_s + rules.filed_s + 1)


def _days() -> list[date]:
    """The past days whose history is fetched, oldest first."""
    today = day_of(datetime.now(UTC))
    return [(today - timedelta(days=n)).date() for n in range(HISTORY_DAYS, 0, -1)]


def _range(days: list[date]) -> dict[str, str]:
    """Tags of one run over a range of days."""
    ends = {"start": days[0], "end": days[-1]}
    return {f"dagster/asset_partition_range_{end}": f"{day}" for end, day in ends.items()}
