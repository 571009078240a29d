"""Runs of any job whose process is gone are failed; nothing that lives, or that ended well meanwhile, is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import msgspec
import pytest
from dagster._core.events import EngineEventData

from polymarket_assets import reaping
from polymarket_assets.collecting import heartbeats
from polymarket_assets.definitions import build_defs

DEFS = build_defs()
RUN = dg.DagsterRunStatus
NOBODY = 2**22 + 1


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def begun(instance: dg.DagsterInstance, job: str = "discovery", status: RUN = RUN.STARTED) -> str:
    return instance.create_run_for_job(DEFS.get_job_def(job), status=status).run_id


def sign(folder: Path, run_id: str, at: datetime, **process: str | int) -> None:
    here = msgspec.structs.replace(heartbeats.this_process(), **process)
    path = heartbeats.path_of(folder, heartbeats.RUNS, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(heartbeats.Heartbeat(run_id, at, None, here)))


def status_of(instance: dg.DagsterInstance, run_id: str) -> RUN:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


@pytest.mark.parametrize("job", ["discovery", "closed_hour", "closed_day", "keeping", "pruning", "window_t4"])
@pytest.mark.parametrize(
    ("process", "silent_s", "is_gone"),
    [
        ({}, 0, False),
        ({}, 3600, False),
        ({"boot": "another"}, 0, True),
        ({"pid": NOBODY}, 0, True),
        ({"born": "1"}, 0, True),
        ({"host": "elsewhere", "pid": NOBODY}, 100, False),
        ({"host": "elsewhere"}, 121, True),
    ],
    ids=["there", "there and silent", "of an earlier boot", "gone", "another under its number", "elsewhere", "elsewhere and silent"],
)  # fmt: skip
def test_a_run_is_known_by_its_process(instance: dg.DagsterInstance, tmp_path: Path, job: str, process: dict[str, str | int], silent_s: float, is_gone: bool) -> None:  # fmt: skip
    """A run that hangs is for `dagster/max_runtime`: here only those end that are not there any more."""
    run, now = begun(instance, job), datetime.now(UTC)
    sign(tmp_path, run, now - timedelta(seconds=silent_s), **process)
    assert reaping.reap(instance, tmp_path, now) == ([run] if is_gone else [])
    assert status_of(instance, run) is (RUN.FAILURE if is_gone else RUN.STARTED)
    reaping.reap(instance, tmp_path, now)
    assert heartbeats.of(tmp_path, heartbeats.RUNS) == ([] if is_gone else [run])


@pytest.mark.parametrize(
    ("pid", "after_s", "is_gone"),
    [(None, 40, False), (None, 50, True), (NOBODY, 50, True), (os.getpid(), 50, False)],
    ids=["only just begun", "never began", "told and gone", "told and there"],
)
def test_a_run_without_signs_is_known_by_what_dagster_was_told(instance: dg.DagsterInstance, tmp_path: Path, pid: int | None, after_s: float, is_gone: bool) -> None:  # fmt: skip
    """It was started by a person without `STATE_DIR`, or by the version before: it may live."""
    run = begun(instance)
    if pid is not None:
        held = instance.get_run_by_id(run)
        instance.report_engine_event(f"Started process for run (pid: {pid}).", held, EngineEventData.in_process(pid))  # fmt: skip
    reaped = reaping.reap(instance, tmp_path, datetime.now(UTC) + timedelta(seconds=after_s))
    assert reaped == ([run] if is_gone else [])


def test_a_run_that_ended_while_it_was_looked_at_keeps_its_end(instance: dg.DagsterInstance) -> None:
    """Its process is gone because it was done: a failure reported now would stand beside its success."""
    run = begun(instance, status=RUN.SUCCESS)
    assert not reaping.fail(instance, run, "its process is gone")
    assert status_of(instance, run) is RUN.SUCCESS


def test_without_a_folder_for_signs_nothing_is_concluded(instance: dg.DagsterInstance) -> None:
    run = begun(instance)
    assert reaping.reap(instance, None, datetime.now(UTC) + timedelta(hours=1)) == []
    assert status_of(instance, run) is RUN.STARTED
