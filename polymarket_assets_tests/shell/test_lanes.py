"""Lanes of the run queue, asked as Dagster's daemon asks it: windows never wait behind a backlog, and nothing waits behind windows."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from polymarket_assets import watchdog
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.writing import Lake
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


def test_what_must_be_done_now_goes_before_a_backlog_of_its_lane(instance: dg.DagsterInstance) -> None:
    """Two places: five days that a person fetches again would hold up the hour that just closed."""
    enqueue(instance, "closed_day", 5, **BACKFILL)
    enqueue(instance, "keeping")
    enqueue(instance, "closed_hour")
    enqueue(instance, "hour_features")
    assert start(instance) == dict.fromkeys(("closed_hour", "hour_features"), 1)


def test_the_dead_of_a_reboot_hold_no_place(instance: dg.DagsterInstance, lake: Lake, tmp_path: Path) -> None:
    """Code server and runs died together: nobody tells Dagster, and discovery and two batch runs fill their lanes."""
    enqueue(instance, "discovery", 2)
    enqueue(instance, "closed_day", 3)
    dead = start(instance)
    assert dead == {"discovery": 1, "closed_day": 2}
    assert start(instance).total() == 0
    asked = list(watchdog.look(instance, lake, tmp_path, datetime.now(UTC) + timedelta(seconds=50)))
    assert asked == [], "a listing that waits is next in its lane, and needs no second one"
    assert start(instance) == {"discovery": 1, "closed_day": 1}


def test_a_listing_that_only_waits_is_no_listing(instance: dg.DagsterInstance, lake: Lake, tmp_path: Path) -> None:  # fmt: skip
    """One that began is: until the next is due by far."""
    enqueue(instance, "discovery")
    start(instance)
    (began,) = instance.get_run_records(dg.RunsFilter(job_name="discovery"))
    instance.report_run_failed(began.dagster_run, "it died")
    now = datetime.now(UTC)
    for later, asks in ((timedelta(minutes=10), False), (timedelta(minutes=12), True)):
        found = watchdog.look(instance, lake, tmp_path, now + later)
        assert [request.job_name for request in found] == (["discovery"] if asks else [])


def test_a_listing_that_hangs_ends_before_the_one_after_the_next() -> None:
    """Its lane is its own: nothing else would end it within the hour."""
    tags = build_defs().get_job_def("discovery").tags
    assert timedelta(seconds=int(tags["dagster/max_runtime"])) < timedelta(minutes=20)
