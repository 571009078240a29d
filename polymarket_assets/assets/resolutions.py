"""How markets ended, with the evidence: a new version for every change of what is known."""

import dagster as dg

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    materialized,
    metadata,
    stopped_for_good,
    venue_metadata,
)
from polymarket_assets.collecting import asking_times, label_census, resolving
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, VenueResource

NAME = "resolutions"
# Metadata of a run: where the next one begins.
ASKED_THROUGH = "asked_through"


class ResolveConfig(dg.Config):
    """Whom a run asks about; by default every market whose end is not settled."""

    SINCE: str | None = None  # what became due since then: the `asked_through` of the run before


def asked_through(instance: dg.DagsterInstance) -> str | None:
    """Until where the last run that succeeded asked; None: nobody knows."""
    event = instance.get_latest_materialization_event(dg.AssetKey(NAME))
    told = event.asset_materialization.metadata if event and event.asset_materialization else {}
    said = told.get(ASKED_THROUGH)
    return said.value if isinstance(said, dg.TextMetadataValue) else None


@dg.asset(
    name=NAME,
    deps=["markets", "history_markets"],
    group_name="labels",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    retry_policy=RETRY_VENUE,
)
def resolutions(
    context: dg.AssetExecutionContext, config: ResolveConfig, lake: LakeResource, venue: VenueResource
) -> dg.MaterializeResult:
    """Every market past its effective close, asked about until its end is final and a few times after; a label only where the strict rule speaks."""
    with stopped_for_good(), asking(venue) as connected:
        since = asking_times.through(config.SINCE) if config.SINCE else None
        opened = lake.open()
        report = resolving.resolve(opened, connected, clock=utc_now, since=since)
        census = label_census.markdown(label_census.census(opened, now=utc_now()))
        told = {"labels_so_far": dg.MetadataValue.md(census)}
        return materialized(context, {**metadata(report), **venue_metadata(connected), **told})


ASSETS = [resolutions]
