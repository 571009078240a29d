"""The grid of a tier is the same for everybody who asks, and never leaves its window or its hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.collecting import slots
from polymarket_assets.lake.spans import Span
from polymarket_assets.tiers import BY_NAME, TIERS

HOUR = datetime(2026, 11, 2, 13, tzinfo=UTC)
starts = st.integers(0, 3599).map(lambda s: HOUR + timedelta(seconds=s))
lengths = st.one_of(st.none(), st.integers(0, 7200).map(float))


@pytest.mark.parametrize(
    ("tier", "count", "first", "last"),
    [
        ("t4", 60, "13:15:10", "13:29:55"),
        ("t3", 30, "13:15:20", "13:29:50"),
        ("t2", 15, "13:15:30", "13:29:30"),
        ("t1", 3, "13:15:40", "13:25:40"),
        ("t0", 1, "13:15:50", "13:15:50"),
    ],
)
def test_each_tier_samples_its_window_at_its_cadence(tier: str, count: int, first: str, last: str) -> None:
    """The cadence table is the promise of the platform: one slot more or less would be a hole or a double."""
    start = HOUR + timedelta(minutes=15)
    grid = slots.grid(BY_NAME[tier], slots.window(BY_NAME[tier], HOUR, start, None))
    assert (len(grid), f"{grid[0]:%H:%M:%S}", f"{grid[-1]:%H:%M:%S}") == (count, first, last)


def test_scheduled_windows_of_an_hour_join_without_hole_or_overlap() -> None:
    """Four windows run by the schedule must sample the hour as one would."""
    for tier in TIERS:
        starts = [HOUR + k * tier.window for k in range(timedelta(hours=1) // tier.window)]
        joined = [
            slot for start in starts for slot in slots.grid(tier, slots.window(tier, HOUR, start, None))
        ]
        assert joined == slots.grid(tier, slots.window(tier, HOUR, HOUR, 3600))


@given(st.sampled_from(TIERS), starts, lengths)
def test_slots_lie_on_the_grid_within_window_and_hour(tier, start, length) -> None:  # type: ignore[no-untyped-def]
    """A slot in the next hour would be filed under another partition."""
    span = slots.window(tier, HOUR, start, length)
    grid = slots.grid(tier, span)
    assert all(slot in span and slot in Span.hour(HOUR) for slot in grid)
    assert grid == [start + tier.offset + k * tier.every for k in range(len(grid))]
    assert start + tier.offset + len(grid) * tier.every >= span.end
