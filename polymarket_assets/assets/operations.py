"""Looking after the lake: closed hours compacted, what is past its days removed, old hours moved away, the disk watched."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from polymarket_assets.assets.running import materialized, told_plainly
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets.settings import Settings

if TYPE_CHECKING:
    from polymarket_assets.lake.forecast import Forecast
    from polymarket_assets.lake.keeping import Kept, Rules

# As sealing the stream: work of minutes that nobody waits for.
_NICE = 10
DISK, DONE = "disk_lasts", "nothing_failed"


@dg.asset(
    group_name="operations",
    kinds={"python", "parquet"},
    owners=["team:collection"],
    check_specs=[
        dg.AssetCheckSpec(DISK, asset="kept_hours", description="No disk of the lake is full within 14 days (warning) or 3 (error)."),
        dg.AssetCheckSpec(DONE, asset="kept_hours", description="Every hour that is over was compacted, removed or moved as it should be."),
    ],
)  # fmt: skip
def kept_hours(
    context: dg.AssetExecutionContext, lake: LakeResource, settings: SettingsResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Closed hours become one sorted file per table; retention, cold storage, and when the disk is full."""
    from polymarket_assets.lake import keeping

    with told_plainly(), ThreadPoolExecutor(1, initializer=_give_way) as aside:
        opened, kept_by = lake.open(), rules(settings.read())
        done = aside.submit(
            keeping.keep,
            opened,
            kept_by,
            clock=utc_now,
            on_folder=lambda folder: context.log.info(folder.path),
        ).result()
    yield materialized(context, _metadata(done))
    yield from (_disk(done.forecast), _done(done))


def _give_way() -> None:
    """Let windows go first: of Linux a thread has a priority of its own, and hands it on to those it starts."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def rules(settings: Settings) -> "Rules":
    """How the settings want the lake kept."""
    from polymarket_assets.lake.keeping import Rules

    return Rules(settings.retention_days, settings.cold_root, timedelta(days=settings.cold_after_days))


def _metadata(done: "Kept") -> dict[str, Any]:
    compacted, retired, moved = done.compacted, done.retired, done.moved
    return {
        "hours_compacted": compacted.folders,
        "files_before": compacted.files_before,
        "files_after": compacted.files_after,
        "bytes_before": compacted.bytes_before,
        "bytes_after": compacted.bytes_after,
        "rows": compacted.rows,
        "hours_retired": retired.folders,
        "bytes_retired": retired.bytes,
        "hours_moved": moved.folders if moved else 0,
        "bytes_moved": moved.bytes if moved else 0,
        "files_removed": compacted.removed + retired.removed + (moved.removed if moved else 0),
        "left_for_later": done.left,
        **({"stays_past_its_days": dg.MetadataValue.md(_listed(retired.kept))} if retired.kept else {}),
        **_forecast(done.forecast),
    }


def _forecast(found: "Forecast") -> dict[str, Any]:
    first = found.disks[0]
    days = first.full_in_days
    return {
        "forecast": "; ".join(map(str, found.disks)),
        **({"full_in_days": round(days, 1)} if days is not None else {}),
        **({"free_bytes": first.free} if first.free is not None else {}),
        "bytes_a_day": dg.MetadataValue.json({g.table: round(g.bytes_a_day) for g in found.tables}),
    }


def _disk(found: "Forecast") -> dg.AssetCheckResult:
    from polymarket_assets.lake.forecast import ERROR, FINE

    return dg.AssetCheckResult(
        check_name=DISK,
        passed=found.level == FINE,
        severity=dg.AssetCheckSeverity.ERROR if found.level == ERROR else dg.AssetCheckSeverity.WARN,
        metadata=_forecast(found),
    )


def _done(done: "Kept") -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=DONE,
        passed=not done.failed,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed": dg.MetadataValue.md(_listed(done.failed))} if done.failed else {},
    )


def _listed(sentences: list[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


ASSETS = [kept_hours]
