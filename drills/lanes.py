"""Lanes of the run queue at a kill: filled before it by runs that a slow venue holds up, and how long until they are free again.

Discovery has a lane of one place, batch runs have one of two. A run that died with its code server may hold none of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from drills.platform import Platform, opened
from drills.processes import PATIENCE_S, PROJECT, wait_for
from launch import code
from polymarket_assets.partitions import day_before, hour_key

# Every answer of the catalogue takes so long: longer than clients wait, so that runs try again and stay under way.
SLOW = {"service": "gamma", "ms": 60_000}
LISTING = "discovery"
# Jobs that ask the catalogue.
BATCH = ("census_day", "closed_day")
PARTITIONS: dict[str, Callable[[datetime], str]] = {LISTING: hour_key, "closed_day": day_before}
PLACES = len(BATCH)
_MOST = 200
# Opening an instance costs a tenth of a second of what is being watched.
LOOK_S = 0.5


@dataclass(frozen=True)
class Lanes:
    """Seconds from a kill until a listing that began after it was done, and until a batch run began."""

    listed_s: float
    batch_s: float


@contextmanager
def filled(platform: Platform) -> Iterator[None]:
    """All lanes taken by runs that are under way, held up while this is entered."""
    platform.venue.control("POST", "/faults/latency", SLOW)
    try:
        asked = [_launch(platform, job) for job in (LISTING, *BATCH)]
        for process in asked:
            process.wait(2 * PATIENCE_S)
        wait_for(lambda: _are_taken(platform), "runs in every lane", 2 * PATIENCE_S)
        yield
    finally:
        platform.venue.control("DELETE", "/faults", {})


def freed(platform: Platform, at: datetime, within_s: float) -> Lanes:
    """Wait until both lanes work again after a kill. Raises `TimeoutError`."""
    listed = wait_for(lambda: min(_listed(platform, at), default=None), "a listing after the kill", within_s)
    batch = wait_for(lambda: min(_batch(platform, at), default=None), "a batch run after the kill", within_s)
    return Lanes(listed - at.timestamp(), batch - at.timestamp())


def _are_taken(platform: Platform) -> bool:
    under_way = [run.dagster_run for run in _records(platform, statuses=[dg.DagsterRunStatus.STARTED])]
    listing = any(run.job_name == LISTING for run in under_way)
    return listing and sum(_is_batch(run) for run in under_way) == PLACES


def _listed(platform: Platform, at: datetime) -> Iterable[float]:
    done = _records(platform, job_name=LISTING, statuses=[dg.DagsterRunStatus.SUCCESS])
    return [run.end_time for run in done if run.start_time and run.end_time and run.start_time > at.timestamp()]  # fmt: skip


def _batch(platform: Platform, at: datetime) -> Iterable[float]:
    begun = [run for run in _records(platform) if _is_batch(run.dagster_run)]
    return [run.start_time for run in begun if run.start_time and run.start_time > at.timestamp()]


def _is_batch(run: dg.DagsterRun) -> bool:
    return run.tags.get("lane") == "batch"


def _records(platform: Platform, **wanted: object) -> list[dg.RunRecord]:
    time.sleep(LOOK_S)
    with opened(platform.home) as instance:
        return list(instance.get_run_records(dg.RunsFilter(**wanted), limit=_MOST))  # type: ignore[arg-type]


def _launch(platform: Platform, job: str) -> subprocess.Popen[bytes]:
    """Ask for a run, as a person does from the command line; the queue starts it."""
    key = PARTITIONS.get(job)
    tags = {"dagster/partition": key(datetime.now(UTC))} if key else {}
    tool = str(Path(sys.executable).with_name("dagster"))
    command = [tool, "job", "launch", "-w", str(code.workspace(platform.home)), "-j", job, "--tags", json.dumps(tags)]  # fmt: skip
    with (platform.folder / "launch.log").open("ab") as log:
        return subprocess.Popen(command, cwd=PROJECT, env=platform.environment, stdout=log, stderr=log)
