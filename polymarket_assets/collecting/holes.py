"""Slots that nobody accounted for: no run was there to say so, and `sweeps` must have them all the same.

A run that died leaves slots without an account, and so do hours in which nothing ran. When an hour is over, they are
called missed. Nothing is said of the time before the platform's first listing.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from polymarket_assets.collecting import queries, slots
from polymarket_assets.collecting.accounts import MISSED, Account, part_of
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS, Tier

# An outage of a weekend; what is further back shows as hours without partitions.
LOOK_BACK = timedelta(hours=72)
# A window's last sweep may still be publishing: no step of one takes longer (`heartbeats`).
GRACE = timedelta(minutes=5)
NOBODY = "no run sampled"
PART = "holes"


def account_for_holes(lake: Lake, *, now: datetime, run_id: str) -> int:
    """Publish an account for every slot without one of the hours that are over for `GRACE`; how many. Raises `LakeUnwritable`."""
    hours = _since_the_first(lake, Span(hour_of(now - LOOK_BACK), hour_of(now - GRACE)))
    return sum(_fill(lake, tier, hour, run_id) for hour in hours for tier in TIERS)


def _since_the_first(lake: Lake, span: Span) -> list[datetime]:
    """The hours of a span from the first on in which something was listed or accounted for."""
    with queries.over(lake, markets=span, sweeps=span) as connection:
        found = connection.execute(
            "select min(first) from (select min(received_at) as first from markets union all select min(slot_at) from sweeps)"
        ).fetchone()
    if found is None or found[0] is None:
        return []
    return [hour for hour in span.hours() if hour >= hour_of(found[0])]


def _fill(lake: Lake, tier: Tier, hour: datetime, run_id: str) -> int:
    known = set(reading.rows(lake, "sweeps", Span.hour(hour), tier=tier.name).column("slot_at").to_pylist())
    missing = [at for at in slots.hour_grid(tier, hour) if at not in known]
    if missing:
        rows = [asdict(Account(tier.name, at, MISSED, run_id, NOBODY)) for at in missing]
        # One file for all of them, named as none can be yet: by a slot that has no account.
        part = f"{PART}_{part_of(missing[0])}"
        lake.publish_rows("sweeps", rows, part=part, at=hour, tier=tier.name)
    return len(missing)
