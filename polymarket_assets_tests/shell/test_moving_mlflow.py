"""MLflow's history that moves from SQLite to Postgres: trainings, versions and the champion are the same there, and numbers go on."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from mlflow import MlflowClient

from launch.postgres import Postgres
from polymarket_assets.moving import of_mlflow
from polymarket_assets.venue.errors import Refused, Unavailable


def trained(uri: str, skill: float) -> str:
    """A run with a figure, registered; returns its number."""
    client = MlflowClient(uri, uri)
    experiment = client.get_experiment_by_name("trainings")
    number = experiment.experiment_id if experiment else client.create_experiment("trainings", "mlflow-artifacts:/1")  # fmt: skip
    run = client.create_run(number, run_name="of a test")
    client.log_param(run.info.run_id, "seed", 7)
    for step in range(3):
        client.log_metric(run.info.run_id, "skill", skill + step, step=step)
    client.set_terminated(run.info.run_id)
    if not client.search_registered_models():
        client.create_registered_model("edge")
    client.create_model_version("edge", f"mlflow-artifacts:/1/{run.info.run_id}", run.info.run_id)
    return str(run.info.run_id)


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def postgres(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.ask("postgres", "drop database if exists mlflow with (force)")
    server.ask("postgres", "create database mlflow")
    return "postgresql+psycopg2:///mlflow"


def test_trainings_and_the_champion_are_the_same_and_numbers_go_on(sqlite: str, postgres: str) -> None:
    run_id = trained(sqlite, 0.01)
    old, new = MlflowClient(sqlite, sqlite), MlflowClient(postgres, postgres)
    old.set_registered_model_alias("edge", "champion", "1")
    assert new.search_experiments()[0].name == "Default", "made by the server at its first start"
    moved = of_mlflow.move(sqlite, postgres)
    assert (moved["runs"], moved["metrics"], moved["model_versions"]) == (1, 3, 1)
    assert new.get_run(run_id).data.to_dictionary() == old.get_run(run_id).data.to_dictionary()
    assert [point.value for point in new.get_metric_history(run_id, "skill")] == [0.01, 1.01, 2.01]
    assert new.get_model_version_by_alias("edge", "champion").run_id == run_id
    trained(postgres, 0.02)
    assert {int(version.version) for version in new.search_model_versions("name='edge'")} == {1, 2}
    assert new.create_experiment("another") not in {one.experiment_id for one in old.search_experiments()}
    with pytest.raises(Refused, match="has runs or models of its own"):
        of_mlflow.move(sqlite, postgres)


def made(file: Path, version: str, *, status: str | None = None) -> str:
    """A database with the tables that people fill, and at most a run in them."""
    address = f"sqlite:///{file}"
    tables = {table.name: table for table in of_mlflow.tables()}
    with sa.create_engine(address).begin() as connection:
        for name in ("experiments", "registered_models", "runs"):
            tables[name].create(connection)
        connection.execute(sa.text("create table alembic_version (version_num text)"))
        connection.execute(sa.text("insert into alembic_version values (:one)"), {"one": version})
        if status is not None:
            connection.execute(sa.insert(tables["runs"]).values(run_uuid="r", status=status, lifecycle_stage="active"))  # fmt: skip
    return address


def test_a_training_that_is_under_way_is_not_moved(tmp_path: Path) -> None:
    old, new = made(tmp_path / "old.db", "1", status="RUNNING"), made(tmp_path / "new.db", "1")
    with pytest.raises(Refused, match="a training is under way"):
        of_mlflow.move(old, new)
    assert of_mlflow.move(made(tmp_path / "ended.db", "1", status="KILLED"), new) == {"runs": 1}


def test_what_is_no_history_of_this_version_is_refused_in_a_sentence(tmp_path: Path) -> None:
    old = made(tmp_path / "old.db", "1")
    with pytest.raises(Refused, match="no database of MLflow"):
        of_mlflow.move(old, f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(Refused, match="mlflow db upgrade"):
        of_mlflow.move(old, made(tmp_path / "new.db", "2"))
    for nowhere in ("sqlite:////nowhere/at/all.db", "no address"):
        with pytest.raises(Unavailable, match="cannot be opened"):
            of_mlflow.move(nowhere, old)
