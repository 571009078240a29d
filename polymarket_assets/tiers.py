"""Tiers: how often a market is looked at, by how near it is to its effective close. Data, not branches.

Assets, schedules, caps and stream priorities are built by walking `TIERS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Tier:
    """One row of the cadence table."""

    name: str
    # Markets with more than this left to their effective close, and no more than the tier before.
    beyond: timedelta
    every: timedelta
    # Slots lie at tick + offset + k * every: a run needs seconds to start, and the nearest tier goes first.
    offset: timedelta
    # What one run covers; its schedule starts one every such span.
    window: timedelta
    cron: str


def _minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


QUARTERLY = "*/15 * * * *"

T0 = Tier("t0", timedelta(hours=48), _minutes(60), _seconds(50), _minutes(60), "0 * * * *")
T1 = Tier("t1", timedelta(hours=12), _minutes(5), _seconds(40), _minutes(15), QUARTERLY)
T2 = Tier("t2", timedelta(hours=4), _minutes(1), _seconds(30), _minutes(15), QUARTERLY)
T3 = Tier("t3", timedelta(hours=1), _seconds(30), _seconds(20), _minutes(15), QUARTERLY)
T4 = Tier("t4", timedelta.min, _seconds(15), _seconds(10), _minutes(15), QUARTERLY)

TIERS: tuple[Tier, ...] = (T0, T1, T2, T3, T4)
BY_NAME: dict[str, Tier] = {tier.name: tier for tier in TIERS}


def rank(tier: Tier) -> int:
    """A tier's place in line for the venue's limits, the nearest first."""
    return len(TIERS) - 1 - TIERS.index(tier)


# Discovery, and questions of the recorder, come after the tiers and before everything that can be done later.
RANK_AFTER_TIERS = len(TIERS)


def tier_of(left: timedelta) -> Tier:
    """The tier of a market with `left` to its effective close (negative: past it, still T4)."""
    return next(tier for tier in TIERS if left > tier.beyond)
