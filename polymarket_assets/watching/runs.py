"""Runs: jobs whose last run failed, partitions that nobody tried again, and how many runs wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched, instant

if TYPE_CHECKING:
    import dagster as dg

# Hundreds of windows a day: of each job the newest few are asked for, not all of a day.
NEWEST = 5
# A failed run that nobody tried again by now will not be tried by itself.
RETRIED_WITHIN = timedelta(minutes=30)
# Further back a person has seen it, or never will; more than this of one job is an outage, and told as one.
LOOK_BACK = timedelta(days=7)
MOST_FAILED = 300
PARTITION = "dagster/partition"
WILL_RETRY = "dagster/will_retry"
# What they would have recorded is over: trying again is refused.
_PASSING = ("window_", "discovery", "live")


def look(watched: Watched) -> Iterator[Told]:
    """Jobs whose last run failed, and the backlog."""
    import dagster as dg

    instance = watched.dagster
    waiting = instance.get_runs_count(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]))  # fmt: skip
    yield Figure("runs_waiting", "Runs in Dagster's queue.", waiting)
    if waiting > watched.settings.alert_backlog:
        text = f"{waiting:,} runs wait in the queue: look for a lane that is held, or a backfill that is too large"
        yield Finding("run_backlog", Severity.CRITICAL, watched.now, text, "/runs?view=queue")
    # A long outage of one job does not push the others out of sight: jobs that failed lately, then the newest runs of each.
    failed = instance.get_run_records(_failed(watched), limit=MOST_FAILED)
    for job in sorted({record.dagster_run.job_name for record in failed}):
        records = instance.get_run_records(dg.RunsFilter(job_name=job), limit=NEWEST)
        yield from _last_failed(job, records)


def _failed(watched: Watched) -> dg.RunsFilter:
    import dagster as dg

    # Records carry the wall's own time: a look may be as of another.
    return dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=watched.now - LOOK_BACK)


def _last_failed(job: str, records: Iterable[dg.RunRecord]) -> Iterator[Told]:
    """A job whose newest run that counts failed: a window that is sampling has made up for it, others when they have ended well."""
    import dagster as dg

    counting = [record for record in records if _counts(record, job)]
    if not counting or counting[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
        return
    run, since = counting[0].dagster_run, _ended(counting[0])
    filed = f" of {run.tags[PARTITION]}" if PARTITION in run.tags else ""
    yield Finding(f"run_failed:{job}", Severity.WARNING, since, f"the last run of {job}{filed} failed", f"/runs/{run.run_id}")  # fmt: skip


def _counts(record: dg.RunRecord, job: str) -> bool:
    import dagster as dg

    run = record.dagster_run
    if run.tags.get(WILL_RETRY) == "true":
        return False
    return run.status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE) or (
        job.startswith("window_") and run.status is dg.DagsterRunStatus.STARTED
    )


def partitions(watched: Watched) -> Iterator[Told]:
    """Failed partitions after which nobody tried the same again, one finding for each."""
    import dagster as dg

    instance = watched.dagster
    failed = instance.get_run_records(_failed(watched), limit=MOST_FAILED)
    newest: dict[tuple[str, str], dg.RunRecord] = {}
    for record in failed:
        run = record.dagster_run
        if PARTITION in run.tags and not run.job_name.startswith(_PASSING):
            newest.setdefault((run.job_name, run.tags[PARTITION]), record)
    for (job, partition), record in newest.items():
        if watched.now - _ended(record) < RETRIED_WITHIN:
            continue
        again = instance.get_run_records(dg.RunsFilter(job_name=job, tags={PARTITION: partition}), limit=1)
        if again and again[0].dagster_run.run_id == record.dagster_run.run_id:
            text = f"{job} of {partition} failed, and nobody tried it again: materialize that partition"
            yield Finding(f"partition_failed:{job}/{partition}", Severity.WARNING, _ended(record), text, f"/runs/{record.dagster_run.run_id}")  # fmt: skip


def _ended(record: dg.RunRecord) -> datetime:
    if record.end_time is not None:
        return instant(record.end_time)
    return record.update_timestamp.replace(tzinfo=UTC)
