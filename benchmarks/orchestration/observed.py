"""Every job of the platform once, by Dagster's daemon, code server and launcher, against the simulator: what each leaves behind."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorTick
from dagster._core.utils import make_new_run_id

from benchmarks.rows import Failed
from drills.platform import Platform, opened
from drills.processes import PROJECT, Simulator, wait_for
from launch import code
from polymarket_assets.assets.collection import step_name
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.partitions import day_before, hour_key
from polymarket_assets.tiers import TIERS

# Few markets: what a run leaves does not grow with them.
MARKETS_TIMES = "0.05"
# Windows that end soon; what a run leaves does not grow with its slots either.
WINDOW_S = 40
# A window's schedule ticks every quarter of an hour, and its run then holds the tier's lane: we ask after it, or long before.
TICKS_EVERY, CLEAR_OF_TICK = timedelta(minutes=15), timedelta(minutes=2)
# Once a week, and not without weeks of data.
NOT_DAILY = ("learning",)
ENDS_WITHIN_S = 300.0
TICKED_WITHIN_S = 90.0
PARTITION = "dagster/partition"


@dataclass(frozen=True)
class Template:
    """A run, its log, and the folder of what it printed."""

    run: dg.DagsterRun
    log: tuple[dg.EventLogEntry, ...]
    printed: Path

    @property
    def partition(self) -> str | None:
        """Its partition's key."""
        return self.run.tags.get(PARTITION)


@dataclass(frozen=True)
class Observed:
    """One run of each job, one tick of each schedule and sensor, and the instance that has them."""

    runs: Mapping[str, Template]
    ticks: Mapping[str, InstigatorTick]
    instance: dg.DagsterInstance


@contextmanager
def observed() -> Iterator[Observed]:
    """Run everything once. Raises `Failed` where a job does not succeed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-orchestration-") as made:
        folder = Path(made)
        venue = Simulator(folder, ["--profile", "tiers", "--times", MARKETS_TIMES])
        platform = Platform(folder, venue, {"WATCH_WINDOWS": "false"})
        try:
            venue.discover(platform.lake)
            time.sleep(_until_clear(datetime.now(UTC)).total_seconds())
            platform.start()
            if not code.wait(code.address(platform.home)):
                raise Failed(f"the code server did not answer within {code.ANSWERS_WITHIN_S:g} s")
            asked = {job: _launch(platform, job) for job in jobs()}
            with opened(platform.home) as instance:
                wait_for(lambda: _ended(instance, asked.values()), "the end of every run", ENDS_WITHIN_S)
                ticks = wait_for(lambda: _ticks(instance), "a tick of every sensor", TICKED_WITHIN_S)
                yield Observed({job: _template(instance, job, asked[job]) for job in asked}, ticks, instance)
        except TimeoutError as e:
            raise Failed(str(e)) from e
        finally:
            platform.stop()
            venue.stop()


def jobs() -> list[str]:
    """Those that a day has."""
    return [job.name for job in build_defs().jobs or () if job.name not in NOT_DAILY]


def _until_clear(now: datetime) -> timedelta:
    """How long to wait so that no window is started beside ours."""
    left = TICKS_EVERY - (now - hour_of(now)) % TICKS_EVERY
    return left + timedelta(seconds=1) if left < CLEAR_OF_TICK else timedelta()


def _launch(platform: Platform, job: str) -> str:
    """Ask for a run, as a person does from the command line; the queue starts it. Returns its id."""
    command = [str(Path(sys.executable).with_name("dagster")), "job", "launch", "-w", str(code.workspace(platform.home)), "-j", job]  # fmt: skip
    (tags, config), run_id = _asked(job), make_new_run_id()
    told = ["--run-id", run_id, "--tags", json.dumps(tags), "--config-json", json.dumps(config)]
    asked = subprocess.run([*command, *told], cwd=PROJECT, env=platform.environment, capture_output=True, text=True, check=False)  # fmt: skip
    if asked.returncode:
        raise Failed(f"{job} could not be asked for: {asked.stderr.strip().splitlines()[-1]}")
    return run_id


def _asked(job: str) -> tuple[dict[str, str], dict[str, object]]:
    """Tags and configuration: the hour or day that a job is about, and a short window."""
    now = datetime.now(UTC)
    partitions = build_defs().resolve_job_def(job).partitions_def
    tags = {} if partitions is None else {PARTITION: day_before(now) if isinstance(partitions, dg.DailyPartitionsDefinition) else hour_key(now)}  # fmt: skip
    tier = next((tier for tier in TIERS if job == f"window_{tier.name}"), None)
    return tags, {} if tier is None else {"ops": {step_name(tier): {"config": {"WINDOW_S": WINDOW_S}}}}


def _ended(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> bool:
    runs = [instance.get_run_by_id(run_id) for run_id in run_ids]
    return all(run is not None and run.is_finished for run in runs)


def _ticks(instance: dg.DagsterInstance) -> dict[str, InstigatorTick]:
    """The last tick of each schedule and sensor that ticked; none until every sensor did."""
    states = instance.all_instigator_state()
    found = {state.instigator_name: instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1) for state in states}  # fmt: skip
    last = {name: ticks[0] for name, ticks in found.items() if ticks}
    sensors = {sensor.name for sensor in build_defs().sensors or ()}
    return last if sensors <= set(last) else {}


def _template(instance: dg.DagsterInstance, job: str, run_id: str) -> Template:
    run = instance.get_run_by_id(run_id)
    if run is None or run.status is not dg.DagsterRunStatus.SUCCESS:
        raise Failed(f"{job} did not succeed: {[entry.message for entry in instance.all_logs(run_id)][-3:]}")
    return Template(run, tuple(instance.all_logs(run_id)), Path(instance.root_directory) / "storage" / run_id)
