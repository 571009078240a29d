"""Sensors: what the platform notices without being asked. Each decides; the work lies in an asset.

Cadences of sampling are schedules and belong in `schedules.py`.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from polymarket_assets import jobs
from polymarket_assets.assets.trades import STREAMED
from polymarket_assets.lake import manifests
from polymarket_assets.lake.errors import LakeError
from polymarket_assets.lake.layout import folder
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR as ONE_HOUR
from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import HOUR, hour_key, utc_now
from polymarket_assets.resources import LakeResource

# After a longer outage of the daemon the hours before this are reported by hand (a backfill of `trades` finds them).
LOOK_BACK = timedelta(hours=48)
# How often ended markets are asked about: a run costs a few CPU-seconds.
RESOLVE_EVERY_S = 300
# A market is asked about this long after its effective close: the venue needs a moment to settle.
SETTLING = timedelta(seconds=30)


def sealed_since(
    lake: Lake, table: str, since: datetime, now: datetime
) -> list[tuple[datetime, manifests.Manifest]]:
    """The hours of a streamed table that were sealed after `since`, with their manifests, oldest first."""
    hours = (hour_of(now - LOOK_BACK) + ONE_HOUR * n for n in range(int(LOOK_BACK / ONE_HOUR) + 1))
    found = ((hour, manifests.read(lake.store, folder(TABLES[table], hour))) for hour in hours)
    return [
        (hour, manifest) for hour, manifest in found if manifest is not None and manifest.sealed_at > since
    ]


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
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reports the hours that the streamer sealed as materialisations of its tables.",
)
def sealed_hours(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.SensorResult | dg.SkipReason:
    """The cursor is the newest sealing that was reported, so an outage of the daemon loses none."""
    since = datetime.fromisoformat(context.cursor) if context.cursor else datetime.min.replace(tzinfo=UTC)
    try:
        opened, now = lake.open(), utc_now()
        found = [
            (table, hour, manifest)
            for table in STREAMED
            for hour, manifest in sealed_since(opened, table, since, now)
        ]
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    known = [item for item in found if HOUR.has_partition_key(hour_key(item[1]))]
    if not known:
        return dg.SkipReason("no hour was sealed since the last look")
    return dg.SensorResult(
        asset_events=[_event(*item) for item in known],
        cursor=max(manifest.sealed_at for _, _, manifest in known).isoformat(),
    )


@dg.sensor(
    job=jobs.RESOLVING,
    minimum_interval_seconds=RESOLVE_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a resolving run when markets have passed their effective close.",
)
def ended_markets(context: dg.SensorEvaluationContext, lake: LakeResource) -> dg.RunRequest | dg.SkipReason:
    """The cursor is the instant up to which closes were looked at."""
    from polymarket_assets.collecting import discovery

    until = utc_now() - SETTLING
    since = datetime.fromisoformat(context.cursor) if context.cursor else datetime.min.replace(tzinfo=UTC)
    try:
        closes = discovery.newest_markets(lake.open(), now=utc_now()).column("effective_close").to_pylist()
    except LakeError as e:
        return dg.SkipReason(f"the lake could not be read, nothing is concluded from that: {e}")
    ended = sum(since < close <= until for close in closes if close is not None)
    context.update_cursor(until.isoformat())
    if not ended:
        return dg.SkipReason("no market has passed its effective close since the last look")
    return dg.RunRequest(run_key=until.isoformat(), tags={"ended_markets": str(ended)})


ALL = [sealed_hours, ended_markets]
