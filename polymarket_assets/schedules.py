"""Schedules: what the clock starts. All are on by default; what reacts to events is in `sensors.py`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from polymarket_assets import jobs
from polymarket_assets.assets.collection import step_name
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import day_before, hour_before, hour_key
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets.tiers import TIERS, Tier

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# History features of a day need the prices of markets that close later; this long after it nearly all are in.
HISTORY_FEATURES_LAG = timedelta(days=14)


def _tick(context: dg.ScheduleEvaluationContext) -> datetime:
    return context.scheduled_execution_time.astimezone(UTC)


def any_listed(lake: Lake) -> bool:
    """Whether discovery ever found anything. Raises `LakeError` for a lake that cannot be read.

    Asked every twenty seconds: months of listings are not walked for it.
    """
    return lake.store.any("markets")


def _is_listed(lake: LakeResource) -> bool:
    """A lake that cannot be read is for the run to tell."""
    try:
        return any_listed(lake.open())
    except LakeError:
        return True


def window_request(tier: Tier, tick: datetime) -> dg.RunRequest:
    """A run over the window of a tick."""
    config = {"WINDOW_START": tick.isoformat(), "WINDOW_S": tier.window.total_seconds()}
    return dg.RunRequest(
        run_key=tick.isoformat(),
        partition_key=hour_key(tick),
        run_config={"ops": {step_name(tier): {"config": config}}},
    )


def _window_schedule(tier: Tier) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"window_{tier.name}",
        job=jobs.WINDOWS[tier.name],
        cron_schedule=tier.cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"A window of {tier.name.upper()} at every tick; it samples inside.",
    )
    def window(
        context: dg.ScheduleEvaluationContext, lake: LakeResource, settings: SettingsResource
    ) -> dg.RunRequest | dg.SkipReason:
        # One of ours would hold the tier for a quarter of an hour, and whoever starts windows by hand wait that long.
        if not settings.read().watch_windows:
            return dg.SkipReason("WATCH_WINDOWS is off: windows are started by hand")
        if not _is_listed(lake):
            return dg.SkipReason("no market is known yet: the watchdog samples as soon as one is")
        return window_request(tier, _tick(context))

    return window


def _partitioned(
    name: str, job: "UnresolvedAssetJobDefinition", cron: str, key: Callable[[datetime], str], said: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=said,
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        tick = _tick(context)
        return dg.RunRequest(run_key=tick.isoformat(), partition_key=key(tick))

    return schedule


ALL: list[dg.ScheduleDefinition] = [
    *(_window_schedule(tier) for tier in TIERS),
    _partitioned("discovery", jobs.DISCOVERY, "*/10 * * * *", hour_key, "Every ten minutes: what is listed."),
    # Seven minutes past: the streamer has sealed the hour, and the Data API, whose answers are up to five minutes old, knows
    # every block of it (`fetching.SETTLED_AFTER`). What comes later, the sensor `unsettled_hours` sees.
    _partitioned(
        "closed_hour", jobs.CLOSED_HOUR, "7 * * * *", hour_before, "The trades of the hour that just closed."
    ),
    _partitioned(
        "hour_features",
        jobs.HOUR_FEATURES,
        "9 * * * *",
        hour_before,
        "What the hour that just closed is worth, and its features.",
    ),
    _partitioned("closed_day", jobs.CLOSED_DAY, "20 1 * * *", day_before, "The day that just closed."),
    _partitioned(
        "day_features",
        jobs.DAY_FEATURES,
        "50 1 * * *",
        lambda tick: day_before(tick - HISTORY_FEATURES_LAG),
        "History features of the day two weeks ago, when the markets alive then have closed.",
    ),
    # When something is to be learnt the sensor `enough_to_learn` sees.
    dg.ScheduleDefinition(
        name="following",
        job=jobs.FOLLOWING,
        cron_schedule="10 5 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every day: whether the model that is followed may stay, and who may take its place.",
    ),
    dg.ScheduleDefinition(
        name="census_day",
        job=jobs.CENSUS,
        cron_schedule="35 4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every day at a quiet hour: everything that is open.",
    ),
    # After everything that reads the hour that just closed, and later than `lake.compacting.GRACE`.
    dg.ScheduleDefinition(
        name="keeping",
        job=jobs.KEEPING,
        cron_schedule="23 * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every hour: the lake looks after itself.",
    ),
]
