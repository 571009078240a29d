"""The lake looks after itself: retention, compaction, cold storage and a look at the disk, one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from polymarket_assets.lake import compacting, forecast, merging, moving, retention, spilling
from polymarket_assets.lake.compacting import Compacted
from polymarket_assets.lake.errors import LakeBusy
from polymarket_assets.lake.folders import Folder
from polymarket_assets.lake.forecast import Forecast
from polymarket_assets.lake.moving import Moved
from polymarket_assets.lake.retention import Plan, Retired
from polymarket_assets.lake.writing import Lake

# Held by whoever looks after the lake: two would remove what the other is about to name.
_LOCK = "keeping"


@dataclass(frozen=True)
class Rules:
    """How a lake is kept: days by table (others for ever), and where hours go after how long (None: nowhere)."""

    retention_days: Mapping[str, int]
    cold_root: str | None = None
    cold_after: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Kept:
    """What was done, and what the disk comes to; `moved` is None without cold storage."""

    retired: Retired
    compacted: Compacted
    moved: Moved | None
    forecast: Forecast

    @property
    def failed(self) -> list[str]:
        """What could not be done and comes again, in words."""
        return [*self.retired.failed, *self.compacted.failed, *(self.moved.failed if self.moved else [])]

    @property
    def left(self) -> int:
        """Folders that there was no time for."""
        return self.compacted.left + (self.moved.left if self.moved else 0)


@dataclass(frozen=True)
class Due:
    """What there is to do."""

    retention: Plan
    to_compact: list[Folder]
    to_move: list[Folder]


def keep(
    lake: Lake,
    rules: Rules,
    *,
    clock: Callable[[], datetime],
    kept: timedelta = merging.SUPERSEDED_KEPT,
    look_back: timedelta = compacting.LOOK_BACK,
    on_folder: Callable[[Folder], None] = lambda folder: None,
) -> Kept:
    """Do everything that is due; what fails is in the report and comes again.

    Hours of the time `look_back` are compacted; superseded files stay for `kept`; `on_folder` hears of each folder before it is merged or moved.

    Raises:
        LakeBusy: another process looks after the lake.
        ColdElsewhere, ColdAway: nothing could be moved; everything else was done.
        LakeUnwritable: not even the lock could be taken.
    """
    with lake.store.alone(_LOCK) as ours:
        if not ours:
            raise LakeBusy(f"another process looks after the lake at {lake.root}: nothing was done")
        spilling.forget(now=clock())
        retired = retention.retire(lake, rules.retention_days, now=clock(), kept=kept)
        compacted = compacting.compact(lake, clock=clock, look_back=look_back, kept=kept, on_folder=on_folder)
        moved = None
        if rules.cold_root:
            moved = moving.move(lake, rules.cold_root, clock=clock, after=rules.cold_after, kept=kept, on_folder=on_folder)  # fmt: skip
    return Kept(retired, compacted, moved, forecast.forecast(lake, now=clock(), retention_days=rules.retention_days))  # fmt: skip


def due(lake: Lake, rules: Rules, *, now: datetime, look_back: timedelta = compacting.LOOK_BACK) -> Due:
    """What `keep` would do, doing nothing."""
    return Due(
        retention.plan(lake, rules.retention_days, now=now),
        compacting.due(lake, now=now, look_back=look_back),
        moving.due(lake, now=now, after=rules.cold_after) if rules.cold_root else [],
    )
