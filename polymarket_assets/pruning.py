"""Pruning of Dagster's own history (ARCHITECTURE, decision 15): runs that a later one of the same partition superseded, and what is not about assets.

Nothing in Dagster prunes the event log: a window run leaves 80 kB, a day some tens of megabytes. Deleting a run deletes
its materialisations, so the last successful run of each partition stays, and of it what the asset's pages show. Runs of
the last day, runs that are going, and runs that failed and were not made up for keep everything. What runs printed goes
with their log; where it lies in an object store, that store's own rules of age are for it.
"""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

# Logs of a day are looked at; those of the day before by nobody, if nothing failed.
LOGS_FOR = timedelta(hours=24)
# Jobs whose runs come all the time and whose partition, or whole, says the same after the last as after all of them.
PRUNED = ("window_t0", "window_t1", "window_t2", "window_t3", "window_t4", "discovery", "closed_hour", "hour_features", "resolving", "keeping", "census_day", "live", "following")  # fmt: skip
# Runs read, and rows deleted, at once: other processes write between two of them.
A_PAGE, AT_ONCE = 500, 200
MOST_PAGES = 2_000
# While we wait for readers, and while a file is rewritten, its writers wait for us: those of runs and ticks for the five
# seconds that are SQLite's own, those of events for the thirty that Dagster gives them. What takes longer is given up.
VACUUM_WAITS_S = 3.0
VACUUM_LASTS_S, OF_EVENTS_S = 3.0, 20.0
# Steps of SQLite between two looks at the clock: some milliseconds.
_LOOK_EVERY = 10_000
PARTITION = "dagster/partition"

log = logging.getLogger(__name__)

_Status = dg.DagsterRunStatus
FINISHED = (_Status.SUCCESS, _Status.FAILURE, _Status.CANCELED)
# What pages of assets, and the list of runs, are made of. Results of checks have a table of their own.
_KEPT_EVENTS = (
    "ASSET_MATERIALIZATION", "ASSET_OBSERVATION", "ASSET_FAILED_TO_MATERIALIZE",
    "PIPELINE_START", "PIPELINE_SUCCESS", "PIPELINE_FAILURE", "PIPELINE_CANCELED",
)  # fmt: skip


@dataclass(frozen=True)
class Pruned:
    """What a pruning did; bytes are of SQLite's files, 0 with another database."""

    runs_seen: int
    runs_deleted: int
    events_deleted: int
    # Runs whose printed output went.
    outputs_deleted: int
    bytes_before: int
    bytes_after: int


def prune(instance: dg.DagsterInstance, *, now: datetime) -> Pruned:
    """Drop what nobody needs any more, and give the space back."""
    files = list(_databases(instance))
    before = sum(map(_size, files))
    records = list(_finished(instance, before=now - LOGS_FOR))
    superseded = set(_superseded(records))
    kept = [record.dagster_run.run_id for record in records if record.dagster_run.run_id not in superseded and record.dagster_run.status is _Status.SUCCESS]  # fmt: skip
    # The runs last: where this is cut short, the next day finds them, and with them what they left.
    outputs = _drop_outputs(instance, [*superseded, *kept])
    events = _drop_events(instance, kept)
    _drop_results(instance, sorted(superseded))
    _drop_repeated_results(instance, before=now - LOGS_FOR)
    for run_id in superseded:
        instance.delete_run(run_id)
    for file in files:
        _vacuum(file)
    return Pruned(len(records), len(superseded), events, outputs, before, sum(map(_size, files)))


def _finished(instance: dg.DagsterInstance, *, before: datetime) -> Iterator[dg.RunRecord]:
    """Runs of the jobs that are pruned, ended before an instant, the newest first."""
    for job in PRUNED:
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            wanted = dg.RunsFilter(job_name=job, statuses=list(FINISHED), updated_before=before)
            page = instance.get_run_records(wanted, limit=A_PAGE, cursor=cursor)
            yield from page
            if len(page) < A_PAGE:
                break
            cursor = page[-1].dagster_run.run_id


def _superseded(records: Iterable[dg.RunRecord]) -> Iterator[str]:
    """Runs after which another of the same job and partition succeeded."""
    newest_first = sorted(records, key=lambda record: record.create_timestamp, reverse=True)
    made: set[tuple[str, str | None]] = set()
    for record in newest_first:
        run = record.dagster_run
        about = run.job_name, run.tags.get(PARTITION)
        if about in made:
            yield run.run_id
        elif run.status is _Status.SUCCESS:
            made.add(about)


