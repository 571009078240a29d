"""Books and snapshots: per tier one `multi_asset`, whose run samples every slot of a window."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import Field

from polymarket_assets.assets.running import (
    asking,
    materialized,
    metadata,
    partition_metadata,
    run_span,
    told_plainly,
    venue_metadata,
)
from polymarket_assets.collecting import holes, windows
from polymarket_assets.collecting import market_hours as completeness
from polymarket_assets.collecting.accounts import TAKEN, Account
from polymarket_assets.lake.spans import Span
from polymarket_assets.partitions import HOUR, hour_key, utc_now
from polymarket_assets.resources import LakeResource, SettingsResource, VenueResource
from polymarket_assets.tiers import TIERS, Tier, rank
from polymarket_assets.venue.errors import Refused, Unavailable

# What a window's end may take, and the next one's start.
OVERDUE = timedelta(minutes=5)
# Slots of a run that are told in its log; a venue that is down for an hour is told by the first few.
MOST_LINES = 12
OF_SLOTS = ("expected", "taken", "late", "missed", "rows")


class WindowConfig(dg.Config):
    """Which part of the hour a run covers; by default the tier's window from now on, within the hour."""

    WINDOW_START: str | None = None  # RFC 3339; a schedule names its tick
    WINDOW_S: float | None = Field(None, gt=0)  # seconds; shorter ones are for tests and the demo


def keys(tier: Tier) -> tuple[dg.AssetKey, dg.AssetKey]:
    """The two assets of a tier: its books and its snapshots."""
    return dg.AssetKey(["orderbooks", tier.name]), dg.AssetKey(["snapshots", tier.name])


def step_name(tier: Tier) -> str:
    """The name of the step that samples a tier: run config is addressed to it."""
    return f"sample_{tier.name}"


def _spec(key: dg.AssetKey, tier: Tier, said: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=["markets"],
        group_name=key.path[0],
        kinds={"python", "parquet"},
        owners=["team:collection"],
        tags={"tier": tier.name},
        # A window is materialised when it is over.
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=2 * tier.window + OVERDUE, warn_window=tier.window + OVERDUE
        ),
        description=f"{said} of the markets in {tier.name.upper()}, every {tier.every.total_seconds():g} s. Each slot is accounted for in `sweeps`; a past hour cannot be collected again.",
    )


def _window(tier: Tier) -> dg.AssetsDefinition:
    books, snapshots = keys(tier)

    @dg.multi_asset(
        name=step_name(tier),
        partitions_def=HOUR,
        specs=[
            _spec(books, tier, "Canonical order books"),
            _spec(snapshots, tier, "Prices, depth, volumes and timing"),
        ],
    )
    def window(
        context: dg.AssetExecutionContext,
        config: WindowConfig,
        lake: LakeResource,
        venue: VenueResource,
        settings: SettingsResource,
    ) -> Iterator[dg.MaterializeResult]:
        told: list[Account] = []
        lines = itertools.count()

        def on_slot(account: Account) -> None:
            told.append(account)
            # A line is a row of Dagster's history, ten thousand of them a day: all slots are in `sweeps`.
            odd = account.status != TAKEN or bool(account.unreadable)
            if odd and next(lines) < MOST_LINES:
                context.log.info(f"slot {account}")

        with asking(venue, rank(tier)) as connected:
            opened = lake.open()
            report = windows.run_window(
                opened,
                connected,
                tier,
                settings.read(),
                hour=context.partition_time_window.start,
                start=_start(config),
                window_s=config.WINDOW_S,
                run_id=context.run_id,
                clock=utc_now,
                sleep=time.sleep,
                on_slot=on_slot,
            )
            _require_some(tier, report, told)
            # How it went is told with the books: snapshots came of the same answers, and each figure is stored three times.
            figures = metadata(report)
            of_books = {**figures, **venue_metadata(connected)}
            of_snapshots = {name: figures[name] for name in OF_SLOTS}
            for key, said in ((books, of_books), (snapshots, of_snapshots)):
                holds = partition_metadata(opened, key.path[0], run_span(context), tier.name)
                yield materialized(context, {**said, **holds}, key)

    return window


def _start(config: WindowConfig) -> datetime | None:
    if config.WINDOW_START is None:
        return None
    try:
        return datetime.fromisoformat(config.WINDOW_START).astimezone(UTC)
    except ValueError as e:
        raise Refused(f"WINDOW_START={config.WINDOW_START!r} is no instant: write it like 2026-11-22T13:15:00Z") from e  # fmt: skip


def _require_some(tier: Tier, report: windows.WindowReport, told: list[Account]) -> None:
    """A window that took nothing is no success, though each of its slots is accounted for."""
    if report.expected and not report.taken + report.late:
        why = next((account.reason for account in reversed(told) if account.reason), "no reason is known")
        raise Unavailable(
            f"none of the {report.expected} slots of {tier.name.upper()} could be taken, the last because {why}"
        )


@dg.asset(
    partitions_def=HOUR,
    deps=[dg.AssetKey(["snapshots", tier.name]) for tier in TIERS],
    group_name="snapshots",
    kinds={"duckdb", "parquet"},
    owners=["team:collection"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def market_hours(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult:
    """How completely each market was sampled in the hour, tier by tier; slots that nobody accounted for are called missed."""
    with told_plainly():
        opened = lake.open()
        filled = holes.account_for_holes(opened, now=utc_now(), run_id=context.run_id)
        for hour in run_span(context).hours():
            report = completeness.build_market_hours(opened, hour)
            holds = partition_metadata(opened, "market_hours", Span.hour(hour))
            context.add_asset_metadata(
                {**metadata(report, slots_nobody_took=filled), **holds}, partition_key=hour_key(hour)
            )
    return dg.MaterializeResult()


ASSETS = [*(_window(tier) for tier in TIERS), market_hours]
