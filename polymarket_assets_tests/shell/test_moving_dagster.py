"""A history that moves from SQLite to Postgres is the same there: partitions, checks, cursors, switches, limits, and numbers that go on."""

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    InstigatorType,
    SensorInstigatorData,
)

from launch.postgres import Postgres
from polymarket_assets.moving.of_dagster import HalfMoved, copied
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.shell.test_pruning import FIRST, KEY, SECOND, run

CHECK = dg.AssetCheckKey(KEY, "sound")
ORIGIN = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("polymarket_assets.definitions"), "__repository__")  # fmt: skip


def switched_off(instance: dg.DagsterInstance, cursor: str) -> None:
    """A sensor that a person stopped, at a cursor."""
    instance.add_instigator_state(InstigatorState(ORIGIN.get_instigator_origin("resolving"), InstigatorType.SENSOR, InstigatorStatus.STOPPED, SensorInstigatorData(cursor=cursor)))  # fmt: skip


def test_what_was_known_is_known_and_numbers_go_on(on_sqlite: dg.DagsterInstance, on_postgres: dg.DagsterInstance) -> None:  # fmt: skip
    first, second = run(on_sqlite), run(on_sqlite, SECOND)
    switched_off(on_sqlite, "41")
    on_sqlite.event_log_storage.set_concurrency_slots("gamma_api", 3)
    on_sqlite.add_dynamic_partitions("of_people", ["a"])
    moved = copied(on_sqlite, on_postgres)
    assert moved["runs"] == 2
    assert [one.run_id for one in on_postgres.get_runs()] == [second, first]
    assert on_postgres.get_materialized_partitions(KEY) == {FIRST, SECOND}
    assert len(on_postgres.all_logs(first)) == len(on_sqlite.all_logs(first))
    for of in (on_sqlite, on_postgres):
        record = of.event_log_storage.get_latest_asset_check_execution_by_key([CHECK])[CHECK]
        assert (record.run_id, record.status.value) == (second, "SUCCEEDED")
    (state,) = on_postgres.all_instigator_state()
    assert (state.status, state.instigator_data.cursor) == (InstigatorStatus.STOPPED, "41")
    assert on_postgres.event_log_storage.get_concurrency_info("gamma_api").slot_count == 3
    assert on_postgres.get_dynamic_partitions("of_people") == ["a"]
    numbers = [of.fetch_materializations(KEY, limit=1).records[0].storage_id for of in (on_sqlite, on_postgres)]  # fmt: skip
    assert numbers[0] == numbers[1], "cursors are numbers of events"
    run(on_postgres)
    assert on_postgres.fetch_materializations(KEY, limit=1).records[0].storage_id > numbers[1]


def test_nothing_is_written_over_and_nothing_moves_that_goes_on(on_sqlite: dg.DagsterInstance, on_postgres: dg.DagsterInstance) -> None:  # fmt: skip
    with pytest.raises(Refused, match="the old instance has no history"):
        copied(on_sqlite, on_postgres)
    run(on_sqlite)
    run(on_postgres)
    with pytest.raises(Refused, match="has a history of its own"):
        copied(on_sqlite, on_postgres)
    assert on_postgres.get_runs_count() == 1
    job = dg.GraphDefinition(name="goes_on").to_job()
    on_sqlite.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    with pytest.raises(Refused, match="under way"):
        copied(on_sqlite, on_postgres)


def test_a_target_that_knows_no_more_than_where_a_sensor_stands_is_given_nothing(on_sqlite: dg.DagsterInstance, on_postgres: dg.DagsterInstance) -> None:  # fmt: skip
    """Each store commits by itself: what was copied before the third is asked would be half a history, and refused ever after."""
    run(on_sqlite)
    switched_off(on_sqlite, "41")
    switched_off(on_postgres, "0")
    with pytest.raises(Refused, match="has a history of its own"):
        copied(on_sqlite, on_postgres)
    assert on_postgres.get_runs_count() == 0
    assert not on_postgres.get_materialized_partitions(KEY)


def test_a_move_that_breaks_off_says_how_to_begin_again(on_sqlite: dg.DagsterInstance, on_postgres: dg.DagsterInstance, server: Postgres) -> None:  # fmt: skip
    run(on_sqlite)
    switched_off(on_sqlite, "41")
    server.ask("dagster", "alter table jobs add constraint none_at_all check (false)")
    with pytest.raises(HalfMoved, match=r"none_at_all.*`drop database dagster with \(force\)`, `create database dagster`") as raised:  # fmt: skip
        copied(on_sqlite, on_postgres)
    assert "\n" not in str(raised.value)
    assert on_postgres.get_runs_count() == 1
