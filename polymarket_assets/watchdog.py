"""The watchdog: a run whose process is gone is failed, and a window without a sign of life; where none samples that should, one is started.

Schedules start windows at their ticks; this looks every twenty seconds at what became of them. What is failed for want
of a process, of whatever job, is told in `reaping`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus

from polymarket_assets import jobs, reaping, schedules
from polymarket_assets.collecting import accounts, heartbeats, slots
from polymarket_assets.collecting.accounts import LATE, TAKEN
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import hour_key, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets.tiers import TIERS, Tier

# Back within a minute whatever dies; a tick is a row of Dagster's history.
EVERY_S = 20
# Three heartbeats that did not come.
SILENT = timedelta(seconds=45)
# What a schedule and the run queue may take from a tick to a run.
SCHEDULED_WITHIN = timedelta(seconds=30)
# Between two runs for the rest of a window; after so many that ended at once, something is wrong that starting does not mend.
AGAIN, LATER = timedelta(seconds=20), timedelta(minutes=5)
AT_ONCE, QUICK_ENDS = timedelta(seconds=30), 3
# A listing is due every ten minutes; a first one is not waited for.
LISTED_WITHIN = timedelta(minutes=11)

_UNDER_WAY = [status for status in dg.DagsterRunStatus if status not in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)]  # fmt: skip
_WAITING = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING)
_MOST_RUNS = 100


@dg.sensor(
    jobs=[*jobs.WINDOWS.values(), jobs.DISCOVERY],
    minimum_interval_seconds=EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails runs whose process is gone and windows without a sign of life, and starts sampling and listing where nobody does.",
)
def watchdog(
    context: dg.SensorEvaluationContext, lake: LakeResource, settings: SettingsResource
) -> dg.SensorResult | dg.SkipReason:
    """Raises nothing for one tier that spares the others."""
    told = settings.read()
    if not told.watch_windows:
        reaping.reap(context.instance, told.state_dir, utc_now())
        return dg.SkipReason("WATCH_WINDOWS is off: nothing is started, only what is gone is failed")
    try:
        asked = list(look(context.instance, lake.open(), told.state_dir, utc_now()))
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    return dg.SensorResult(run_requests=asked) if asked else dg.SkipReason("every tier is sampled")


def look(
    instance: dg.DagsterInstance, lake: Lake, state_dir: Path | None, now: datetime
) -> Iterator[dg.RunRequest]:
    """Fail what is dead, and ask for what is missing."""
    reaping.reap(instance, state_dir, now)
    stopped = _stopped(instance)
    if "discovery" not in stopped and _is_unlisted(instance, now):
        yield _discovery(now)
    listed = schedules.any_listed(lake)
    for tier in TIERS:
        alive = _alive(instance, tier, state_dir, now)
        if listed and not alive and f"window_{tier.name}" not in stopped:
            yield from _missing(instance, lake, tier, now)


def _stopped(instance: dg.DagsterInstance) -> set[str]:
    """Schedules that a person switched off: what they start is not missed."""
    return {state.instigator_name for state in instance.all_instigator_state() if state.status is InstigatorStatus.STOPPED}  # fmt: skip


# --- the dead ---------------------------------------------------------------------------------------


def _alive(instance: dg.DagsterInstance, tier: Tier, state_dir: Path | None, now: datetime) -> list[str]:
    """The runs of a tier's windows that are under way and not dead; the dead are failed."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=f"window_{tier.name}", statuses=_UNDER_WAY), limit=_MOST_RUNS
    )
    alive = [record.dagster_run.run_id for record in records if not _is_dead(instance, record, tier, state_dir, now)]  # fmt: skip
    if state_dir is not None:
        for run_id in set(heartbeats.of(state_dir, tier.name)) - set(alive):
            # Not those of a window that a person started from another job.
            reaping.forget(instance, state_dir, tier.name, run_id)
    return alive


def _is_dead(
    instance: dg.DagsterInstance, record: dg.RunRecord, tier: Tier, state_dir: Path | None, now: datetime
) -> bool:
    """Whether a run gives no sign of life; then it is ended and failed."""
    run = record.dagster_run
    if state_dir is None or run.status not in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING):
        return False
    beat = heartbeats.read(state_dir, tier.name, run.run_id)
    # Without a sign of its window it has not begun, or has taken its last slot: then its process is what counts.
    why = reaping.why_gone(instance, record, state_dir, now) if beat is None else _silence(beat, now)
    if why is None:
        return False
    if beat is not None:
        beat.process.kill()
    return reaping.fail(instance, run.run_id, f"{why}; what is left of its window is started anew")


