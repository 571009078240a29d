"""Dead window runs are failed and what is left of their windows is asked for; nothing else is touched."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import msgspec
import pytest

from polymarket_assets import watchdog
from polymarket_assets.collecting import accounts, heartbeats
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import hour_key
from polymarket_assets.tiers import BY_NAME
from polymarket_assets_tests.collecting.fakes import list_markets, market_row

T4 = BY_NAME["t4"]
RUN = dg.DagsterRunStatus


@pytest.fixture
def listed(lake: Lake) -> Lake:
    list_markets(lake, market_row(1))
    return lake


def in_a_window(seconds: float) -> datetime:
    """An instant so many seconds after a tick of T4 and T0: run records carry the wall's own time."""
    return hour_of(datetime.now(UTC)) + timedelta(hours=1, seconds=seconds)


def begun(instance: dg.DagsterInstance, tier: str, status: RUN = RUN.STARTED) -> dg.DagsterRun:
    run = instance.create_run_for_job(build_defs().get_job_def(f"window_{tier}"), status=status)
    instance.create_run_for_job(build_defs().get_job_def("discovery"), status=RUN.SUCCESS)
    return run


def beats(folder: Path, run: dg.DagsterRun, at: datetime, **process: str | int) -> None:
    here = msgspec.structs.replace(heartbeats.this_process(), **process)
    path = heartbeats.path_of(folder, "t4", run.run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(heartbeats.Heartbeat(run.run_id, at, at, here)))


def asked(instance: dg.DagsterInstance, lake: Lake, folder: Path, now: datetime) -> dict[str | None, dg.RunRequest]:  # fmt: skip
    return {request.job_name: request for request in watchdog.look(instance, lake, folder, now)}


def status_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> RUN:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


@pytest.mark.parametrize(
    ("silent_s", "process", "is_dead"),
    [
        (0, {}, False),
        (44, {}, False),
        (46, {"host": "elsewhere"}, True),
        (0, {"boot": "another"}, True),
        (0, {"pid": 2**22 + 1}, True),
        (0, {"host": "elsewhere", "pid": 2**22 + 1}, False),
    ],
    ids=["fresh", "just so", "silent", "of an earlier boot", "gone", "of another machine"],
)
def test_a_run_without_a_sign_of_life_is_failed(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path, silent_s: float, process: dict[str, str | int], is_dead: bool) -> None:  # fmt: skip
    run, now = begun(instance, "t4"), in_a_window(100)
    beats(tmp_path, run, now - timedelta(seconds=silent_s), **process)
    requests = asked(instance, listed, tmp_path, now)
    assert status_of(instance, run) is (RUN.FAILURE if is_dead else RUN.STARTED)
    assert ("window_t4" in requests) is is_dead
    assert heartbeats.of(tmp_path, "t4") == ([] if is_dead else [run.run_id])


