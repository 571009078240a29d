"""Checks of models that warn: whether what is followed still sees what it learnt from and does what it did, and what is offered too cheaply."""

from typing import TYPE_CHECKING

import dagster as dg

from polymarket_assets.partitions import HOUR, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, TrackingResource

if TYPE_CHECKING:
    from polymarket_assets.learning.promotion.reviewing import Review

# Dollars a share that an offer lies below what it is believed to be worth, after costs: worth a person's look.
LARGE_EDGE_USD = 0.05
# Features told of in a check: those that moved farthest.
_TOLD = 15


def _review(lake: LakeResource, tracking: TrackingResource, settings: SettingsResource) -> "Review":
    from polymarket_assets.learning.promotion.reviewing import Review
    from polymarket_assets.learning.tracking.registry import Registry

    address = tracking.address()
    return Review(lake.open(), Registry(address), address, utc_now(), tuple(settings.read().stream_tiers))


def _warned(passed: bool, said: str, **more: str) -> dg.AssetCheckResult:
    shown = {name: dg.MetadataValue.md(text) for name, text in more.items()}
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, description=said, metadata=shown)  # fmt: skip


@dg.asset_check(
    asset="promotion",
    description="The features that the followed model uses are, as recorded in the last week, distributed as in the recorded rows it learnt from: PSI and null rates.",
)
def features_as_learnt(lake: LakeResource, tracking: TrackingResource, settings: SettingsResource) -> dg.AssetCheckResult:  # fmt: skip
    """Of the champion; while that is the price, of the challenger."""
    review = _review(lake, tracking, settings)
    version = review.followed()
    if version is None:
        return _warned(True, "no model was trained yet")
    drifted = review.drifted(version)
    if not drifted:
        return _warned(True, f"{version.name}: {review.untold(version)}")  # fmt: skip
    moved = [one for one in drifted if one.is_moved or one.is_null_rate_moved]
    lines = [f"| {one.feature} | {one.psi:.3f} | {one.nulls_then:.1%} | {one.nulls_now:.1%} |" for one in drifted[:_TOLD]]  # fmt: skip
    table = "\n".join(["| feature | PSI | null then | null now |", "|---|---|---|---|", *lines])
    return _warned(
        not moved, f"{version.name}: {len(moved)} of {len(drifted)} features moved", farthest=table
    )


@dg.asset_check(
    asset="promotion",
    description="What the followed model gains live over the price, on predictions stored before the outcome, is what it gained out of fold.",
)
def live_as_out_of_fold(lake: LakeResource, tracking: TrackingResource, settings: SettingsResource) -> dg.AssetCheckResult:  # fmt: skip
    """Within both intervals together."""
    review = _review(lake, tracking, settings)
    version = review.followed()
    gap = review.gap(version) if version else None
    if version is None or gap is None:
        return _warned(
            True, "no prediction of a model has an outcome yet, or no row like it lies out of fold"
        )
    return _warned(gap.is_explained, f"{version.name}: {gap.said}")


@dg.asset_check(
    asset="paper_portfolio",
    partitions_def=HOUR,
    description=f"Nothing is offered for {100 * LARGE_EDGE_USD:.0f} cents a share less than a model believes it to be worth, costs and doubt taken off.",
)
def no_large_edge(lake: LakeResource) -> dg.AssetCheckResult:
    """A finding, not a fault: either an opportunity or a mistake of the model."""
    from polymarket_assets.learning import paper

    found = paper.edges(lake.open(), now=utc_now(), least=LARGE_EDGE_USD)
    said = "\n".join(f"- {edge}" for edge in found[:_TOLD])
    return _warned(not found, f"{len(found)} offers", **({"edges": said} if found else {}))


WARNINGS = [features_as_learnt, live_as_out_of_fold, no_large_edge]
