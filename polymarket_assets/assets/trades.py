"""The stream: hours the streamer sealed, declared as external assets, trades once each, healed, and the large ones."""

import dagster as dg

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    materialized,
    metadata,
    partition_metadata,
    run_span,
    told_plainly,
    venue_metadata,
)
from polymarket_assets.collecting import healing, whales
from polymarket_assets.partitions import HOUR, utc_now
from polymarket_assets.resources import LakeResource, VenueResource
from polymarket_assets.tiers import TIERS

# The streamer writes these and knows nothing of Dagster; the sensor `sealed_hours` reports them.
STREAMED: dict[str, str] = {
    "trades_raw": "Trades as heard on the socket.",
    "book_changes": "Changes of canonical books as heard on the socket.",
    "market_events": "Lifecycle messages: new markets, pushed resolutions, tick sizes.",
    "stream_gaps": "Intervals in which the streamer was deaf.",
}

SPECS = [
    dg.AssetSpec(
        name,
        partitions_def=HOUR,
        group_name="stream",
        kinds={"parquet"},
        owners=["team:collection"],
        description=f"{said} Written by the streamer, reported when an hour is sealed.",
    )
    for name, said in STREAMED.items()
]


@dg.asset(
    partitions_def=HOUR,
    deps=["trades_raw", "stream_gaps"],
    group_name="stream",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def trades(
    context: dg.AssetExecutionContext, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Trades of the hour, once each: heard on the socket, and over its gaps recovered from the Data API."""
    with asking(venue) as connected:
        opened, span = lake.open(), run_span(context)
        report = healing.build_trades(opened, connected.data, span.start, clock=utc_now)
        holds = partition_metadata(opened, "trades", span)
        return materialized(context, {**metadata(report), **holds, **venue_metadata(connected)})


@dg.asset(
    partitions_def=HOUR,
    deps=["trades", *(dg.AssetKey(["snapshots", tier.name]) for tier in TIERS)],
    group_name="stream",
    kinds={"python", "parquet"},
    owners=["team:collection"],
)
def whale_events(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """Large orders of takers in the hour, fills joined, beside the depth and the day's volume known before them."""
    with told_plainly():
        opened, span = lake.open(), run_span(context)
        report = whales.build_whales(opened, span.start)
        holds = partition_metadata(opened, "whale_events", span)
        return materialized(context, {**metadata(report), **holds})


ASSETS = [*SPECS, trades, whale_events]
