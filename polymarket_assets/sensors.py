"""Sensors: what the platform notices without being asked. Each decides; the work lies in an asset.

Cadences of sampling are schedules and belong in `schedules.py`.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from polymarket_assets import jobs
from polymarket_assets.assets.resolutions import NAME as RESOLUTIONS
from polymarket_assets.assets.resolutions import asked_through
from polymarket_assets.assets.trades import STREAMED
from polymarket_assets.lake import manifests
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.layout import folder
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR as ONE_HOUR
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.live import FILED_S
from polymarket_assets.partitions import HOUR, hour_key, utc_now
from polymarket_assets.resources import LakeResource
from polymarket_assets.tiers import TIERS

if TYPE_CHECKING:
    from polymarket_assets.collecting.candidates import Due

# After a longer outage of the daemon the hours before this are reported by hand (a backfill of `trades` finds them).
LOOK_BACK = timedelta(hours=48)
# An hour is sealed some minutes after it is over, and nothing waits for the report; a tick is a kilobyte of Dagster's history.
SEALED_EVERY_S = 120
# How often is looked whether ended markets are due: a run costs a few CPU-seconds.
RESOLVE_EVERY_S = 300
# How often hours are looked at that something came to later, and how many are built again at one look: those of a day
# without the streamer or the Data API. They wait behind everything that cannot be done later.
UNSETTLED_EVERY_S = 300
MOST_UNSETTLED = 24
_LATER = {"dagster/priority": "-5"}
# How often is looked whether windows are over, and how far apart models are asked at least: windows last a quarter of an hour.
LIVE_LOOK_S = 60
LIVE_APART = timedelta(minutes=10)
SCORED = tuple(dg.AssetKey(["snapshots", tier.name]) for tier in TIERS if tier.name != "t0")
# How often is looked whether there is enough to learn from: it reads the resolutions since the last training.
LEARN_LOOK_S = 1_800
LEARN_AGAIN = timedelta(days=1)


def sealed(lake: Lake, now: datetime) -> dict[str, tuple[str, datetime, manifests.Manifest]]:
    """The manifests of the streamed tables' hours of `LOOK_BACK`, oldest first, each with its table and hour, by name."""
    hours = [hour_of(now - LOOK_BACK) + ONE_HOUR * n for n in range(int(LOOK_BACK / ONE_HOUR) + 1)]
    found = (
        (table, hour, manifests.read(lake.store, folder(TABLES[table], hour)))
        for hour in hours
        if HOUR.has_partition_key(hour_key(hour))
        for table in STREAMED
    )
    return {
        f"{table}/{hour_key(hour)}": (table, hour, held) for table, hour, held in found if held is not None
    }


def _event(table: str, hour: datetime, manifest: manifests.Manifest) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=table,
        partition=hour_key(hour),
        metadata={
            "dagster/partition_row_count": manifest.rows,
            "bytes": sum(file.bytes for file in manifest.files),
            "gaps": manifest.gaps,
            "sealed_at": dg.MetadataValue.timestamp(manifest.sealed_at),
        },
    )


