"""`python -m polymarket_assets.instance_moving FROM TO`: Dagster's history from one instance to another, SQLite to Postgres above all.

FROM and TO are folders with a `dagster.yaml`. Dagster has one schema for all databases, so rows are copied as they are, table
by table; their numbers stay, since cursors of sensors and of conditions are numbers of events. What belongs to the database
rather than to its history, such as which migrations it has seen, is the new one's own. The platform must stand still
meanwhile; what runs printed is copied by whoever wants it (docs/production.md).
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.schedules.sql_schedule_storage import SqlScheduleStorage

from polymarket_assets.venue.errors import PolymarketError, Refused

# Rows of a kilobyte or several, read and written at once.
AT_ONCE = 1_000
# The database's own, or of processes that are gone.
_NOT_MOVED = {"secondary_indexes", "instance_info", "daemon_heartbeats", "alembic_version"}
_UNDER_WAY = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING]

Connect = Callable[[], AbstractContextManager[sa.Connection]]


@dataclass(frozen=True)
class Moved:
    """Rows by table, of those that had any."""

    rows: dict[str, int]


def move(source: dg.DagsterInstance, target: dg.DagsterInstance) -> Moved:
    """Copy everything. Raises `Refused` where the target has a history, the source has none, or has runs that go on."""
    if source.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY)):
        raise Refused("runs are under way: stop the platform and let them end, or cancel them")
    rows: dict[str, int] = {}
    for metadata, read, write in _stores(source, target):
        tables = [table for table in metadata.sorted_tables if table.name not in _NOT_MOVED]
        with read() as old, write() as new:
            known = set(sa.inspect(old).get_table_names())
            if any(
                new.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables
            ):
                raise Refused("the new instance has a history of its own: name one that is empty")
            for table in tables:
                if table.name in known and (copied := _copy(table, old, new)):
                    rows[table.name] = copied
    if not rows:
        raise Refused("the old instance has no history: name the folder that its dagster.yaml lies in")
    return Moved(rows)


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


def _copy(table: sa.Table, old: sa.Connection, new: sa.Connection) -> int:
    """All rows of a table; returns how many."""
    there = {column["name"] for column in sa.inspect(old).get_columns(table.name)}
    columns = [column for column in table.columns if column.name in there]
    read, copied = old.execution_options(yield_per=AT_ONCE).execute(sa.select(*columns)), 0
    for some in read.mappings().partitions(AT_ONCE):
        new.execute(sa.insert(table), [dict(row) for row in some])
        copied += len(some)
    if copied:
        _count_on(table, new)
    return copied


def _count_on(table: sa.Table, new: sa.Connection) -> None:
    """Where a database counts rows by a sequence, the next number follows the last that was copied."""
    numbered = table.autoincrement_column
    if numbered is None or new.dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, numbered.name)
    new.execute(sa.select(sa.func.setval(sequence, sa.select(sa.func.max(numbered)).scalar_subquery())))


@contextmanager
def _opened(home: Path) -> Iterator[dg.DagsterInstance]:
    """The instance of a folder: parts of ours look for themselves in the environment."""
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home.resolve())
    try:
        with dg.DagsterInstance.get() as instance:
            yield instance
    finally:
        os.environ.pop("DAGSTER_HOME")
        os.environ.update({} if before is None else {"DAGSTER_HOME": before})


def main() -> int:
    """Move, and say what; one sentence and 1 where it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m polymarket_assets.instance_moving", description="Copy Dagster's history from one instance to another, which must be empty.")  # fmt: skip
    parser.add_argument("source", type=Path, help="folder with a dagster.yaml, as data/dagster")
    parser.add_argument("target", type=Path, help="folder with a dagster.yaml, as deploy")
    asked = parser.parse_args()
    try:
        with _opened(asked.source) as source, _opened(asked.target) as target:
            moved = move(source, target)
    except PolymarketError as e:
        print(f"instance_moving: {e}", file=sys.stderr)
        return 1
    print("moved " + (", ".join(f"{count:,} {table}" for table, count in moved.rows.items()) or "nothing"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