def test_a_silent_process_is_ended(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path) -> None:
    """It hangs: left alone it might wake up and sample beside its successor."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    run, now = begun(instance, "t4"), in_a_window(100)
    beats(tmp_path, run, now - timedelta(seconds=60), pid=child.pid, born=heartbeats._born(child.pid))
    asked(instance, listed, tmp_path, now)
    assert child.wait(timeout=10) == -9


def test_a_run_that_never_began_to_beat_is_failed_too(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path) -> None:  # fmt: skip
    run = begun(instance, "t4")
    asked(instance, listed, tmp_path, datetime.now(UTC) + timedelta(seconds=30))
    assert status_of(instance, run) is RUN.STARTED
    asked(instance, listed, tmp_path, datetime.now(UTC) + timedelta(seconds=60))
    assert status_of(instance, run) is RUN.FAILURE


def test_the_rest_of_a_window_is_asked_for_from_its_tick(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path) -> None:  # fmt: skip
    """From its tick, so that what is lost is accounted for."""
    now = in_a_window(15 * 60 + 100)
    request = asked(instance, listed, tmp_path, now)["window_t4"]
    assert request.partition_key == hour_key(now)
    assert request.run_config["ops"]["sample_t4"]["config"] == {
        "WINDOW_START": (hour_of(now) + timedelta(minutes=15)).isoformat(),
        "WINDOW_S": 900.0,
    }


@pytest.mark.parametrize(
    ("seconds", "status", "wanted"),
    [
        (20, None, False),
        (40, None, True),
        (40, RUN.NOT_STARTED, False),
        (14 * 60 + 56, None, True),
        (40, RUN.SUCCESS, True),
    ],
    ids=["the schedule's turn", "nobody came", "one is queued", "the last slot can be late", "ended early"],
)
def test_a_window_is_missed_when_the_schedule_had_its_time(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path, seconds: float, status: RUN | None, wanted: bool) -> None:  # fmt: skip
    if status is not None:
        begun(instance, "t4", status)
    assert ("window_t4" in asked(instance, listed, tmp_path, in_a_window(seconds))) is wanted


def test_a_window_whose_last_slot_was_taken_is_over(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path) -> None:  # fmt: skip
    """T0 samples once an hour and then ends."""
    now = in_a_window(20 * 60)
    assert "window_t0" in asked(instance, listed, tmp_path, now)
    slot = hour_of(now) + BY_NAME["t0"].offset
    accounts.publish(listed, Account("t0", slot, accounts.MISSED, "run"))
    assert "window_t0" in asked(instance, listed, tmp_path, now)
    accounts.publish(listed, Account("t0", slot, accounts.TAKEN, "run"))
    assert "window_t0" not in asked(instance, listed, tmp_path, now)


def test_what_a_person_ended_stays_ended_until_the_next_tick(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path) -> None:  # fmt: skip
    # Before the run: the next tick may come in between.
    tick = watchdog.tick_of(T4, datetime.now(UTC))
    begun(instance, "t4", RUN.CANCELED)
    runs = instance.get_run_records(dg.RunsFilter(job_name="window_t4", created_after=tick))
    assert watchdog._is_to_wait(runs, datetime.now(UTC) + timedelta(hours=1))


def test_runs_that_fail_at_once_are_started_ever_more_seldom(instance: dg.DagsterInstance) -> None:
    for _ in range(watchdog.QUICK_ENDS):
        begun(instance, "t4", RUN.FAILURE)
    records = instance.get_run_records(dg.RunsFilter(job_name="window_t4"))
    soon = datetime.now(UTC) + watchdog.AGAIN + timedelta(seconds=1)
    assert not watchdog._is_to_wait(records, soon)
    begun(instance, "t4", RUN.FAILURE)
    assert watchdog._is_to_wait(instance.get_run_records(dg.RunsFilter(job_name="window_t4")), soon)


@pytest.mark.parametrize(
    ("began", "ended", "at_once"),
    [(100.0, 110.0, True), (100.0, 131.0, False), (None, None, True)],
    ids=["after ten seconds", "after half a minute", "never began"],
)
def test_only_runs_that_ended_at_once_count_as_a_fault_of_theirs(began: float | None, ended: float | None, at_once: bool) -> None:  # fmt: skip
    """One that sampled for a while and was killed is started again as quickly as the first time."""
    record = SimpleNamespace(start_time=began, end_time=ended, dagster_run=SimpleNamespace(is_finished=True))
    assert watchdog._ended_at_once(record) is at_once


def test_nothing_is_sampled_before_something_is_listed(instance: dg.DagsterInstance, lake: Lake, tmp_path: Path) -> None:  # fmt: skip
    assert set(asked(instance, lake, tmp_path, in_a_window(100))) == {"discovery"}


def test_a_window_started_by_hand_keeps_its_signs(instance: dg.DagsterInstance, listed: Lake, tmp_path: Path) -> None:  # fmt: skip
    """A person may materialize a tier from its asset's page: a run of another job."""
    run, now = instance.create_run_for_job(build_defs().get_job_def("discovery"), status=RUN.STARTED), in_a_window(100)  # fmt: skip
    beats(tmp_path, run, now)
    asked(instance, listed, tmp_path, now)
    assert heartbeats.of(tmp_path, "t4") == [run.run_id]