def _drop_events(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> int:
    """Rows of the event log that are about no asset, of runs that went well."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    table, dropped = SqlEventLogStorageTable, 0
    for first in range(0, len(run_ids), AT_ONCE):
        kind = sa.func.coalesce(table.c.dagster_event_type, "")
        mine = table.c.run_id.in_(run_ids[first : first + AT_ONCE])
        with storage.index_connection() as connection:
            done = connection.execute(sa.delete(table).where(mine, kind.not_in(_KEPT_EVENTS)))
            dropped += max(0, done.rowcount)
    return dropped


def _drop_results(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> None:
    """Results of checks in runs that a later one superseded: Dagster leaves them, pointing to runs that are gone."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    _delete(storage, AssetCheckExecutionsTable.c.run_id, run_ids)


def _drop_repeated_results(instance: dg.DagsterInstance, *, before: datetime) -> None:
    """Results of checks that held, after which the same was asked of the same partition again: two jobs look at an hour's snapshots."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return
    table = AssetCheckExecutionsTable
    asked = table.c.asset_key, table.c.check_name, table.c.partition
    newest = sa.select(sa.func.max(table.c.id)).where(table.c.partition.is_not(None)).group_by(*asked)
    held = table.c.execution_status == AssetCheckExecutionRecordStatus.SUCCEEDED.value
    old = held, table.c.partition.is_not(None), table.c.create_timestamp < before.replace(tzinfo=None)
    with storage.index_connection() as connection:
        repeated = connection.execute(sa.select(table.c.id).where(*old, table.c.id.not_in(newest))).scalars().all()  # fmt: skip
    _delete(storage, table.c.id, repeated)


def _delete(storage: SqlEventLogStorage, column: sa.Column[Any], values: Sequence[object]) -> None:
    """The rows of a column's table with these values, some at once."""
    for first in range(0, len(values), AT_ONCE):
        with storage.index_connection() as connection:
            connection.execute(sa.delete(column.table).where(column.in_(values[first : first + AT_ONCE])))


def _drop_outputs(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> int:
    """Folders of what runs printed, where they are ours to remove."""
    manager, dropped = instance.compute_log_manager, 0
    if not isinstance(manager, LocalComputeLogManager):
        return 0
    for run_id in run_ids:
        folder = Path(manager.get_captured_local_path([run_id, "any"], "any")).parent
        if folder.is_dir():
            manager.delete_logs(prefix=[run_id])
            dropped += 1
    return dropped


# --- SQLite's files -----------------------------------------------------------------------------------


def _databases(instance: dg.DagsterInstance) -> Iterator[Path]:
    """The files of an instance that keeps its history in SQLite: events, runs, ticks."""
    root = Path(instance.root_directory)
    folders = {root, root / "history", root / "schedules", Path(getattr(instance.event_log_storage, "_base_dir", root))}  # fmt: skip
    for folder in sorted(folders):
        yield from sorted(folder.glob("*.db"))


def _size(file: Path) -> int:
    """A database with what SQLite keeps beside it."""
    return sum(os.path.getsize(part) for part in (file, Path(f"{file}-wal")) if part.exists())


def _vacuum(file: Path) -> None:
    """Give the space back; where somebody holds the file for long, or it takes long itself, the next day does, and the log says so."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(file, timeout=VACUUM_WAITS_S, isolation_level=None)) as connection:
        try:
            connection.execute("pragma wal_checkpoint(truncate)")
            until = time.monotonic() + (OF_EVENTS_S if file.name == "event_log.db" else VACUUM_LASTS_S)
            connection.set_progress_handler(lambda: time.monotonic() > until, _LOOK_EVERY)
            connection.execute("vacuum")
            connection.set_progress_handler(None, 0)
            connection.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError as e:
            log.warning("%s keeps its size until the next pruning: %s", file.name, e)


@dg.op(description="Drops runs that later ones superseded, and log lines that nobody reads any more.")
def prune_history(context: dg.OpExecutionContext) -> None:
    """Says in its metadata what was dropped and how large the databases are."""
    done = prune(context.instance, now=datetime.now(UTC))
    context.add_output_metadata({
        "runs_seen": done.runs_seen, "runs_deleted": done.runs_deleted, "events_deleted": done.events_deleted, "outputs_deleted": done.outputs_deleted,
        "bytes_before": done.bytes_before, "bytes_after": done.bytes_after,
    })  # fmt: skip


@dg.job(tags={"lane": "batch", "alone": "pruning", "dagster/priority": "-5"}, description="Daily: Dagster's own history, without what nobody needs.")  # fmt: skip
def pruning() -> None:
    """One step."""
    prune_history()


SCHEDULE = dg.ScheduleDefinition(
    name="pruning",
    job=pruning,
    cron_schedule="50 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every day at a quiet hour: Dagster's own history.",
)
