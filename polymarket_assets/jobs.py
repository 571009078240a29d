"""Jobs: named selections with the tags that queue limits read. Hourly, daily and unpartitioned never mix."""

from typing import TYPE_CHECKING

import dagster as dg

from polymarket_assets import tier_checks
from polymarket_assets.assets.collection import keys
from polymarket_assets.partitions import DAY, HOUR
from polymarket_assets.tiers import TIERS, Tier

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# A window run may outlive its window by its start and its last answers, no more.
WINDOW_GRACE_S = 120

# The nearest tier starts first: its first slot comes soonest.
_PRIORITY = {tier.name: str(10 + number) for number, tier in enumerate(TIERS)}

# A listing of what may enter the tiers takes a minute; one of an hour ago would keep the next out of its lane.
DISCOVERY_LASTS_S = 900

# In the lane of two an hour that just closed goes before what a person asked for of the past: queues know no due date.
_CLOSED_HOUR, _HOUR_FEATURES = {"dagster/priority": "3"}, {"dagster/priority": "2"}

BATCH = {"lane": "batch"}
TRAIN = {"lane": "train"}


def _window_job(tier: Tier) -> "UnresolvedAssetJobDefinition":
    return dg.define_asset_job(
        f"window_{tier.name}",
        # Checks are by the hour, in a job of their own: a window would look at an hour half full.
        selection=dg.AssetSelection.assets(*keys(tier)).without_checks(),
        partitions_def=HOUR,
        description=f"Sample the markets of {tier.name.upper()} every {tier.every.total_seconds():g} s for one window.",
        tags={
            "tier": tier.name,
            "dagster/priority": _PRIORITY[tier.name],
            # Started anew by the watchdog, for what is left of the window; Dagster's own retry would come on top.
            "dagster/max_retries": "0",
            "dagster/max_runtime": str(int(tier.window.total_seconds()) + WINDOW_GRACE_S),
        },
    )


WINDOWS = {tier.name: _window_job(tier) for tier in TIERS}

DISCOVERY = dg.define_asset_job(
    "discovery",
    selection=["markets"],
    partitions_def=HOUR,
    tags={"dagster/priority": "5", "alone": "discovery", "dagster/max_runtime": str(DISCOVERY_LASTS_S)},
    description="Look at what is listed and store what changed.",
)
CENSUS = dg.define_asset_job(
    "census_day",
    selection=["census"],
    tags={**BATCH, "alone": "census"},
    description="Walk everything that is open, and keep what became of what was.",
)
# Two builds of one hour could each overwrite what only the other recovered.
CLOSED_HOUR = dg.define_asset_job(
    "closed_hour",
    # Whales are measured against snapshots: a blocking check of theirs holds `whale_events` back only in its own run.
    selection=dg.AssetSelection.assets("trades", "whale_events")
    | dg.AssetSelection.checks_for_assets("trades", "whale_events")
    | dg.AssetSelection.checks(*tier_checks.OF_SNAPSHOTS),
    partitions_def=HOUR,
    tags={**BATCH, **_CLOSED_HOUR, "alone": "closed_hour"},
    description="Trades of an hour that is over, once each, and the large ones.",
)
HOUR_FEATURES = dg.define_asset_job(
    "hour_features",
    # Blocking checks of books and snapshots hold `features` back, though what they look at is not of this run.
    selection=dg.AssetSelection.assets("market_hours", "features")
    | dg.AssetSelection.checks(*tier_checks.KEYS),
    partitions_def=HOUR,
    tags={**BATCH, **_HOUR_FEATURES},
    description="Look over what was recorded in an hour, tier by tier; its features where nothing is wrong.",
)
RESOLVING = dg.define_asset_job(
    "resolving",
    # Its checks read the whole table: once an hour is enough, with `keeping`.
    selection=dg.AssetSelection.assets("resolutions").without_checks(),
    tags={**BATCH, "alone": "resolving"},
    description="Ask how markets past their close ended.",
)
CLOSED_DAY = dg.define_asset_job(
    "closed_day",
    selection=["history_markets", "history_prices"],
    partitions_def=DAY,
    tags=BATCH,
    description="Fetch the markets that closed on a day, and their prices.",
)
DAY_FEATURES = dg.define_asset_job(
    "day_features",
    selection=["history_features"],
    partitions_def=DAY,
    tags=BATCH,
    description="Features of closed and imported markets.",
)
LEARNING = dg.define_asset_job(
    "learning",
    selection=["training_set", "model", "evaluation", "promotion"],
    tags=TRAIN,
    description="Rebuild the training set, train, judge against the market's own price, and decide which model is followed.",
)
FOLLOWING = dg.define_asset_job(
    "following",
    selection=["promotion"],
    tags={**TRAIN, "alone": "following"},
    description="Look at what is followed: whether it may stay, and whether what is watched may take its place.",
)
# Of the newest snapshots: later they are not the newest any more.
LIVE = dg.define_asset_job(
    "live",
    selection=["predictions", "paper_portfolio"],
    partitions_def=HOUR,
    tags={"alone": "live", "dagster/priority": "4"},
    description="Store what models say of the newest snapshots, and trade it on paper.",
)
# It waits behind everything that cannot be done later; two would remove what the other is about to name.
KEEPING = dg.define_asset_job(
    "keeping",
    selection=dg.AssetSelection.assets("kept_hours") | dg.AssetSelection.checks_for_assets("resolutions"),
    tags={**BATCH, "alone": "keeping", "dagster/priority": "-5"},
    description="Compact closed hours, remove and move what is due, and say when the disk is full.",
)

ALL = [
    *WINDOWS.values(),
    DISCOVERY,
    CENSUS,
    CLOSED_HOUR,
    HOUR_FEATURES,
    RESOLVING,
    CLOSED_DAY,
    DAY_FEATURES,
    LEARNING,
    FOLLOWING,
    LIVE,
    KEEPING,
]
