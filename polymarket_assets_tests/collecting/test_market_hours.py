"""An hour of a market says how often it was sampled of the slots it was due."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import snapshotting, sweeping
from polymarket_assets.collecting.accounts import part_of
from polymarket_assets.collecting.market_hours import build_market_hours
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.tiers import BY_NAME
from polymarket_assets_tests.collecting.fakes import HOUR, book, market_id, market_row


def sampled(lake: Lake, tier: str, at: datetime, *markets: int) -> None:
    books = sweeping.books_table([(market_id(n), book(n), at) for n in markets], at)
    rows = snapshotting.snapshots(books, table_of("markets", [market_row(n, tier=tier) for n in markets]))
    lake.publish("snapshots", rows, part=part_of(at), at=at, tier=tier)


def slot(tier: str, k: int) -> datetime:
    return HOUR + BY_NAME[tier].offset + k * BY_NAME[tier].every


def kept(lake: Lake) -> dict[tuple[str, str], dict[str, Any]]:
    rows = reading.rows(lake, "market_hours", Span.hour(HOUR)).to_pylist()
    return {(row["market_id"], row["tier"]): row for row in rows}


def test_a_market_missed_in_between_is_incomplete(lake: Lake) -> None:
    for k in range(4):
        sampled(lake, "t4", slot("t4", k), 0, *([1] if k != 1 else []))
    report = build_market_hours(lake, HOUR)
    assert (report.markets, report.snapshots, report.completeness, report.incomplete) == (2, 7, 7 / 8, 1)
    whole, holed = (kept(lake)[market_id(n), "t4"] for n in (0, 1))
    assert (whole["due"], whole["snapshots"], whole["completeness"], whole["longest_pause_s"]) == (
        4,
        4,
        1,
        15,
    )
    assert (holed["due"], holed["snapshots"], holed["completeness"], holed["longest_pause_s"]) == (
        4,
        3,
        0.75,
        30,
    )


def test_a_market_that_crossed_has_a_row_for_each_tier(lake: Lake) -> None:
    sampled(lake, "t3", slot("t3", 0), 0)
    sampled(lake, "t3", slot("t3", 1), 0)
    sampled(lake, "t4", slot("t4", 6), 0)
    assert build_market_hours(lake, HOUR).markets == 1
    assert {tier: row["due"] for (_, tier), row in kept(lake).items()} == {"t3": 2, "t4": 1}


def test_windows_of_a_quarter_join_without_a_seam(lake: Lake) -> None:
    before, after = HOUR + timedelta(minutes=14, seconds=55), HOUR + timedelta(minutes=15, seconds=10)
    sampled(lake, "t4", before, 0)
    sampled(lake, "t4", after, 0)
    build_market_hours(lake, HOUR)
    assert kept(lake)[market_id(0), "t4"]["due"] == 2


def test_samples_off_the_grid_count_for_nothing_due(lake: Lake) -> None:
    sampled(lake, "t4", HOUR + timedelta(seconds=12.5), 0)
    build_market_hours(lake, HOUR)
    row = kept(lake)[market_id(0), "t4"]
    assert (row["due"], row["snapshots"], row["completeness"]) == (0, 0, None)


@pytest.mark.parametrize("times", [1, 2])
def test_building_again_replaces(lake: Lake, times: int) -> None:
    sampled(lake, "t4", slot("t4", 0), 0)
    for _ in range(times):
        build_market_hours(lake, HOUR)
    assert len(kept(lake)) == 1


def test_an_hour_without_samples_has_no_rows(lake: Lake) -> None:
    assert build_market_hours(lake, HOUR).completeness is None
    assert kept(lake) == {}
