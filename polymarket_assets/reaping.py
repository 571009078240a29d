"""Reaping: a run whose process is gone is failed, whatever its job, so that its lane is free for the next.

Dagster notices a dead worker only while the code server that started it lives; after a reboot, or a restart of that
server, its runs stay "started" for an hour and hold their places in the queue. Here a run is known by what its process
left (`collecting.heartbeats`): machine, boot, number and birth, so that neither a later boot nor another process under
its number passes for it. A failed run is told by no more than that; whether it runs again is for its retries to say.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from polymarket_assets.collecting import heartbeats

# From a run's start to its first sign passes no second; three signs that did not come.
SIGNED_WITHIN = timedelta(seconds=45)
# Of another machine or container a process is known by its signs alone. They come every 15 s, of a thread of their own.
SILENT_ELSEWHERE = timedelta(minutes=2)
# The queue lets sixteen go at once.
MOST_RUNS = 100

_Status = dg.DagsterRunStatus


def reap(instance: dg.DagsterInstance, state_dir: Path | None, now: datetime) -> list[str]:
    """Fail the runs whose process is gone, and forget the signs of those that are over; returns the ids of what was failed."""
    if state_dir is None:
        return []
    # Runs that are only starting are left to Dagster (`start_timeout_seconds`): their process leaves no sign yet.
    records = instance.get_run_records(dg.RunsFilter(statuses=[_Status.STARTED]), limit=MOST_RUNS)
    reaped = [run_id for record in records if (run_id := _reaped(instance, record, state_dir, now)) is not None]  # fmt: skip
    for run_id in set(heartbeats.of(state_dir, heartbeats.RUNS)) - {r.dagster_run.run_id for r in records}:
        forget(instance, state_dir, heartbeats.RUNS, run_id)
    return reaped


def why_gone(
    instance: dg.DagsterInstance, record: dg.RunRecord, state_dir: Path, now: datetime
) -> str | None:
    """Why the process of a started run counts as gone; None while it does not."""
    run_id = record.dagster_run.run_id
    sign = heartbeats.newest(state_dir, run_id)
    if sign is None:
        late = now - record.update_timestamp.replace(tzinfo=UTC) > SIGNED_WITHIN
        return "its process never gave a sign of life" if late and not _is_told_of(instance, run_id) else None
    if sign.process.is_gone:
        return "its process is gone, or was of an earlier boot"
    silent = now - sign.at
    if not sign.process.is_here and silent > SILENT_ELSEWHERE:
        return f"no sign of life from {sign.process.host} for {silent.total_seconds():.0f} s"
    return None


def fail(instance: dg.DagsterInstance, run_id: str, why: str) -> bool:
    """Fail a run, unless it ended while it was looked at: a process that is gone may have succeeded just before."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return False
    instance.report_run_failed(run, why)
    return True


def forget(instance: dg.DagsterInstance, state_dir: Path, folder: str, run_id: str) -> None:
    """Take away the signs of a run that is over."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        heartbeats.forget(state_dir, folder, run_id)


def _reaped(instance: dg.DagsterInstance, record: dg.RunRecord, state_dir: Path, now: datetime) -> str | None:
    run_id = record.dagster_run.run_id
    why = why_gone(instance, record, state_dir, now)
    return run_id if why is not None and fail(instance, run_id, f"{why}; its place in the queue is free") else None  # fmt: skip


def _is_told_of(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a process that Dagster's own log names for a run is there: one started without `STATE_DIR`, or by an earlier version."""
    entries = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    told = [entry.dagster_event.engine_event_data.metadata.get("pid") for entry in entries if entry.dagster_event]  # fmt: skip
    return any(heartbeats.is_there(int(str(pid.value))) for pid in told if pid is not None)
