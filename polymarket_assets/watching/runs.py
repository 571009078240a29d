"""Runs: jobs whose last run failed, and how many runs wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.watching.findings import Event, Figure, Finding, Severity, Told, Watched, instant

if TYPE_CHECKING:
    import dagster as dg

# Of each job the newest runs that are over; those that will be retried do not count, and a run is retried a few times.
NEWEST = 20
# Further back a person has seen it, or never will.
LOOK_BACK = timedelta(days=7)
PARTITION = "dagster/partition"
WILL_RETRY = "dagster/will_retry"


def look(watched: Watched) -> Iterator[Told]:
    """Jobs whose last run failed, and the backlog. Raises `Unavailable` where the newest runs of a job do not tell."""
    import dagster as dg

    instance = watched.dagster
    waiting = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]))  # fmt: skip
    yield Figure("runs_waiting", "Runs in Dagster's queue.", waiting)
    if waiting > watched.settings.alert_backlog:
        text = f"{waiting:,} runs wait in the queue: look for a lane that is held, or a backfill that is too large"
        yield Finding("run_backlog", Severity.CRITICAL, watched.now, text, "/runs?view=queue")
    unsure = []
    for job in jobs():
        records = instance.get_run_records(_deciding(watched, job), limit=NEWEST)
        counting = [record for record in records if record.dagster_run.tags.get(WILL_RETRY) != "true"]
        yield from _last_failed(job, counting[:1])
        if not counting and len(records) == NEWEST:
            unsure.append(job)
    if unsure:
        raise Unavailable(f"the newest {NEWEST} runs of {', '.join(unsure)} will all be retried: how the last went is not known")  # fmt: skip


def failed(watched: Watched, back: timedelta, most: int) -> Iterator[Told]:
    """The newest runs that failed, those that are tried again too."""
    import dagster as dg

    wanted = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=watched.now - back)
    for record in watched.dagster.get_run_records(wanted, limit=most):
        run = record.dagster_run
        filed = f" of {run.tags[PARTITION]}" if PARTITION in run.tags else ""
        again = "; it is tried again" if run.tags.get(WILL_RETRY) == "true" else ""
        yield Event(f"run_failed:{run.run_id}", ended(record), f"{run.job_name}{filed} failed{again}", f"/runs/{run.run_id}")  # fmt: skip


@cache
def jobs() -> tuple[str, ...]:
    """Every job by name: each is asked about for itself, so that an outage of one does not push the others out of sight."""
    from polymarket_assets.definitions import defs

    return tuple(sorted(defs.get_repository_def().job_names))


def _deciding(watched: Watched, job: str) -> dg.RunsFilter:
    """Runs that are over; a window that is sampling has made up for one that failed. What waits says nothing."""
    import dagster as dg

    run = dg.DagsterRunStatus
    statuses = [run.SUCCESS, run.FAILURE, *([run.STARTED] if job.startswith("window_") else [])]
    # Records carry the wall's own time: a look may be as of another.
    return dg.RunsFilter(job_name=job, statuses=statuses, updated_after=watched.now - LOOK_BACK)


def _last_failed(job: str, last: Sequence[dg.RunRecord]) -> Iterator[Told]:
    import dagster as dg

    for record in last:
        run, since = record.dagster_run, ended(record)
        if run.status is dg.DagsterRunStatus.FAILURE:
            filed = f" of {run.tags[PARTITION]}" if PARTITION in run.tags else ""
            yield Finding(f"run_failed:{job}", Severity.WARNING, since, f"the last run of {job}{filed} failed", f"/runs/{run.run_id}", until=since + LOOK_BACK)  # fmt: skip


def ended(record: dg.RunRecord) -> datetime:
    """When a run was over."""
    if record.end_time is not None:
        return instant(record.end_time)
    return record.update_timestamp.replace(tzinfo=UTC)
