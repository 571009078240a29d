"""Features: markets at decision instants, as they could have been known then. Two assets fill one table."""

import dagster as dg

from polymarket_assets.assets.running import run_span, told_plainly, written_metadata
from polymarket_assets.lake.writing import Written
from polymarket_assets.partitions import DAY, HOUR, hour_key
from polymarket_assets.resources import LakeResource
from polymarket_assets.tiers import TIERS

_SNAPSHOTS = [dg.AssetKey(["snapshots", tier.name]) for tier in TIERS]


@dg.asset(
    partitions_def=HOUR,
    deps=["markets", *_SNAPSHOTS],
    group_name="features",
    kinds={"duckdb", "parquet"},
    owners=["team:learning"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def features(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Recorded markets at the instants of the decision grid that lie in the hour."""
    from polymarket_assets.learning import features as computing

    with told_plainly():
        opened = lake.open()
        for hour in run_span(context).hours():
            _report(context, hour_key(hour), computing.publish_recorded(opened, hour))
    return dg.MaterializeResult()


@dg.asset(
    partitions_def=DAY,
    deps=["history_markets", "history_prices"],
    group_name="features",
    kinds={"duckdb", "parquet"},
    owners=["team:learning"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def history_features(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Closed and imported markets at the instants of the decision grid that lie in the day; in the table `features`."""
    from polymarket_assets.learning import features as computing

    with told_plainly():
        opened, span = lake.open(), run_span(context)
        for day, written in zip(span.days(), computing.publish_history_days(opened, span), strict=True):
            _report(context, f"{day:%Y-%m-%d}", written)
    return dg.MaterializeResult()


def _report(context: dg.AssetExecutionContext, partition: str, written: Written) -> None:
    """What one partition of a range holds: a result would give all of them the same figures."""
    context.add_asset_metadata(written_metadata(written), partition_key=partition)


ASSETS = [features, history_features]
