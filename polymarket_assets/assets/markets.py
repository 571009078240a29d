"""What is listed: discovery writes the changes of every market's metadata."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    materialized,
    metadata,
    partition_metadata,
    refuse_past,
    run_span,
    venue_metadata,
)
from polymarket_assets.collecting import census as counting
from polymarket_assets.collecting import discovery
from polymarket_assets.partitions import HOUR, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, VenueResource
from polymarket_assets.tiers import RANK_AFTER_TIERS


@dg.asset(
    partitions_def=HOUR,
    group_name="discovery",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
    # It comes every ten minutes.
    freshness_policy=dg.FreshnessPolicy.time_window(
        fail_window=timedelta(minutes=35), warn_window=timedelta(minutes=15)
    ),
)
def markets(
    context: dg.AssetExecutionContext, lake: LakeResource, venue: VenueResource, settings: SettingsResource
) -> dg.MaterializeResult:
    """Changes of market metadata as discovery sees them: what may enter the tiers, nothing that reveals an outcome."""
    with asking(venue, RANK_AFTER_TIERS) as connected:
        refuse_past(context, "closed markets come from history_markets")
        opened = lake.open()
        report = discovery.discover(opened, connected.gamma, settings.read(), clock=utc_now)
        holds = partition_metadata(opened, "markets", run_span(context))
        return materialized(context, {**metadata(report), **holds, **venue_metadata(connected)})


@dg.asset(
    group_name="discovery",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
    check_specs=[
        dg.AssetCheckSpec("walk_is_complete", asset="census", description="The venue listed everything.")
    ],
)
def census(
    context: dg.AssetExecutionContext, lake: LakeResource, venue: VenueResource, settings: SettingsResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Everything that is open, once a day; every market ever seen stays with its fate. Only changes are stored."""
    with asking(venue) as connected:
        report = counting.take(lake.open(), connected.gamma, settings.read(), clock=utc_now)
        yield materialized(context, {**metadata(report), **venue_metadata(connected)})
        yield dg.AssetCheckResult(
            passed=report.complete, check_name="walk_is_complete", severity=dg.AssetCheckSeverity.WARN, metadata=metadata(report)
        )  # fmt: skip


ASSETS = [markets, census]
