"""Whether it is time to train again: models are made weekly at the most, when enough was decided, and monthly at the least."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.splits import LEAST_GROUPS

# Walk-forward cuts are weekly, as this is (ML.md 2.4).
APART = timedelta(days=7)
# Markets whose label came since: some two to an event, so half of what a power of a tenth of a logit asks of groups a week.
ENOUGH = 500
AT_LEAST = timedelta(days=30)

_DECIDED = """
    select count(distinct market_id) from resolutions where state = 'final' and label is not null and seen_at > $since and seen_at <= $now
"""
_EVER = timedelta(days=3650)


@dataclass(frozen=True)
class Due:
    """Whether to train, and why or why not."""

    is_due: bool
    said: str


def found(lake: Lake, *, trained_at: datetime | None, now: datetime) -> Due:
    """Of the labels that came since a model was last made."""
    if trained_at and now - trained_at < APART:
        return Due(False, f"trained at {trained_at:%Y-%m-%d %H:%M} UTC, again a week later at the soonest")
    fresh = decided(lake, trained_at or now - _EVER, now)
    if trained_at is None:
        return Due(
            fresh >= LEAST_GROUPS, f"{fresh:,} markets are decided, a first model needs {LEAST_GROUPS}"
        )
    if fresh >= ENOUGH:
        return Due(True, f"{fresh:,} markets were decided since the last training")
    if now - trained_at >= AT_LEAST and fresh:
        return Due(True, f"a month since the last training, {fresh:,} markets decided")
    return Due(False, f"{fresh:,} markets were decided since the last training, {ENOUGH} are enough")


def decided(lake: Lake, since: datetime, now: datetime) -> int:
    """How many markets got a label after `since`, or another one."""
    span = Span(since, now + timedelta(microseconds=1))
    with queries.over(lake, resolutions=span) as connection:
        counted = connection.execute(_DECIDED, {"since": since, "now": now}).fetchone()
    return int(counted[0]) if counted else 0
