"""History is fetched by day of close, without outcomes and without prices from after the end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from polymarket_assets.collecting import history
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused
from polymarket_assets.venue.records import PricePoint
from polymarket_assets_tests.collecting.days import (
    DAY,
    NOON,
    NOW,
    START,
    Prices,
    closed,
    fetch_markets,
    fetch_prices,
    rows_of,
)
from polymarket_assets_tests.collecting.fakes import Time, market_id, token


@pytest.mark.parametrize(
    ("at", "kept"),
    [
        (START, True),
        (START + timedelta(hours=24) - timedelta.resolution, True),
        (START - timedelta.resolution, False),
        (START + timedelta(hours=24), False),
        (None, False),
    ],
)
def test_a_day_holds_what_closed_on_it(lake: Lake, at: datetime | None, kept: bool) -> None:
    report = fetch_markets(lake, closed(1, at))
    assert (report.rows, report.listed, report.undated) == (int(kept), 1, int(at is None))
    assert len(rows_of(lake, "history_markets")) == int(kept)


@pytest.mark.parametrize(
    ("scheduled", "found"),
    [
        (timedelta(days=-3), True),
        (timedelta(days=7), True),
        (timedelta(days=-4), False),
        (timedelta(days=9), False),
    ],
)
def test_the_window_of_scheduled_ends_is_as_documented(lake: Lake, scheduled: timedelta, found: bool) -> None:
    """Of days long past, which walking back does not reach."""
    report = fetch_markets(lake, closed(1, scheduled_end=NOON + scheduled), now=NOW + timedelta(days=20))
    assert bool(report.rows) is found
    assert (report.found_by, report.fell_back) == ("scheduled_end", None)


def test_markets_of_the_past_say_nothing_of_their_outcome(lake: Lake) -> None:
    fetch_markets(lake, closed(1))
    row = rows_of(lake, "history_markets")[0]
    assert "resolved" not in str(row)
    assert (row["closed_at"], row["close_day"], row["received_at"]) == (NOON, DAY, NOW)


@pytest.mark.parametrize("now", [START, START + timedelta(hours=23, minutes=59), START - timedelta(days=3)])
def test_a_day_that_is_not_over_is_refused_in_one_sentence(lake: Lake, now: datetime) -> None:
    """A half-fetched day would look complete for ever."""
    for fetch in (lambda: fetch_markets(lake, now=now), lambda: fetch_prices(lake, Prices(), now=now)):
        with pytest.raises(history.DayNotOver, match="not over") as raised:
            fetch()
        assert "\n" not in str(raised.value)


def test_prices_of_a_day_never_listed_are_refused(lake: Lake) -> None:
    with pytest.raises(history.MarketsMissing, match="history_markets of 2026-11-01 first"):
        fetch_prices(lake, Prices())


def test_an_empty_day_is_known_to_be_empty(lake: Lake) -> None:
    assert fetch_markets(lake).rows == 0
    assert fetch_prices(lake, Prices()).rows == 0
    for table in ("history_markets", "history_prices"):
        assert reading.files(lake, table) != []


def test_neither_the_settlement_nor_anything_after_the_end_is_a_price(lake: Lake) -> None:
    """The last point of a resolved market is its payout: the label itself."""
    points = [
        PricePoint(NOON - timedelta(minutes=10), 0.505, 300),
        PricePoint(NOON - timedelta(minutes=5), 1.0, 0),
        PricePoint(NOON, 0.99, 300),
        PricePoint(NOON + timedelta(minutes=5), 1.0, 300),
    ]
    fetch_markets(lake, closed(1))
    fetch_prices(lake, Prices({token(1): points}))
    rows = rows_of(lake, "history_prices")
    assert [(r["priced_at"], r["known_at"], r["price_e6"], r["fidelity_s"]) for r in rows] == [
        (NOON - timedelta(minutes=10), NOON - timedelta(minutes=5), 505_000, 300)
    ]


def test_points_from_outside_of_a_markets_life_are_counted(lake: Lake) -> None:
    """A venue that ignores the end of the span sends what was known only afterwards."""
    fetch_markets(lake, closed(1, listed_at=NOON - timedelta(hours=2)), closed(2))
    points = [
        PricePoint(NOON + timedelta(minutes=minutes), 0.5, resolution)
        for minutes, resolution in ((-200, 60), (-10, 60), (0, 60), (5, 60), (6, 0))
    ]
    report = fetch_prices(lake, Prices({token(1): points}))
    assert (report.rows, report.outside, report.without) == (1, 3, 1)


def test_a_point_given_twice_is_one_and_not_outside(lake: Lake) -> None:
    fetch_markets(lake, closed(1))
    point = PricePoint(NOON - timedelta(minutes=5), 0.5, 60)
    report = fetch_prices(lake, Prices({token(1): [point, point]}))
    assert (report.rows, report.outside) == (1, 0)


@pytest.mark.parametrize("clients", [1, 5])
def test_rows_do_not_depend_on_how_many_are_asked_at_once(lake: Lake, clients: int) -> None:
    """Who answers first is chance; the file of a day is not."""
    fetch_markets(lake, *(closed(n) for n in range(1, 30)))
    points = {token(n): [PricePoint(NOON - timedelta(minutes=m), n / 100, 60) for m in (3, 2, 1)] for n in range(1, 30)}  # fmt: skip
    history.fetch_prices(lake, [Prices(points) for _ in range(clients)], DAY, clock=Time(NOW).clock)
    rows = rows_of(lake, "history_prices")
    assert [row["market_id"] for row in rows] == [market_id(n) for n in range(1, 30) for _ in range(3)]
    assert rows == sorted(rows, key=lambda row: (row["market_id"], row["priced_at"]))


@pytest.mark.parametrize(("least", "asked"), [(0, 3), (500, 2), (1_000_000, 0)])
def test_markets_traded_for_less_are_not_asked_about(lake: Lake, least: float, asked: int) -> None:
    fetch_markets(lake, closed(1, volume_usd=200.0), closed(2, volume_usd=500.0), closed(3, volume_usd=900.0))
    prices = Prices()
    report = history.fetch_prices(lake, [prices], DAY, clock=Time(NOW).clock, least_volume_usd=least)
    assert (len({of for of, *_ in prices.asked}), report.markets, report.left_out) == (
        asked,
        asked,
        3 - asked,
    )


@pytest.mark.parametrize(
    ("closed_at", "scheduled", "until"),
    [
        (NOON, NOON + timedelta(hours=5), NOON),
        (NOON, NOON - timedelta(hours=5), NOON - timedelta(hours=5)),
        (NOON, None, NOON),
    ],
)
def test_prices_end_at_the_earlier_of_close_and_scheduled_end(lake: Lake, closed_at: datetime, scheduled: datetime | None, until: datetime) -> None:  # fmt: skip
    row = closed(1, closed_at, scheduled_end=scheduled or NOON)
    fetch_markets(lake, row)
    if scheduled is None:
        known = {**rows_of(lake, "history_markets")[0], "effective_close": None}
        lake.publish_rows("history_markets", [known], part=history.PART, at=DAY)
    prices = Prices()
    fetch_prices(lake, prices)
    assert {end for _, _, end, _ in prices.asked} == {until}


@pytest.mark.parametrize(
    "life", [timedelta(minutes=5), timedelta(days=2), timedelta(days=10), timedelta(days=300)]
)
def test_a_life_of_fourteen_days_at_the_most_is_asked_for_as_finely_as_can_be(lake: Lake, life: timedelta) -> None:  # fmt: skip
    fetch_markets(lake, closed(1, listed_at=NOON - life))
    prices = Prices({token(1): [PricePoint(NOON - timedelta(minutes=2), 0.5, 300)]})
    fetch_prices(lake, prices)
    assert prices.asked == [(token(1), max(NOON - life, NOON - timedelta(days=14)), NOON, 60)]
    assert [row["fidelity_s"] for row in rows_of(lake, "history_prices")] == [300]


@pytest.mark.parametrize(("given_from_s", "asked"), [(60, [60]), (3_600, [60, 3_600]), (43_200, [60, 3_600, 43_200]), (86_400, [60, 3_600, 43_200])])  # fmt: skip
def test_where_nothing_comes_a_coarser_spacing_is_asked_for(
    lake: Lake, given_from_s: int, asked: list[int]
) -> None:
    """Of resolved markets the venue has given only every twelve hours, and the settlement whatever was asked."""
    fetch_markets(lake, closed(1))
    settled = PricePoint(NOON, 1.0, 0)
    prices = Prices({token(1): lambda spacing_s: [*([PricePoint(NOON - timedelta(days=1), 0.5, spacing_s)] if spacing_s >= given_from_s else []), settled]})  # fmt: skip
    report = fetch_prices(lake, prices)
    assert [spacing_s for *_, spacing_s in prices.asked] == asked
    assert [row["fidelity_s"] for row in rows_of(lake, "history_prices")] == [s for s in asked[-1:] if s >= given_from_s]  # fmt: skip
    assert report.without == int(given_from_s > 43_200)


@pytest.mark.parametrize(("life", "asked"), [(timedelta(minutes=5), [60]), (timedelta(hours=1), [60]), (timedelta(hours=2), [60, 3_600]), (timedelta(days=1), [60, 3_600, 43_200])])  # fmt: skip
def test_a_spacing_as_long_as_a_life_is_not_asked_for(lake: Lake, life: timedelta, asked: list[int]) -> None:
    fetch_markets(lake, closed(1, listed_at=NOON - life))
    prices = Prices()
    fetch_prices(lake, prices)
    assert [spacing_s for *_, spacing_s in prices.asked] == asked


def test_one_market_without_prices_costs_only_itself(lake: Lake) -> None:
    fetch_markets(lake, closed(1), closed(2), closed(3))
    good = [PricePoint(NOON - timedelta(hours=1), 0.25, 60)]
    prices = Prices({token(1): Gone("404"), token(2): MalformedPayload("prices", "<html>"), token(3): good})
    told: list[tuple[int, int]] = []
    report = fetch_prices(lake, prices, on_market=lambda done, due: told.append((done, due)))
    assert (report.rows, report.markets, report.without, report.malformed) == (1, 3, 2, 1)
    assert [row["market_id"] for row in rows_of(lake, "history_prices")] == [market_id(3)]
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_venue_that_refuses_every_market_fails_the_run(lake: Lake) -> None:
    """Published, it would look like a day without prices."""
    fetch_markets(lake, closed(1), closed(2))
    with pytest.raises(Refused, match="neither generation"):
        fetch_prices(lake, Prices({token(n): Refused("neither generation") for n in (1, 2)}))
    assert reading.files(lake, "history_prices") == []


def test_a_day_fetched_again_gives_the_same_rows(lake: Lake) -> None:
    good = {token(n): [PricePoint(NOON - timedelta(hours=n), 0.25, 60)] for n in (1, 2)}
    before = []
    for _ in range(2):
        fetch_markets(lake, closed(1), closed(2))
        fetch_prices(lake, Prices(good))
        before.append((rows_of(lake, "history_markets"), rows_of(lake, "history_prices")))
    assert before[0] == before[1]