@dg.sensor(
    minimum_interval_seconds=SEALED_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the hours that the streamer sealed as materialisations of its tables.",
)
def sealed_hours(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SensorResult | dg.SkipReason:
    """The cursor holds the sealing that was last reported of each table's hours: one seal writes its manifests one after
    another, all with the same instant, and a look may come between them."""
    reported = _reported(context.cursor)
    try:
        found = sealed(lake.open(), utc_now())
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    news = {name: item for name, item in found.items() if reported.get(name) != item[2].sealed_at.isoformat()}
    if not news:
        return dg.SkipReason("no hour was sealed since the last look")
    return dg.SensorResult(
        asset_events=[_event(*item) for item in news.values()],
        cursor=json.dumps({name: held.sealed_at.isoformat() for name, (_, _, held) in found.items()}),
    )


def _reported(cursor: str | None) -> dict[str, str]:
    try:
        held = json.loads(cursor or "{}")
    except json.JSONDecodeError:
        return {}
    return held if isinstance(held, dict) else {}


@dg.sensor(
    job=jobs.RESOLVING,
    minimum_interval_seconds=RESOLVE_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a resolving run when markets are due: soon after they ended, ever more seldom while that is not final, and a few times after.",
)
def ended_markets(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """Past the effective close, closed by the venue, said to be resolved, or of the past: what became due since the last run asked."""
    from polymarket_assets.collecting import asking_times, candidates

    if under_way := context.instance.get_run_ids(_RESOLVING_NOW, limit=1):
        return dg.SkipReason(f"run {under_way[0]} is asking already")
    now, since = utc_now(), asked_through(context.instance)
    try:
        due = candidates.due(lake.open(), now=now, since=asking_times.through(since) if since else None)
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    if not due.asked:
        return dg.SkipReason(_none_due(due))
    count = len(due.asked) + due.left
    return dg.RunRequest(
        run_key=now.isoformat(),
        run_config={"ops": {RESOLUTIONS: {"config": {"SINCE": since}}}},
        tags={"ended_markets": f"{count} due, {due.waiting} later"},
    )


_OVER = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_RESOLVING_NOW = dg.RunsFilter(
    job_name=jobs.RESOLVING.name, statuses=[status for status in dg.DagsterRunStatus if status not in _OVER]
)


def _none_due(due: "Due") -> str:
    if due.next_at is None:
        return "no market has ended whose end is not settled"
    return f"{due.waiting} markets are not settled, or settled lately: the next is due at {due.next_at:%Y-%m-%d %H:%M} UTC"


@dg.sensor(
    job=jobs.CLOSED_HOUR,
    minimum_interval_seconds=UNSETTLED_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Builds an hour's trades again when gaps or messages of it were recorded later, and while it is not healed.",
)
def unsettled_hours(
    context: dg.SensorEvaluationContext, lake: LakeResource
) -> dg.SensorResult | dg.SkipReason:
    """A run for each hour and build at most once an hour: one that fails before it builds is not asked for at every look."""
    from polymarket_assets.collecting import trade_hours

    now = utc_now()
    try:
        found = [
            h for h in trade_hours.unsettled(lake.open(), now=now) if HOUR.has_partition_key(hour_key(h.hour))
        ]
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    if not found:
        return dg.SkipReason("every hour's trades are built from all that is known")
    asked = [
        dg.RunRequest(
            run_key=f"{hour_key(h.hour)} {h.built_at} {hour_key(now)}",
            partition_key=hour_key(h.hour),
            tags={"unsettled": h.why, **_LATER},
        )
        for h in found[:MOST_UNSETTLED]
    ]
    return dg.SensorResult(run_requests=asked)


@dg.sensor(
    job=jobs.LIVE,
    minimum_interval_seconds=LIVE_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks models about the newest snapshots once the windows of a quarter hour are over.",
)
def windows_over(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """The cursor is when it was asked for last: windows of four tiers end together, and one run speaks of all their snapshots."""
    now = utc_now()
    since = datetime.fromisoformat(context.cursor) if context.cursor else None
    if since and now - since < LIVE_APART:
        return dg.SkipReason(f"asked at {since:%H:%M}")
    newest = max((at for key in SCORED if (at := _materialised_at(context.instance, key))), default=None)
    if newest is None or (since and newest <= since):
        return dg.SkipReason("no window of T1 … T4 is over since the last look")
    if not _materialised_at(context.instance, dg.AssetKey("model")):
        return dg.SkipReason("there is no model to ask yet")
    context.update_cursor(now.isoformat())
    # Windows end with an hour; what is said after them is as of an instant before that end.
    return dg.RunRequest(run_key=now.isoformat(), partition_key=hour_key(now - timedelta(seconds=FILED_S)))


@dg.sensor(
    job=jobs.LEARNING,
    minimum_interval_seconds=LEARN_LOOK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Trains again when enough groups were decided since the last training, and once a month at least.",
)
def enough_to_learn(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """A training that failed is asked for again a day later: what it lacked may have come."""
    from polymarket_assets.learning import due

    now = utc_now()
    asked = datetime.fromisoformat(context.cursor) if context.cursor else None
    if asked and now - asked < LEARN_AGAIN:
        return dg.SkipReason(f"asked at {asked:%Y-%m-%d %H:%M} UTC")
    try:
        found = due.found(
            lake.open(), trained_at=_materialised_at(context.instance, dg.AssetKey("model")), now=now
        )
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    if not found.is_due:
        return dg.SkipReason(found.said)
    context.update_cursor(now.isoformat())
    return dg.RunRequest(run_key=now.isoformat(), tags={"learning": found.said})


def _materialised_at(instance: dg.DagsterInstance, key: dg.AssetKey) -> datetime | None:
    event = instance.get_latest_materialization_event(key)
    return datetime.fromtimestamp(event.timestamp, UTC) if event else None


ALL = [sealed_hours, ended_markets, unsettled_hours, windows_over, enough_to_learn]
