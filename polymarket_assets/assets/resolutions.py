"""How markets ended, with the evidence: a new version for every change of what is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from polymarket_assets.assets.running import (
    RETRY_VENUE,
    asking,
    materialized,
    metadata,
    stopped_for_good,
    told_plainly,
    venue_metadata,
)
from polymarket_assets.collecting import asking_times, label_census, resolving
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, VenueResource
from polymarket_assets.venue.errors import Unavailable

NAME = "resolutions"
# Longer than a run takes that asks about the most.
WAITS_S = 600.0
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


@contextmanager
def _alone(state_dir: Path | None) -> Iterator[None]:
    """Nobody else of this host looks at ends meanwhile, whoever started it: two looks would write the same next version. Raises `Unavailable`."""
    from filelock import FileLock, Timeout

    if state_dir is None:
        yield
        return
    state_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(state_dir / "resolving.lock")
    try:
        lock.acquire(timeout=WAITS_S)
    except Timeout as e:
        raise Unavailable(f"another run has asked how markets ended for {WAITS_S:.0f} s: what it leaves is due at the next look") from e  # fmt: skip
    try:
        yield
    finally:
        lock.release()


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
    with (
        stopped_for_good(),
        told_plainly(),
        _alone(venue.settings.read().state_dir),
        asking(venue) as connected,
    ):
        since = asking_times.through(config.SINCE) if config.SINCE else None
        opened = lake.open()
        report = resolving.resolve(opened, connected, clock=utc_now, since=since)
        census = label_census.markdown(label_census.census(opened, now=utc_now()))
        told = {"labels_so_far": dg.MetadataValue.md(census)}
        return materialized(context, {**metadata(report), **venue_metadata(connected), **told})


ASSETS = [resolutions]
