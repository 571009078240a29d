"""Dagster's history: runs, events, partitions, results of checks, cursors and switches, pools.

Numbers of rows stay, since cursors of sensors and of conditions are numbers of events. What belongs to the database rather
than to its history, such as which migrations it has seen, is the new one's own. What runs printed is copied by whoever wants it.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage
from dagster_postgres.utils import DagsterPostgresException

from polymarket_assets.masking import masked
from polymarket_assets.moving import rows
from polymarket_assets.venue.errors import Refused, Unavailable

# The database's own, or of processes that are gone.
_NOT_MOVED = {"secondary_indexes", "instance_info", "daemon_heartbeats", "alembic_version"}
_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]

# Half a history is none: what was copied is not looked through for what is missing.
EMPTY_IT = "empty the new database (`drop database dagster with (force)`, `create database dagster`), then move again"  # fmt: skip

Connect = Callable[[], AbstractContextManager[sa.Connection]]
# Tables that are moved, a connection to read them by and one to write them by.
Store = tuple[Sequence[sa.Table], Connect, Connect]


class HalfMoved(Unavailable):
    """Some of a history was copied before a database failed: the new one is to be emptied first."""


def move(source: Path, target: Path) -> dict[str, int]:
    """Copy everything from one folder with a `dagster.yaml` to another; returns rows by table.

    Raises:
        Refused: the target has a history, the source has none, or has runs that go on.
        HalfMoved: a database failed midway.
    """
    with opened(source) as old, opened(target) as new:
        return copied(old, new)


def copied(source: dg.DagsterInstance, target: dg.DagsterInstance) -> dict[str, int]:
    """The same of instances that are open. Every store is asked before one is written: each commits by itself.

    Raises:
        Refused: as `move` does.
        HalfMoved: it broke off midway.
    """
    if source.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY)):
        raise Refused("runs are under way: stop the platform and let them end, or cancel them")
    stores = list(_stores(source, target))
    _require_empty(stores)
    counted = _copied(stores)
    if not counted:
        raise Refused("the old instance has no history: name the folder that its dagster.yaml lies in")
    return counted


def _require_empty(stores: Iterable[Store]) -> None:
    for tables, _, write in stores:
        with write() as new:
            if rows.any_in(tables, new):
                raise Refused("the new instance has a history of its own: name one that is empty")


def _copied(stores: Iterable[Store]) -> dict[str, int]:
    counted: dict[str, int] = {}
    try:
        for tables, read, write in stores:
            with read() as old, write() as new:
                counted |= rows.copy(tables, old, new)
    except (sa.exc.SQLAlchemyError, DagsterPostgresException) as e:
        raise HalfMoved(f"the move broke off ({masked(str(e).splitlines()[0])}): {EMPTY_IT}") from e
    return counted


def _stores(source: dg.DagsterInstance, target: dg.DagsterInstance) -> Iterator[Store]:
    """The three stores of an instance."""
    for metadata, kind, name in (
        (RunStorageSqlMetadata, SqlRunStorage, "run_storage"),
        (SqlEventLogStorageMetadata, SqlEventLogStorage, "event_log_storage"),
        (ScheduleStorageSqlMetadata, SqlScheduleStorage, "schedule_storage"),
    ):
        old, new = getattr(source, name), getattr(target, name)
        if not isinstance(old, kind) or not isinstance(new, kind):
            raise Refused(f"the {name.replace('_', ' ')} of one of them is in no database")
        tables = [table for table in metadata.sorted_tables if table.name not in _NOT_MOVED]
        yield tables, _connect(old), _connect(new)


def _connect(store: SqlRunStorage | SqlEventLogStorage | SqlScheduleStorage) -> Connect:
    return store.index_connection if isinstance(store, SqlEventLogStorage) else store.connect


@contextmanager
def opened(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a folder: parts of ours look for themselves in the environment."""
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home.resolve())
    try:
        with dg.DagsterInstance.get() as instance:
            yield instance
    finally:
        os.environ.pop("DAGSTER_HOME")
        os.environ.update({} if before is None else {"DAGSTER_HOME": before})
