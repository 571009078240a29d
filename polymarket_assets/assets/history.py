"""The past as it can still be fetched: closed markets and their prices, by UTC day of close."""

import dagster as dg

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    metadata,
    partition_metadata,
    run_span,
    venue_metadata,
)
from polymarket_assets.collecting import history
from polymarket_assets.partitions import DAY, utc_now
from polymarket_assets.resources import LakeResource, VenueResource

# One line in the run's log per this many markets: enough to see it move, few enough to store.
LOG_EVERY = 50


@dg.asset(
    partitions_def=DAY,
    group_name="history",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def history_markets(
    context: dg.AssetExecutionContext, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Markets that closed on the day, without anything that reveals how."""
    with asking(venue) as connected:
        opened, span = lake.open(), run_span(context)
        report = history.fetch_markets(opened, connected.gamma, span.start.date(), clock=utc_now)
        holds = partition_metadata(opened, "history_markets", span)
        return dg.MaterializeResult(metadata={**metadata(report), **holds, **venue_metadata(connected)})


@dg.asset(
    partitions_def=DAY,
    deps=[history_markets],
    group_name="history",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def history_prices(
    context: dg.AssetExecutionContext, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Prices of those markets up to their close; the settlement is no price."""

    def on_market(done: int, due: int) -> None:
        if done % LOG_EVERY == 0 or done == due:
            context.log.info(f"prices of {done} of {due} markets")

    with asking(venue) as connected:
        opened, span = lake.open(), run_span(context)
        report = history.fetch_prices(
            opened, connected.data, span.start.date(), clock=utc_now, on_market=on_market
        )
        holds = partition_metadata(opened, "history_prices", span)
        return dg.MaterializeResult(metadata={**metadata(report), **holds, **venue_metadata(connected)})


ASSETS = [history_markets, history_prices]
