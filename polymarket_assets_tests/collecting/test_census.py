"""Every market ever seen stays in the census with its fate, and only changes are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import census
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.venue.records import Listing, Page
from polymarket_assets_tests.collecting.fakes import HOUR, Gamma, Time, listing, market_id

DAY = timedelta(days=1)


def take(lake: Lake, gamma: Gamma, at: datetime = HOUR) -> census.CensusReport:
    return census.take(lake, gamma, Settings(_env_file=None), clock=Time(at).clock)


def fates(lake: Lake) -> dict[str, list[str]]:
    """Each market's fates in the order in which they were stored."""
    found: dict[str, list[str]] = {}
    for row in sorted(reading.rows(lake, "census").to_pylist(), key=lambda row: row["received_at"]):
        found.setdefault(row["market_id"], []).append(row["fate"])
    return found


def test_what_is_open_is_stored_once(lake: Lake) -> None:
    gamma = Gamma([listing(n) for n in range(5)])
    first, second = take(lake, gamma), take(lake, gamma, HOUR + DAY)
    assert (first.open, first.new, first.complete) == (5, 5, True)
    assert (second.open, second.new, second.changed) == (5, 0, 0)
    assert fates(lake) == {market_id(n): ["open"] for n in range(5)}


def test_what_closed_and_what_vanished_stay_with_their_fate(lake: Lake) -> None:
    take(lake, Gamma([listing(n) for n in range(3)]))
    later = Gamma([listing(0), listing(1, closed=True)])
    report = take(lake, later, HOUR + DAY)
    assert (report.closed, report.vanished) == (1, 1)
    assert fates(lake) == {market_id(0): ["open"], market_id(1): ["open", "closed"], market_id(2): ["open", "vanished"]}  # fmt: skip
    again = take(lake, later, HOUR + 2 * DAY)
    assert (again.changed, again.closed) == (0, 0)
    take(lake, Gamma([listing(0), listing(2)]), HOUR + 3 * DAY)
    assert fates(lake)[market_id(2)] == ["open", "vanished", "open"]
    first_seen = {row["first_seen_at"] for row in reading.rows(lake, "census").to_pylist() if row["market_id"] == market_id(2)}  # fmt: skip
    assert first_seen == {HOUR}


class Deaf(Gamma):
    """A venue that ignores `closed` where it is asked for ids, and leaves market 1 out of its listing."""

    def by_condition(self, condition_ids: Sequence[str], *, closed: bool) -> list[Listing]:
        return [row for row in self.rows if row.market.condition_id in condition_ids]

    def markets(self, **asked: Any) -> Iterator[Page]:
        for page in super().markets(**asked):
            yield Page(tuple(row for row in page.rows if row.market.market_id != market_id(1)), None)


def test_a_market_left_out_of_the_walk_and_found_open_by_its_id_is_open(lake: Lake) -> None:
    """A walk is no snapshot, and a venue that ignores a parameter would close what is open."""
    take(lake, Gamma([listing(0), listing(1)]))
    report = take(lake, Deaf([listing(0), listing(1)]), HOUR + DAY)
    assert (report.open, report.closed, report.vanished) == (2, 0, 0)
    assert fates(lake)[market_id(1)] == ["open"]


def test_a_market_that_closed_and_is_open_again_was_first_seen_when_it_was(lake: Lake) -> None:
    take(lake, Gamma([listing(0), listing(1)]))
    take(lake, Gamma([listing(0), listing(1, closed=True)]), HOUR + DAY)
    report = take(lake, Gamma([listing(n) for n in range(3)]), HOUR + 2 * DAY)
    assert (report.new, report.changed) == (1, 1)
    assert fates(lake)[market_id(1)] == ["open", "closed", "open"]
    rows = reading.rows(lake, "census").to_pylist()
    assert {row["first_seen_at"] for row in rows if row["market_id"] == market_id(1)} == {HOUR}


def test_a_walk_that_broke_off_lets_nothing_vanish(lake: Lake) -> None:
    take(lake, Gamma([listing(n) for n in range(6)]))
    broken = Gamma([listing(n) for n in range(2, 8)], fails_after=2)
    report = take(lake, broken, HOUR + DAY)
    assert (report.complete, report.closed, report.vanished) == (False, 0, 0)
    assert broken.looked_up == []
    assert "503" in (report.problem or "")
    with pytest.raises(Unavailable):
        take(lake, Gamma([listing(0)], fails_after=0), HOUR + 2 * DAY)


@pytest.mark.parametrize(
    ("market", "why"),
    [
        ({}, None),
        ({"enable_order_book": False}, "no book"),
        ({"scheduled_end": HOUR + timedelta(days=400)}, "ends too far ahead"),
        ({"scheduled_end": None}, "ends too far ahead"),
        ({"scheduled_end": HOUR + timedelta(days=2), "volume_usd": 1.0}, "too small, or other tags"),
    ],
)
def test_it_says_why_a_market_is_not_collected(lake: Lake, market: dict[str, Any], why: str | None) -> None:
    take(lake, Gamma([listing(0, **market)]))
    assert [row["why_not"] for row in reading.rows(lake, "census").to_pylist()] == [why]


@pytest.mark.parametrize(("volume", "stored"), [(1999.0, 1), (2000.0, 2)])
def test_a_volume_is_stored_again_when_it_doubled(lake: Lake, volume: float, stored: int) -> None:
    take(lake, Gamma([listing(0)]))
    take(lake, Gamma([listing(0, volume_usd=volume)]), HOUR + DAY)
    assert len(fates(lake)[market_id(0)]) == stored


def test_rows_go_out_in_parts(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk of eighty thousand holds some of them at a time."""
    monkeypatch.setattr(census, "ROWS_A_PART", 2)
    take(lake, Gamma([listing(n) for n in range(5)]))
    assert len(reading.files(lake, "census")) == 3
    assert len(fates(lake)) == 5
