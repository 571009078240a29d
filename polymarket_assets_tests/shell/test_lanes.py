"""Lanes of the run queue, asked as Dagster's daemon asks it: windows never wait behind a backlog, and nothing waits behind windows."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from polymarket_assets.definitions import build_defs
from polymarket_assets.tiers import TIERS
from polymarket_assets_tests.conftest import PROJECT

WINDOWS = {f"window_{tier.name}" for tier in TIERS}
BACKFILL = {"dagster/backfill": "b"}
# Where a daemon would look for the job, could it start one.
ORIGIN = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("nowhere"), "nothing")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """As the project configures it."""
    (tmp_path / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with dg.DagsterInstance.get() as made:
        yield made


def enqueue(instance: dg.DagsterInstance, job: str, times: int = 1, **more: str) -> None:
    """Queue runs of a job, with its tags."""
    defined = build_defs().get_job_def(job)
    for _ in range(times):
        run = instance.create_run_for_job(defined, status=dg.DagsterRunStatus.NOT_STARTED, tags={**defined.tags, **more}, remote_job_origin=ORIGIN.get_job_origin(job))  # fmt: skip
        event = DagsterEvent(event_type_value=DagsterEventType.PIPELINE_ENQUEUED.value, job_name=job)
        instance.report_dagster_event(event, run_id=run.run_id)


def start(instance: dg.DagsterInstance) -> Counter[str]:
    """What the queue lets go now, by job; it runs from now on."""
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    runs = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)
    for run in runs:
        for kind in (DagsterEventType.PIPELINE_STARTING, DagsterEventType.PIPELINE_START):
            event = DagsterEvent(event_type_value=kind.value, job_name=run.job_name)
            instance.report_dagster_event(event, run_id=run.run_id)
    return Counter(run.job_name for run in runs)


def test_windows_do_not_wait_behind_a_backlog(instance: dg.DagsterInstance) -> None:
    enqueue(instance, "closed_day", 50, **BACKFILL)
    enqueue(instance, "hour_features", 20)
    assert start(instance).total() == 2, "two of a lane"
    for window in WINDOWS:
        enqueue(instance, window)
    enqueue(instance, "discovery")
    assert start(instance) == dict.fromkeys([*WINDOWS, "discovery"], 1)


def test_the_rest_goes_on_while_windows_run_and_more_of_them_wait(instance: dg.DagsterInstance) -> None:
    """A window that did not end yet: the next one waits for it, and for nobody else."""
    for window in WINDOWS:
        enqueue(instance, window, 3)
    assert start(instance) == dict.fromkeys(WINDOWS, 1)
    for job in ("discovery", "closed_hour", "resolving", "learning"):
        enqueue(instance, job)
    assert start(instance) == dict.fromkeys(("discovery", "closed_hour", "resolving", "learning"), 1)


def test_the_nearest_tier_goes_first(instance: dg.DagsterInstance) -> None:
    for tier in TIERS:
        enqueue(instance, f"window_{tier.name}")
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    runs = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)
    assert [run.job_name for run in runs] == [f"window_{tier.name}" for tier in reversed(TIERS)]
