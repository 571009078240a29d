"""What the clock starts, and what it leaves to whoever starts windows by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from polymarket_assets import schedules
from polymarket_assets.lake.writing import Lake
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets_tests.collecting.fakes import list_markets, market_row

TICK = datetime(2026, 11, 2, 13, 45, tzinfo=UTC)
WINDOWS = {schedule.name: schedule for schedule in schedules.ALL if schedule.name.startswith("window_")}


def told(lake: Lake, *, watch: bool) -> dg.RunRequest | dg.SkipReason:
    resources = {"lake": LakeResource(root=lake.root), "settings": SettingsResource(replaced={"watch_windows": str(watch)})}  # fmt: skip
    context = dg.build_schedule_context(scheduled_execution_time=TICK, resources=resources)
    said = WINDOWS["window_t4"](context)
    assert isinstance(said, dg.RunRequest | dg.SkipReason)
    return said


@pytest.mark.parametrize(
    ("listed", "watch", "said"),
    [
        (True, True, TICK.isoformat()),
        (False, True, "no market is known yet"),
        (True, False, "WATCH_WINDOWS is off"),
    ],
)
def test_a_window_begins_at_its_tick_unless_nothing_is_listed_or_people_start_them(lake: Lake, listed: bool, watch: bool, said: str) -> None:  # fmt: skip
    """One of a quarter of an hour in a demo's tier kept the demo's own waiting until it gave up."""
    if listed:
        list_markets(lake, market_row(1))
    answer = told(lake, watch=watch)
    found = answer.run_key if isinstance(answer, dg.RunRequest) else answer.skip_message
    assert str(found).startswith(said)
