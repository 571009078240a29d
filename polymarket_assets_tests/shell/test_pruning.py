"""Pruning drops what later runs superseded; partitions still read as materialised, checks keep their results."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from polymarket_assets import pruning
from polymarket_assets.definitions import build_defs
from polymarket_assets.partitions import HOUR

KEY = dg.AssetKey(["orderbooks", "t4"])
FIRST, SECOND = "2026-11-02-13:00", "2026-11-02-14:00"
TOMORROW = timedelta(hours=25)


@dg.asset(
    key=KEY, partitions_def=HOUR, check_specs=[dg.AssetCheckSpec("sound", asset=KEY, partitions_def=HOUR)]
)
def books(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    for slot in range(20):
        context.log.info(f"slot {slot} taken")
    if context.has_tag("fails"):
        raise dg.Failure("the venue is down")
    yield dg.MaterializeResult(metadata={"rows": 7}, check_results=[dg.AssetCheckResult(passed=True)])


JOBS = [
    dg.define_asset_job(name, selection=[books], partitions_def=HOUR) for name in ("window_t4", "closed_hour")
]


@pytest.fixture
def instance(configured: dg.DagsterInstance) -> dg.DagsterInstance:
    """As the project configures it, in SQLite and in Postgres: one event log for all runs."""
    return configured


def run(instance: dg.DagsterInstance, partition: str = FIRST, name: str = "window_t4", **tags: str) -> str:
    job = dg.Definitions(assets=[books], jobs=JOBS, executor=dg.in_process_executor).get_job_def(name)
    return job.execute_in_process(instance=instance, partition_key=partition, tags=tags, raise_on_error=False).run_id  # fmt: skip


def runs(instance: dg.DagsterInstance) -> set[str]:
    return {one.run_id for one in instance.get_runs()}


def prune(instance: dg.DagsterInstance, later: timedelta = TOMORROW) -> pruning.Pruned:
    return pruning.prune(instance, now=datetime.now(UTC) + later)


def test_of_each_partition_the_last_success_stays(instance: dg.DagsterInstance) -> None:
    run(instance)
    run(instance, fails="yes")
    last, other = run(instance), run(instance, SECOND)
    assert prune(instance).runs_deleted == 2
    assert runs(instance) == {last, other}
    assert instance.get_materialized_partitions(KEY) == {FIRST, SECOND}
    event = instance.get_latest_materialization_event(KEY)
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["rows"].value == 7


def test_checks_keep_their_latest_result(instance: dg.DagsterInstance) -> None:
    run(instance)
    last = run(instance)
    prune(instance)
    key = dg.AssetCheckKey(KEY, "sound")
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert (record.run_id, record.status.value) == (last, "SUCCEEDED")
    history = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    assert {one.run_id for one in history} == {last}, "those of runs that are gone go too"


def test_of_what_two_jobs_asked_of_a_partition_the_later_answer_stays(instance: dg.DagsterInstance) -> None:
    first, other, last = run(instance), run(instance, SECOND), run(instance, name="closed_hour")
    prune(instance)
    assert runs(instance) == {first, other, last}
    history = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(KEY, "sound"), limit=10)  # fmt: skip
    assert {one.run_id for one in history} == {other, last}


def test_a_failure_that_nothing_made_up_for_keeps_everything(instance: dg.DagsterInstance) -> None:
    run(instance)
    failed = run(instance, SECOND, fails="yes")
    lines = len(instance.all_logs(failed))
    prune(instance)
    assert failed in runs(instance)
    assert len(instance.all_logs(failed)) == lines


def test_what_is_not_about_assets_goes(instance: dg.DagsterInstance) -> None:
    kept = run(instance)
    for _ in range(5):
        run(instance)
    last = run(instance)
    done = prune(instance)
    assert kept not in runs(instance)
    kinds = {entry.dagster_event.event_type_value for entry in instance.all_logs(last) if entry.dagster_event}
    assert kinds == {"PIPELINE_START", "ASSET_MATERIALIZATION", "PIPELINE_SUCCESS"}
    assert done.events_deleted > 20
    assert prune(instance).runs_deleted == 0, "a second time there is nothing"


def test_files_of_sqlite_shrink(on_sqlite: dg.DagsterInstance) -> None:
    """Postgres keeps the space for the next day's rows, and has no file of ours."""
    for _ in range(7):
        run(on_sqlite)
    done = prune(on_sqlite)
    assert done.bytes_after < done.bytes_before
    assert {file.name for file in pruning._databases(on_sqlite)} == {
        "event_log.db",
        "runs.db",
        "schedules.db",
    }


def test_what_runs_printed_goes_with_their_log(instance: dg.DagsterInstance) -> None:
    superseded, last, failed = run(instance), run(instance), run(instance, SECOND, fails="yes")
    assert isinstance(instance.compute_log_manager, LocalComputeLogManager)
    printed = Path(instance.compute_log_manager._base_dir)
    assert {folder.name for folder in printed.iterdir()} == {superseded, last, failed}
    assert prune(instance).outputs_deleted == 2
    assert [folder.name for folder in printed.iterdir()] == [failed]


def filled(file: Path, rows: int = 20_000) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table t (said text)")
        connection.executemany("insert into t values (?)", ((f"{n} " * 50,) for n in range(rows)))
        connection.execute("delete from t where rowid % 10 > 0")
        connection.commit()


def test_a_file_that_somebody_holds_keeps_its_size_and_the_log_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    file = tmp_path / "runs.db"
    filled(file)
    monkeypatch.setattr(pruning, "VACUUM_WAITS_S", 0.1)
    before = file.stat().st_size
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        pruning._vacuum(file)
        assert "runs.db keeps its size until the next pruning: database is locked" in caplog.text
        assert file.stat().st_size == before
        writer.execute("rollback")
    pruning._vacuum(file)
    assert file.stat().st_size < before / 2


def test_a_rewrite_that_takes_longer_than_writers_wait_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    """Five seconds are what Dagster's own writers of runs and ticks wait before they fail."""
    file = tmp_path / "runs.db"
    filled(file)
    monkeypatch.setattr(pruning, "VACUUM_LASTS_S", -1.0)
    before = file.stat().st_size
    pruning._vacuum(file)
    assert "runs.db keeps its size until the next pruning: interrupted" in caplog.text
    assert file.stat().st_size == before
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_runs_of_the_last_day_keep_everything(instance: dg.DagsterInstance) -> None:
    made = {run(instance), run(instance)}
    done = prune(instance, timedelta(hours=23))
    assert (done.runs_seen, done.runs_deleted) == (0, 0)
    assert runs(instance) == made


def test_only_jobs_that_repeat_themselves_are_pruned() -> None:
    """What was trained, or fetched of a day, is not made again by the next run."""
    jobs = {job.name for job in build_defs().jobs or ()} - {"pruning"}
    assert jobs - set(pruning.PRUNED) == {"learning", "closed_day", "day_features"}
    assert set(pruning.PRUNED) <= jobs
