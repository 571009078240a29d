"""Dagster's history: runs, events, partitions, results of checks, cursors and switches, pools.

Numbers of rows stay, since cursors of sensors and of conditions are numbers of events. What belongs to the database rather
than to its history, such as which migrations it has seen, is the new one's own. What runs printed is copied by whoever wants it.
"""

import os
from collections.abc import Callable, Iterator
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

from polymarket_assets.moving import rows
from polymarket_assets.venue.errors import Refused

# The database's own, or of processes that are gone.
_NOT_MOVED = {"secondary_indexes", "instance_info", "daemon_heartbeats", "alembic_version"}
_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]

Connect = Callable[[], AbstractContextManager[sa.Connection]]


def move(source: Path, target: Path) -> dict[str, int]:
    """Copy everything from one folder with a `dagster.yaml` to another; returns rows by table.

    Raises:
        Refused: the target has a history, the source has none, or has runs that go on.
    """
    with opened(source) as old, opened(target) as new:
        return copied(old, new)


def copied(source: dg.DagsterInstance, target: dg.DagsterInstance) -> dict[str, int]:
    """The same of instances that are open."""
    if source.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY)):
        raise Refused("runs are under way: stop the platform and let them end, or cancel them")
    counted: dict[str, int] = {}
    for metadata, read, write in _stores(source, target):
        tables = [table for table in metadata.sorted_tables if table.name not in _NOT_MOVED]
        with read() as old, write() as new:
            if rows.any_in(tables, new):
                raise Refused("the new instance has a history of its own: name one that is empty")
            counted |= rows.copy(tables, old, new)
    if not counted:
        raise Refused("the old instance has no history: name the folder that its dagster.yaml lies in")
    return counted


def _stores(source: dg.DagsterInstance, target: dg.DagsterInstance) -> Iterator[tuple[sa.MetaData, Connect, Connect]]:  # fmt: skip
    """The three stores of an instance: what they hold, and a connection to each of both."""
    for metadata, kind, name in (
        (RunStorageSqlMetadata, SqlRunStorage, "run_storage"),
        (SqlEventLogStorageMetadata, SqlEventLogStorage, "event_log_storage"),
        (ScheduleStorageSqlMetadata, SqlScheduleStorage, "schedule_storage"),
    ):
        old, new = getattr(source, name), getattr(target, name)
        if not isinstance(old, kind) or not isinstance(new, kind):
            raise Refused(f"the {name.replace('_', ' ')} of one of them is in no database")
        yield metadata, _connect(old), _connect(new)


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
