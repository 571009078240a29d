"""The past as it can still be fetched: closed markets, their prices and their trades, by UTC day of close."""

import itertools
from collections.abc import Callable
from typing import Any

import dagster as dg
from pydantic import Field

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    asking_by_many,
    materialized,
    metadata,
    partition_metadata,
    run_span,
    stopped_for_good,
    venue_metadata,
)
from polymarket_assets.collecting import history
from polymarket_assets.collecting.history.asking import CONNECTIONS
from polymarket_assets.partitions import DAY, utc_now
from polymarket_assets.resources import LakeResource, VenueResource

# One line in the run's log per this many markets: enough to see it move, few enough to store.
LOG_EVERY = 50
# The same of pages of the catalogue, a hundred markets each.
PAGES_A_LINE = 20

# What fetches one table of a day.
Fetch = Callable[..., Any]


class HistoryConfig(dg.Config):
    """Which of a day's markets are asked about: by default all that `history_markets` holds."""

    LEAST_VOLUME_USD: float = Field(0.0, ge=0, allow_inf_nan=False)  # dollars traded in a market's life


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
    pages = itertools.count(1)

    def on_page(listed: int, found: int) -> None:
        if next(pages) % PAGES_A_LINE == 0:
            context.log.info(f"history_markets: {found} markets of the day among {listed} listed")

    with stopped_for_good(), asking(venue) as connected:
        opened, span = lake.open(), run_span(context)
        report = history.fetch_markets(
            opened, connected.gamma, span.start.date(), clock=utc_now, on_page=on_page
        )
        holds = partition_metadata(opened, "history_markets", span)
        return materialized(context, {**metadata(report), **holds, **venue_metadata(connected)})


@dg.asset(
    partitions_def=DAY,
    deps=[history_markets],
    group_name="history",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def history_prices(
    context: dg.AssetExecutionContext, config: HistoryConfig, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Prices of those markets up to their close; the settlement is no price."""
    return _fetched(context, config, lake, venue, "history_prices", history.fetch_prices)


@dg.asset(
    partitions_def=DAY,
    deps=[history_markets],
    group_name="history",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def history_trades(
    context: dg.AssetExecutionContext, config: HistoryConfig, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Takers' trades of those markets, as far back as the venue shows them; fetched on request only."""
    return _fetched(context, config, lake, venue, "history_trades", history.fetch_trades)


def _fetched(
    context: dg.AssetExecutionContext, config: HistoryConfig, lake: LakeResource, venue: VenueResource, table: str, fetch: Fetch
) -> dg.MaterializeResult:  # fmt: skip
    """A day of a table that the Data API is asked about, market by market."""

    def on_market(done: int, due: int) -> None:
        if done % LOG_EVERY == 0 or done == due:
            context.log.info(f"{table}: {done} of {due} markets")

    with stopped_for_good(), asking_by_many(venue, CONNECTIONS) as connected:
        opened, span = lake.open(), run_span(context)
        generation = connected.data_generation()
        report = fetch(
            opened, [each.data for each in connected.venues], span.start.date(), clock=utc_now,
            least_volume_usd=config.LEAST_VOLUME_USD, on_market=on_market,
        )  # fmt: skip
        holds = partition_metadata(opened, table, span)
        told = metadata(report, generation=generation)
        return materialized(context, {**told, **holds, **venue_metadata(connected)})


ASSETS = [history_markets, history_prices, history_trades]
