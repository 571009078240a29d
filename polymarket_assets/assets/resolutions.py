"""How markets ended, with the evidence: a new version for every change of what is known."""

import dagster as dg

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    metadata,
    stopped_for_good,
    venue_metadata,
)
from polymarket_assets.collecting import resolving
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, VenueResource


@dg.asset(
    deps=["markets", "history_markets"],
    group_name="labels",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def resolutions(
    context: dg.AssetExecutionContext, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Every market past its effective close, asked about until its end is final; a label only where the strict rule speaks."""
    with stopped_for_good(), asking(venue) as connected:
        report = resolving.resolve(lake.open(), connected, clock=utc_now)
        return dg.MaterializeResult(metadata={**metadata(report), **venue_metadata(connected)})


ASSETS = [resolutions]
