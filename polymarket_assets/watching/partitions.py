"""Partitions: those whose run failed and that nobody made since, by what was materialised after that run was planned.

However it is made again: by the same job, from the asset's page, or by a backfill. What another run of the same partition
made of other assets ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.watching import runs
from polymarket_assets.watching.findings import Finding, Severity, Told, Watched
from polymarket_assets.watching.runs import LOOK_BACK, PARTITION

if TYPE_CHECKING:
    import dagster as dg

# A failed run that nobody tried again by now will not be tried by itself.
RETRIED_WITHIN = timedelta(minutes=30)
# More than this of one job is an outage: the newest are told, and that there are more.
MOST_FAILED = 300
# Runs of one partition that wait or go on: one of each of some jobs.
MOST_UNDER_WAY = 50
# What they would have recorded is over: trying again is refused.
_PASSING = ("window_", "discovery", "live")
# Dagster's job for what is started from an asset's page: one name for whatever assets.
_ANY_ASSETS = "__ASSET_JOB"


@dataclass(frozen=True)
class Failed:
    """A failed run of a partition, and which event planned each of its assets."""

    run: dg.DagsterRun
    ended_at: datetime
    planned: Mapping[dg.AssetKey, int]

    @property
    def partition(self) -> str:
        """Its key."""
        return self.run.tags[PARTITION]


def look(watched: Watched) -> Iterator[Told]:
    """One finding for each partition. Raises `Unavailable` where more failed than are looked at."""
    beyond = []
    for job in runs.jobs():
        if job.startswith(_PASSING):
            continue
        records = watched.dagster.get_run_records(_failures(watched, job), limit=MOST_FAILED)
        yield from _left(watched, job, records)
        if len(records) == MOST_FAILED:
            beyond.append(job)
    if beyond:
        raise Unavailable(f"{MOST_FAILED} runs or more of {', '.join(beyond)} failed within {LOOK_BACK.days} days: older ones are not looked at")  # fmt: skip


def _failures(watched: Watched, job: str) -> dg.RunsFilter:
    import dagster as dg

    return dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.FAILURE], updated_after=watched.now - LOOK_BACK)  # fmt: skip


def _left(watched: Watched, job: str, records: Iterable[dg.RunRecord]) -> Iterator[Told]:
    newest: dict[str, dg.RunRecord] = {}
    for record in records:
        if PARTITION in record.dagster_run.tags:
            newest.setdefault(_key(record.dagster_run), record)
    failed = [_failed(watched, one) for one in newest.values() if watched.now - runs.ended(one) >= RETRIED_WITHIN]  # fmt: skip
    made = _made(watched, failed)
    for one in failed:
        unmade = {asset for asset, planned in one.planned.items() if made[asset].get(one.partition, 0) < planned}  # fmt: skip
        if unmade and not _is_under_way(watched, one, unmade):
            named = ", ".join(sorted(asset.to_user_string() for asset in unmade))
            text = f"{job} of {one.partition} failed, and nobody made {named} of it since: materialize that partition"
            yield Finding(f"partition_failed:{_key(one.run)}", Severity.WARNING, one.ended_at, text, f"/runs/{one.run.run_id}", until=one.ended_at + LOOK_BACK)  # fmt: skip


def _key(run: dg.DagsterRun) -> str:
    """Job and partition; where the job says nothing of the assets, they do."""
    assets = sorted(asset.to_user_string() for asset in run.asset_selection or ())
    named = [",".join(assets)] if run.job_name == _ANY_ASSETS else []
    return "/".join([run.job_name, *named, run.tags[PARTITION]])


def _failed(watched: Watched, record: dg.RunRecord) -> Failed:
    import dagster as dg

    run = record.dagster_run
    found = watched.dagster.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED)  # fmt: skip
    events = [(entry.event_log_entry.dagster_event, entry.storage_id) for entry in found.records]
    return Failed(run, runs.ended(record), {event.asset_key: number for event, number in events if event and event.asset_key})  # fmt: skip


def _made(watched: Watched, failed: Iterable[Failed]) -> dict[dg.AssetKey, Mapping[str, int]]:
    """Of each asset, which event materialised each partition last; one question an asset, however many partitions."""
    import dagster as dg

    wanted: dict[dg.AssetKey, set[str]] = {}
    for one in failed:
        for asset in one.planned:
            wanted.setdefault(asset, set()).add(one.partition)
    log, made = watched.dagster.event_log_storage, dg.DagsterEventType.ASSET_MATERIALIZATION
    return {asset: log.get_latest_storage_id_by_partition(asset, made, partitions) for asset, partitions in wanted.items()}  # fmt: skip


def _is_under_way(watched: Watched, failed: Failed, unmade: set[dg.AssetKey]) -> bool:
    """Whether a run waits or goes on that will make some of what is missing."""
    import dagster as dg
    from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

    wanted = dg.RunsFilter(tags={PARTITION: failed.partition}, statuses=NOT_FINISHED_STATUSES)
    going = watched.dagster.get_runs(wanted, limit=MOST_UNDER_WAY)
    return any(run.asset_selection & unmade if run.asset_selection else run.job_name == failed.run.job_name for run in going)  # fmt: skip
