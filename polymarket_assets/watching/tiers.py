"""Tiers: which is not sampled any more, and how much of what was due was taken, from the accounts in `sweeps`.

Only the newest accounts of each tier are read: an hour of the nearest one is 240 files, and this is asked every minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from polymarket_assets.collecting import slots
from polymarket_assets.collecting.accounts import MISSED
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import HOUR, Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS, Tier
from polymarket_assets.watching import switches
from polymarket_assets.watching.findings import Figure, Finding, Severity, Told, Watched

if TYPE_CHECKING:
    import pyarrow as pa

# Slots that the success rate is of: five minutes of the nearest tier, an hour and a half of T1.
SLOTS = 20
# A rate of fewer than this is one bad slot.
LEAST_SLOTS = 5
# T0 has a slot an hour; what was sampled longer ago is silent whatever the tier.
LOOK_BACK = 3 * HOUR
# What a run may take to start, and the watchdog to start it again, beside the tier's own pace.
GRACE = timedelta(minutes=5)
# A sweep gives up after four minutes, and accounts for its slot then.
SETTLED = timedelta(minutes=5)
# What is told as poor is over when so much more is taken: a slot of the last twenty.
MARGIN_PCT = 5.0
STATUSES = ("taken", "late", "missed")
_COLUMNS = ("slot_at", "status", "markets", "unanswered", "unasked", "reason", "latency_ms", "started_at")


def look(watched: Watched) -> Iterator[Told]:
    """Nothing is expected before the first listing, nor where a person starts the windows or switched off those of a tier."""
    lake = watched.lake
    if not lake.store.any("markets") or not watched.settings.watch_windows:
        return
    # Dagster is asked only where something is wrong, and then once.
    stopped: frozenset[str] | None = None
    newest = lake.store.each(lambda tier: _newest(lake, tier, watched.now), TIERS)
    for tier, rows in zip(TIERS, newest, strict=True):
        told = [*_figures(tier, rows, watched.now), *_silent(tier, rows, watched.now), *_poor(tier, rows, watched)]  # fmt: skip
        if any(isinstance(one, Finding) for one in told):
            stopped = switches.known_to_be_stopped(watched) if stopped is None else stopped
            told = [one for one in told if isinstance(one, Figure) or f"window_{tier.name}" not in stopped]
        yield from told


def _newest(lake: Lake, tier: Tier, now: datetime) -> list[dict[str, Any]]:
    """The newest accounts of a tier, in order; a compacted hour is one file with all of its own."""
    import pyarrow as pa

    files = reading.files(lake, "sweeps", Span(now - LOOK_BACK, now + timedelta.resolution), tier=tier.name)
    # From an object store many at a time: one after the other, the five tiers took as long as a look has.
    read = list(lake.store.each(_accounts, files[-SLOTS:]))
    rows = pa.concat_tables(read, promote_options="default").to_pylist() if read else []
    by_slot = {row["slot_at"]: row for row in rows if now - LOOK_BACK <= row["slot_at"] <= now}
    return [by_slot[at] for at in sorted(by_slot)]


def _accounts(file: str) -> pa.Table:
    footer = reading.footer(file)
    return footer.read([name for name in _COLUMNS if name in footer.schema_arrow.names])


def _silent(tier: Tier, rows: list[dict[str, Any]], now: datetime) -> Iterator[Told]:
    taken = [row for row in rows if row["status"] != MISSED]
    last = taken[-1]["slot_at"] if taken else None
    if last is not None and now - last <= tier.every + GRACE:
        return
    since = last + tier.every if last else now
    when = f"since {last:%H:%M:%S} UTC" if last else f"for {LOOK_BACK / HOUR:.0f} hours at least"
    reason = next((f" ({row['reason']})" for row in reversed(rows) if row["status"] == MISSED and row["reason"]), "")  # fmt: skip
    text = f"{tier.name.upper()} was not sampled {when}, it is every {tier.every.total_seconds():g} s{reason}"
    yield Finding(f"tier_silent:{tier.name}", Severity.CRITICAL, since, text, f"/jobs/window_{tier.name}")


def _poor(tier: Tier, rows: list[dict[str, Any]], watched: Watched) -> Iterator[Told]:
    """Slots and, in them, markets that were answered for, of those that were due."""
    due = _due(tier, rows, watched.now)
    if len(due) < LEAST_SLOTS:
        return
    by_slot = {row["slot_at"]: row for row in rows}
    pct = 100 * sum(_answered(by_slot.get(at)) for at in due) / len(due)
    yield Figure("slots_success_ratio", f"Share of the last {SLOTS} slots, and of the markets in them, that was answered for.", pct / 100, {"tier": tier.name})  # fmt: skip
    key = f"success_low:{tier.name}"
    wanted = watched.settings.alert_success_pct
    if pct < wanted + min(watched.margin(key, MARGIN_PCT), (100 - wanted) / 2):
        lost = sum(at not in by_slot or by_slot[at]["status"] == MISSED for at in due)
        text = f"{pct:.0f} % of the last {len(due)} slots of {tier.name.upper()} were taken, {lost} were lost"
        yield Finding(key, Severity.CRITICAL, due[0], text, f"/jobs/window_{tier.name}")  # fmt: skip


def _due(tier: Tier, rows: list[dict[str, Any]], now: datetime) -> list[datetime]:
    """The last slots of the grid that were to be accounted for by now, none before the first account."""
    if not rows:
        return []
    settled = max(rows[-1]["slot_at"], now - SETTLED)
    hours = Span(hour_of(now - LOOK_BACK), now + timedelta.resolution).hours()
    grid = [at for hour in hours for at in slots.hour_grid(tier, hour) if rows[0]["slot_at"] <= at <= settled]
    return [at for at in grid if at <= now][-SLOTS:]


def _answered(row: dict[str, Any] | None) -> float:
    if row is None or row["status"] == MISSED:
        return 0.0
    lost = (row.get("unanswered") or 0) + (row.get("unasked") or 0)
    return 1 - lost / row["markets"] if row["markets"] else 1.0


def _figures(tier: Tier, rows: list[dict[str, Any]], now: datetime) -> Iterator[Told]:
    named = {"tier": tier.name}
    newest = rows[-SLOTS:]
    for status in STATUSES:
        count = sum(row["status"] == status for row in newest)
        yield Figure("slots", f"Of the newest {SLOTS} accounts, how many are of slots taken, late and missed.", count, {**named, "status": status})  # fmt: skip
    taken = [row for row in newest if row["status"] != MISSED]
    if not taken:
        return
    yield Figure("last_success_timestamp_seconds", "The slot that was taken last.", taken[-1]["slot_at"].timestamp(), named)  # fmt: skip
    late = [(row["started_at"] - row["slot_at"]).total_seconds() for row in taken if row.get("started_at")]
    if late:
        yield Figure("slot_lateness_seconds", "How long after their instant slots were begun, the mean.", sum(late) / len(late), named)  # fmt: skip
