"""A market that comes nearer to its close changes cadence at the instant at which it crosses, and no slot has it twice."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from polymarket_assets.collecting import slots
from polymarket_assets.collecting.sweeping import Listed
from polymarket_assets.lake.writing import Lake
from polymarket_assets.tiers import TIERS, Tier
from polymarket_assets_tests.collecting.fakes import HOUR, list_markets, market_row

# Not on any grid.
CROSSED = HOUR + timedelta(minutes=31, seconds=7)
HOURS = [HOUR + timedelta(hours=k) for k in (-1, 0, 1)]


def sampled(lake: Lake, tier: Tier) -> list[datetime]:
    """The slots of three hours at which a tier has the one market there is."""
    listed = Listed(lake)
    listed.refresh(HOURS[0])
    grid = [at for hour in HOURS for at in slots.hour_grid(tier, hour)]
    return [at for at in grid if listed.due(tier, at, 10)[0].num_rows]


@pytest.mark.parametrize(("farther", "nearer"), itertools.pairwise(TIERS), ids=lambda tier: tier.name)
def test_a_market_changes_cadence_when_it_crosses(lake: Lake, farther: Tier, nearer: Tier) -> None:
    early = HOURS[0] - timedelta(minutes=5)
    list_markets(lake, market_row(1, tier=farther.name, effective_close=CROSSED + farther.beyond, received_at=early))  # fmt: skip
    found = {tier: sampled(lake, tier) for tier in TIERS}
    expected = {
        farther: [at for hour in HOURS for at in slots.hour_grid(farther, hour) if at < CROSSED],
        nearer: [at for hour in HOURS for at in slots.hour_grid(nearer, hour) if at >= CROSSED],
    }
    assert found == {tier: expected.get(tier, []) for tier in TIERS}
    assert found[nearer][0] - CROSSED < nearer.every, "the first slot comes within the new cadence"


@pytest.mark.parametrize(("hours", "before", "after"), [(48, "t0", "t1"), (12, "t1", "t2"), (4, "t2", "t3"), (1, "t3", "t4")])  # fmt: skip
def test_the_boundary_itself_belongs_to_the_nearer_tier(lake: Lake, hours: int, before: str, after: str) -> None:  # fmt: skip
    """Where a slot lies exactly `hours` before the close, it is the first one of the new cadence."""
    list_markets(lake, market_row(1, effective_close=HOUR + timedelta(hours=hours), received_at=HOURS[0]))
    listed = Listed(lake)
    listed.refresh(HOURS[0])

    def tier_at(at: datetime) -> list[str]:
        return [tier.name for tier in TIERS if listed.due(tier, at, 10)[0].num_rows]

    assert tier_at(HOUR - timedelta.resolution) == [before]
    assert tier_at(HOUR) == [after]
