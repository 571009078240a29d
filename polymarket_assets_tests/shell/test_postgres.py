"""Dagster's history in a real Postgres: runs side by side, a server that is killed and comes back, connections that run out."""

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import dagster_postgres.utils
import psycopg2
import pytest
import yaml
from dagster._core.execution.api import execute_run

from drills.processes import wait_for
from launch.postgres import Postgres
from polymarket_assets import reaping
from polymarket_assets.collecting import heartbeats
from polymarket_assets.executing import signed_executor
from polymarket_assets.partitions import HOUR
from polymarket_assets_tests.conftest import PROJECT

RUN = dg.DagsterRunStatus
KEY = dg.AssetKey("told")
FIRST = datetime(2026, 11, 2, 13, tzinfo=UTC)
# How long a run below goes on: a server may be killed, and come back, meanwhile.
LASTS_S = 2.0
# Longer than the eleven seconds, give or take, through which Dagster asks again for a connection.
TOO_LONG_S = 20.0


@dg.asset(key=KEY, partitions_def=HOUR)
def telling(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Says something to the event log ten times a second."""
    until = time.monotonic() + LASTS_S
    said = 0
    while time.monotonic() < until:
        context.log.info(f"line {said}")
        said += 1
        time.sleep(0.1)
    return dg.MaterializeResult(metadata={"said": said})


def the_job() -> dg.JobDefinition:
    jobs = [dg.define_asset_job("telling", selection=[telling], partitions_def=HOUR)]
    return dg.Definitions(assets=[telling], jobs=jobs, executor=signed_executor).get_job_def("telling")


def key(n: int) -> str:
    return f"{FIRST + timedelta(hours=n):%Y-%m-%d-%H:00}"


def begin(
    instance: dg.DagsterInstance, n: int, state: Path, *, tries: int = 5
) -> tuple[str, subprocess.Popen[bytes]]:
    """A run of its own process, as the code server starts them."""
    run = instance.create_run_for_job(the_job(), tags={"dagster/partition": key(n)})
    code = f"from polymarket_assets_tests.shell import test_postgres as t; t.go_on({run.run_id!r}, {tries})"
    environment = {**os.environ, "STATE_DIR": str(state)}
    return run.run_id, subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, env=environment)


def go_on(run_id: str, tries: int) -> None:
    """In the process of the run; it asks so often for a connection, Dagster's own five times unless told."""
    dagster_postgres.utils.retry_pg_connection_fn.__defaults__ = (tries, 0.2)
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        execute_run(dg.reconstructable(the_job), run, instance)


def begun(instance: dg.DagsterInstance, run_id: str) -> None:
    """Until a run says something."""
    wait_for(lambda: any("line 2" in entry.user_message for entry in instance.all_logs(run_id)), "a run")


def take_all(taken: ExitStack) -> None:
    """Connections until none is left."""
    while True:
        taken.callback(psycopg2.connect(dbname="dagster").close)


def status(instance: dg.DagsterInstance, run_id: str) -> RUN:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def documented(block: str, server: Postgres, folder: Path) -> int:
    """Run lines of docs/production.md on a database of their own, with the server's tools in the place of its container's."""
    text = (PROJECT / "docs" / "production.md").read_text()
    lines = text.split(f"```sh {block}\n")[1].split("```")[0].splitlines()
    asked = next(line for line in lines if "dagster.dump" in line)
    command = asked.replace("docker compose exec -T postgres ", "").replace("dagster", "backed_up")
    told = {"PATH": f"{server.tool('pg_dump').parent}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(server.port)}  # fmt: skip
    return subprocess.run(["sh", "-c", command], cwd=folder, env={**told, "POSTGRES_PASSWORD": server.password}, stdin=subprocess.DEVNULL, check=False).returncode  # fmt: skip


def test_the_documented_backup_needs_nobody_and_comes_back(server: Postgres, tmp_path: Path) -> None:
    """Run by a timer nobody types a password; a dump that broke off must not look like one."""
    assert documented("databases", server, tmp_path) != 0
    assert not (tmp_path / "backed_up.dump").exists()
    server.ask("postgres", "create database backed_up")
    server.ask("backed_up", "create table held as select 7 as n")
    assert documented("databases", server, tmp_path) == 0
    server.ask("backed_up", "delete from held")
    assert documented("databases-again", server, tmp_path) == 0
    assert server.ask("backed_up", "select n from held") == [(7,)]


def test_both_instances_are_configured_alike_but_for_where_things_lie() -> None:
    """What `make up` and tests try is what runs in production: the queue, its lanes, monitoring, what is kept."""
    here, there = (yaml.safe_load((PROJECT / name).read_text()) for name in ("dagster.yaml", "deploy/dagster.yaml"))  # fmt: skip
    assert here.pop("event_log_storage")["class"] == "HomeEventLogStorage"
    places = {name: there.pop(name) for name in ("storage", "local_artifact_storage", "compute_logs")}
    assert there == here
    assert places["storage"] == {"postgres": {"postgres_url": "postgresql+psycopg2:///dagster"}}


def test_runs_side_by_side_lose_nothing(on_postgres: dg.DagsterInstance, tmp_path: Path) -> None:
    """And each finds its connections: Dagster opens one for every operation and closes it again."""
    started = [begin(on_postgres, n, tmp_path / "state") for n in range(3)]
    assert [process.wait(60) for _, process in started] == [0, 0, 0]
    assert {status(on_postgres, run_id) for run_id, _ in started} == {RUN.SUCCESS}
    assert on_postgres.get_materialized_partitions(KEY) == {key(n) for n in range(3)}
    events = on_postgres.fetch_materializations(KEY, limit=10).records
    assert sorted(event.partition_key or "" for event in events) == [key(n) for n in range(3)]


def test_a_kill_cuts_what_every_backend_is_doing_and_the_server_can_start_again_at_once(server: Postgres) -> None:  # fmt: skip
    """Backends lead process groups of their own: left alone they finish, answer, and hold the memory that a new server asks for."""
    server.ask("postgres", "create table rows_of_a_kill (n int)")
    said: list[str] = []

    def insert() -> None:
        try:
            server.ask("postgres", "insert into rows_of_a_kill select 1 from generate_series(1, 100000) where pg_sleep(0.01) is not null")  # fmt: skip
        except psycopg2.OperationalError as e:
            said.append(str(e))

    inserting = threading.Thread(target=insert)
    inserting.start()
    wait_for(lambda: server.ask("postgres", "select 1 from pg_stat_activity where query like 'insert%' and state = 'active'"), "a statement")  # fmt: skip
    server.kill()
    inserting.join(timeout=10)
    server.start()
    assert any("closed the connection" in one for one in said), said
    assert server.ask("postgres", "select count(*) from rows_of_a_kill") == [(0,)]


def test_a_run_goes_on_through_a_kill_of_the_server_that_is_made_up_for_in_seconds(on_postgres: dg.DagsterInstance, server: Postgres, tmp_path: Path) -> None:  # fmt: skip
    run_id, process = begin(on_postgres, 0, tmp_path / "state")
    begun(on_postgres, run_id)
    before = len(on_postgres.all_logs(run_id))
    server.kill()
    server.start()
    assert process.wait(60) == 0
    assert status(on_postgres, run_id) is RUN.SUCCESS
    assert len(on_postgres.all_logs(run_id)) > before
    assert on_postgres.get_materialized_partitions(KEY) == {key(0)}


def test_a_run_that_a_longer_outage_ends_is_failed_once_the_server_is_back(on_postgres: dg.DagsterInstance, server: Postgres, tmp_path: Path) -> None:  # fmt: skip
    """It cannot tell its own end: it stays started, and holds its place, until it is reaped."""
    run_id, process = begin(on_postgres, 0, tmp_path / "state", tries=1)
    begun(on_postgres, run_id)
    server.kill()
    try:
        assert process.wait(TOO_LONG_S) != 0
    finally:
        server.start()
    assert status(on_postgres, run_id) is RUN.STARTED
    assert reaping.reap(on_postgres, tmp_path / "state", datetime.now(UTC)) == [run_id]
    assert status(on_postgres, run_id) is RUN.FAILURE
    reaping.reap(on_postgres, tmp_path / "state", datetime.now(UTC))
    assert heartbeats.of(tmp_path / "state", heartbeats.RUNS) == []


def test_too_few_connections_are_told_clearly_and_waited_for(on_postgres: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    slept: list[float] = []
    with ExitStack() as taken:
        with pytest.raises(psycopg2.OperationalError, match="too many clients already"):
            take_all(taken)
        monkeypatch.setattr(dagster_postgres.utils.time, "sleep", slept.append)
        with pytest.raises(dagster_postgres.utils.DagsterPostgresException) as told:
            on_postgres.get_runs()
        assert "too many clients already" in str(told.value.__cause__)
        assert 5 < sum(slept) < TOO_LONG_S
        monkeypatch.setattr(dagster_postgres.utils.time, "sleep", lambda _: taken.close())
        assert list(on_postgres.get_runs()) == []