def _silence(beat: heartbeats.Heartbeat, now: datetime) -> str | None:
    """Why a window that left signs counts as dead; None while it does not."""
    if beat.process.is_gone:
        return "its process is gone, or was of an earlier boot"
    if now - beat.at <= SILENT:
        return None
    return f"no sign of life for {(now - beat.at).total_seconds():.0f} s"


# --- the missing ------------------------------------------------------------------------------------


def _missing(instance: dg.DagsterInstance, lake: Lake, tier: Tier, now: datetime) -> Iterator[dg.RunRequest]:
    """A run for the rest of a tier's window, where one is due and none of its runs is to be waited for."""
    tick = tick_of(tier, now)
    if now - tick < SCHEDULED_WITHIN or not _is_due(lake, tier, tick, now):
        return
    runs = instance.get_run_records(
        dg.RunsFilter(job_name=f"window_{tier.name}", created_after=tick), limit=_MOST_RUNS
    )
    if _is_to_wait(runs, now):
        return
    request = schedules.window_request(tier, tick)
    yield dg.RunRequest(
        run_key=f"{tier.name} {tick.isoformat()} {len(runs)}",
        job_name=f"window_{tier.name}",
        partition_key=request.partition_key,
        run_config=request.run_config,
        tags={"watchdog": f"the rest of {tick:%H:%M}"},
    )


def tick_of(tier: Tier, now: datetime) -> datetime:
    """The tick of the window that an instant lies in."""
    hour = hour_of(now)
    return hour + (now - hour) // tier.window * tier.window


def _is_due(lake: Lake, tier: Tier, tick: datetime, now: datetime) -> bool:
    """Whether a slot of the window is still to come, or the last one was not taken and can be, late."""
    grid = slots.grid(tier, slots.window(tier, hour_of(tick), tick, None))
    if grid and grid[-1] > now:
        return True
    late = [at for at in grid if at + tier.every > now]
    return bool(late) and not _is_taken(lake, tier, late[-1])


def _is_taken(lake: Lake, tier: Tier, slot_at: datetime) -> bool:
    account = accounts.read(lake, tier, slot_at)
    return account is not None and account.status in (TAKEN, LATE)


def _is_to_wait(runs: Sequence[dg.RunRecord], now: datetime) -> bool:
    """Whether the last run of a window was only just started, or ended by a person."""
    if not runs:
        return False
    last = max(runs, key=lambda record: record.create_timestamp)
    pause = AGAIN if sum(map(_ended_at_once, runs)) <= QUICK_ENDS else LATER
    return last.dagster_run.status is dg.DagsterRunStatus.CANCELED or now - last.create_timestamp.replace(tzinfo=UTC) < pause  # fmt: skip


def _ended_at_once(record: dg.RunRecord) -> bool:
    if record.start_time is None or record.end_time is None:
        return record.dagster_run.is_finished
    return record.end_time - record.start_time < AT_ONCE.total_seconds()


def _is_unlisted(instance: dg.DagsterInstance, now: datetime) -> bool:
    """Whether no listing began for longer than its schedule leaves, and none is next in its lane.

    One that waits is no listing, but a second one would only wait behind it: what is before it ends, by its own
    `dagster/max_runtime` at the latest.
    """
    records = instance.get_run_records(dg.RunsFilter(job_name="discovery"), limit=_MOST_RUNS)
    waits = any(record.dagster_run.status in _WAITING for record in records)
    return not waits and not any(now - began <= LISTED_WITHIN for began in map(_began, records))


def _began(record: dg.RunRecord) -> datetime:
    """When a run that does not wait any more was started; one that never was, when it was asked for."""
    if record.start_time is not None:
        return datetime.fromtimestamp(record.start_time, UTC)
    return record.create_timestamp.replace(tzinfo=UTC)


def _discovery(now: datetime) -> dg.RunRequest:
    key = f"discovery {now:%Y-%m-%d %H:%M}"
    return dg.RunRequest(run_key=key, job_name="discovery", partition_key=hour_key(now), tags={"watchdog": "listing"})  # fmt: skip


ALL = [watchdog]
