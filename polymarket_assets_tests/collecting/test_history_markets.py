"""A day's markets are found by the instant of their close, wherever that can be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import history
from polymarket_assets.collecting.history.markets import MOST_UNDATED_PAGES
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Refused, Unavailable
from polymarket_assets_tests.collecting.fakes import Gamma, Listing, Time, listing, market_id

DAY = date(2026, 11, 1)
START = datetime(2026, 11, 1, tzinfo=UTC)
NOON = START + timedelta(hours=12)
WEEKS_LATER = NOON + timedelta(days=20)


def closed(n: int, at: datetime | None, **changed: Any) -> Listing:
    ended = {"closed_at": at, "prices": ("1", "0"), "status": "resolved"}
    fields: dict[str, Any] = {"scheduled_end": at or NOON, "listed_at": START - timedelta(days=30)}
    return listing(n, closed=True, end=ended, **{**fields, **changed})


def fetch(lake: Lake, gamma: Gamma, days_later: float = 1.5) -> history.MarketsReport:
    return history.fetch_markets(lake, gamma, DAY, clock=Time(START + timedelta(days=days_later)).clock)


def found(lake: Lake) -> list[str]:
    return reading.rows(lake, "history_markets").column("market_id").to_pylist()


# The market that closed at noon of DAY, by its number.
MIDDLE = 21
ON_THE_DAY = {market_id(MIDDLE + n) for n in (-1, 0, 1)}
# A fortnight of closes, three a day; the second of DAY was decided weeks before its deadline.
FORTNIGHT = [closed(n, NOON + timedelta(hours=8 * (n - MIDDLE))) for n in range(42)]
EARLY = closed(100, NOON, scheduled_end=WEEKS_LATER)


@pytest.mark.parametrize(
    ("days_later", "way"), [(1.0, "closed_time"), (16.5, "closed_time"), (16.6, "scheduled_end"), (300, "scheduled_end")]
)  # fmt: skip
def test_recent_days_are_walked_back_to_and_older_ones_listed_by_schedule(lake: Lake, days_later: float, way: str) -> None:  # fmt: skip
    """A market decided long before its deadline is one of six: it must not be missed where that costs nothing."""
    gamma = Gamma([*FORTNIGHT, EARLY])
    report = fetch(lake, gamma, days_later)
    assert (report.found_by, report.fell_back) == (way, None)
    assert set(found(lake)) == ON_THE_DAY | ({market_id(100)} if way == "closed_time" else set())
    assert [asked["order"] for asked in gamma.asked] == ["closedTime" if way == "closed_time" else None]


def test_a_walk_ends_where_the_day_began(lake: Lake) -> None:
    """Without an end it would list every market that ever closed."""
    report = fetch(lake, Gamma(FORTNIGHT))
    assert report.rows == 3
    # Twenty-two since the day began, and a page or two of the day before.
    assert 22 <= report.listed <= 27


@dataclass
class Disordered(Gamma):
    """A catalogue that makes what it likes of an order."""

    made: Callable[[list[Listing]], list[Listing]] = list

    def ordered(self, found: list[Listing], order: str, ascending: bool) -> list[Listing]:
        return self.made(super().ordered(found, order, ascending))


def _swapped(rows: list[Listing]) -> list[Listing]:
    return [rows[n ^ 1] for n in range(len(rows) & ~1)]


@pytest.mark.parametrize(
    "made",
    [
        lambda rows: sorted(rows, key=lambda row: row.market.market_id),
        lambda rows: list(reversed(rows)),
        _swapped,
    ],
    ids=["by id", "the oldest first", "in pairs"],
)
def test_an_order_that_the_rows_do_not_show_is_not_believed(lake: Lake, made: Callable[[list[Listing]], list[Listing]]) -> None:  # fmt: skip
    """The venue ignores what it does not know without a word; the walk would end at the first old row."""
    gamma = Disordered([*FORTNIGHT, EARLY], made=made)
    report = fetch(lake, gamma)
    assert report.found_by == "scheduled_end"
    assert "ignores the order" in str(report.fell_back)
    assert set(found(lake)) == ON_THE_DAY


def test_an_order_that_is_refused_falls_back(lake: Lake) -> None:
    @dataclass
    class Refusing(Gamma):
        def ordered(self, found: list[Listing], order: str, ascending: bool) -> list[Listing]:
            raise Refused("order: closedTime is not a field", status=422)

    report = fetch(lake, Refusing(FORTNIGHT))
    assert (report.found_by, report.rows) == ("scheduled_end", 3)
    assert "closedTime is not a field" in str(report.fell_back)


def test_a_venue_that_fails_midway_is_not_asked_the_other_way(lake: Lake) -> None:
    """An outage says nothing of the order, and a day found half is worse than none."""
    with pytest.raises(Unavailable):
        fetch(lake, Gamma(FORTNIGHT, fails_after=2))
    assert reading.files(lake, "history_markets") == []


def test_a_row_that_moved_while_pages_were_cut_ends_no_walk(lake: Lake) -> None:
    """One old row among the new ones is no order broken, and not the end of the day either."""
    many = [closed(n, START + timedelta(minutes=n)) for n in range(1, 200)]
    gamma = Disordered([*many, closed(999, START - timedelta(days=9))], made=lambda rows: [rows[0], rows[-1], *rows[1:-1]])  # fmt: skip
    report = fetch(lake, gamma, 1.0)
    assert report.fell_back is None
    assert (report.found_by, report.rows) == ("closed_time", 199)


def test_rows_that_do_not_say_when_they_closed_are_counted_wherever_they_stand(lake: Lake) -> None:
    undated = [closed(500 + n, None) for n in range(6)]
    at_the_front = Disordered([*FORTNIGHT, *undated], made=lambda rows: [*rows[-6:], *rows[:-6]])
    report = fetch(lake, at_the_front)
    assert (report.found_by, report.rows, report.undated) == ("closed_time", 3, 6)


def test_a_catalogue_full_of_undated_rows_is_not_walked_through(lake: Lake) -> None:
    """Where they come first, thousands of them would be listed for every day."""
    undated = [closed(500 + n, None, scheduled_end=WEEKS_LATER) for n in range(2 * MOST_UNDATED_PAGES + 2)]
    count = len(undated)
    gamma = Disordered([*FORTNIGHT, *undated], made=lambda rows: [*rows[-count:], *rows[:-count]])
    report = fetch(lake, gamma)
    assert (report.found_by, report.rows) == ("scheduled_end", 3)
    assert "do not say when they closed" in str(report.fell_back)


def test_how_far_a_listing_is_can_be_seen(lake: Lake) -> None:
    told: list[tuple[int, int]] = []
    history.fetch_markets(lake, Gamma([*FORTNIGHT]), DAY, clock=Time(START + timedelta(days=1.5)).clock, on_page=lambda listed, found: told.append((listed, found)))  # fmt: skip
    assert told
    assert told == sorted(told)
    assert told[-1][1] == len(ON_THE_DAY)
