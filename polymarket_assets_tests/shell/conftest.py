"""Instances: an empty one of files, and as the project configures them, SQLite as `dagster.yaml` says, and Postgres as `deploy/dagster.yaml` does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from launch import postgres
from launch.postgres import Postgres
from polymarket_assets_tests.conftest import PROJECT

# What only a machine that loses its power needs is left out: a kill -9 of processes loses nothing that was written.
QUICK = ("fsync=off", "max_connections=30", "timezone=UTC")
# Dagster's tables take seconds to make: once, and then a copy for each test.
_TEMPLATE = "made_before"


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A real Postgres; tests that kill it start it again. Folders of pytest's own are closed to the user it may run as."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as name, postgres.running(Path(name), *QUICK) as made:  # fmt: skip
        made.ask("postgres", "create database dagster")
        with pytest.MonkeyPatch.context() as told, _opened(Path(name), made, told):
            pass
        made.ask("postgres", f"alter database dagster rename to {_TEMPLATE}")
        yield made


def _opened(folder: Path, server: Postgres, told: pytest.MonkeyPatch) -> dg.DagsterInstance:
    for name, value in {**server.environment, "RUN_LOGS_DIR": str(folder / "storage")}.items():
        told.setenv(name, value)
    return _at(folder, "deploy/dagster.yaml", told)


def _at(folder: Path, configuration: str, told: pytest.MonkeyPatch) -> dg.DagsterInstance:
    folder.mkdir(exist_ok=True)
    (folder / "dagster.yaml").symlink_to(PROJECT / configuration)
    told.setenv("DAGSTER_HOME", str(folder))
    return dg.DagsterInstance.get()


@pytest.fixture
def on_postgres(
    server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """An empty instance, for which the environment is set, too."""
    server.ask("postgres", "drop database if exists dagster with (force)")
    server.ask("postgres", f"create database dagster template {_TEMPLATE}")
    with _opened(tmp_path / "postgres", server, monkeypatch) as made:
        yield made


@pytest.fixture
def on_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The same in files."""
    with _at(tmp_path / "sqlite", "dagster.yaml", monkeypatch) as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def configured(request: pytest.FixtureRequest) -> dg.DagsterInstance:
    """One after the other: what holds of one must hold of both."""
    made: dg.DagsterInstance = request.getfixturevalue(f"on_{request.param}")
    return made


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance's databases, made once: that takes a second."""
    folder = tmp_path_factory.mktemp("dagster")
    with dg.DagsterInstance.local_temp(str(folder)) as made:
        made.all_instigator_state()
        made.get_run_records(limit=1)
    return folder


@pytest.fixture
def instance(tmp_path: Path, empty: Path) -> Iterator[dg.DagsterInstance]:
    shutil.copytree(empty, tmp_path / "dagster")
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as made:
        yield made
