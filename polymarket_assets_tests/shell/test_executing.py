"""Every run says that its process is there, whatever its job, and until its end is recorded."""

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from polymarket_assets.collecting import heartbeats
from polymarket_assets.definitions import build_defs
from polymarket_assets.executing import signed_executor


@dg.op
def look(context: dg.OpExecutionContext) -> None:
    """Fails where the run that looks has left no sign."""
    found = heartbeats.newest(Path(os.environ["STATE_DIR"]), context.run_id)
    assert found is not None
    assert found.process == heartbeats.this_process()


@dg.job(executor_def=signed_executor)
def looking() -> None:
    look()


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATE_DIR", raising=False)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as made:
        yield made


def test_a_run_leaves_signs_until_its_end_is_recorded(instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Between its last step and its recorded success nobody may take it for dead."""
    state = tmp_path / "state"
    monkeypatch.setenv("STATE_DIR", str(state))
    with dg.execute_job(dg.reconstructable(looking), instance) as ran:
        assert ran.success
    assert heartbeats.of(state, heartbeats.RUNS) == [ran.run_id]


def test_every_job_has_that_executor_and_its_configuration() -> None:
    defs = build_defs()
    for job in defs.jobs or ():
        assert defs.get_job_def(job.name).executor_def is signed_executor, job.name
    assert signed_executor.name == dg.in_process_executor.name


@dg.op
def priority(context: dg.OpExecutionContext) -> None:
    context.log.info(f"at {os.nice(0)}")


@dg.job(executor_def=signed_executor)
def told() -> None:
    priority()


def in_a_process_of_its_own(folder: str, lane: str) -> None:
    with dg.DagsterInstance.local_temp(folder) as instance:
        run = dg.execute_job(dg.reconstructable(told), instance, tags={"lane": lane})
        (said,) = [e.user_message for e in instance.all_logs(run.run_id) if e.user_message.startswith("at ")]
    Path(folder, "said").write_text(said)


@pytest.mark.parametrize(("lane", "niceness"), [("train", 10), ("batch", 5), ("", 0)])
def test_a_run_steps_back_as_far_as_its_lane_says(tmp_path: Path, lane: str, niceness: int) -> None:
    """Training beside the code server would else take its turn as often as the server has its own."""
    process = multiprocessing.get_context("spawn").Process(target=in_a_process_of_its_own, args=(str(tmp_path), lane))  # fmt: skip
    process.start()
    process.join(60)
    assert (tmp_path / "said").read_text() == f"at {max(niceness, os.nice(0))}"
