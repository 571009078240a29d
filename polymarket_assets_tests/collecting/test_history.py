"""History is fetched by day of close, without outcomes and without prices from after the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import history
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused
from polymarket_assets.venue.records import PricePoint
from polymarket_assets_tests.collecting.fakes import Gamma, Listing, Time, listing, market_id, token

DAY = date(2026, 11, 1)
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 13, tzinfo=UTC)
NOON = START + timedelta(hours=12)


def closed(n: int, at: datetime | None = NOON, **changed: Any) -> Listing:
    fields: dict[str, Any] = {"scheduled_end": NOON, "listed_at": START - timedelta(days=30)}
    ended = {"closed_at": at, "prices": ("1", "0"), "status": "resolved"}
    return listing(n, closed=True, end=ended, **{**fields, **changed})


@dataclass
class Prices:
    """Price points by token, or an error; remembers what was asked."""

    points: dict[str, list[PricePoint] | PolymarketError] = field(default_factory=dict)
    asked: list[tuple[str, datetime, datetime, int]] = field(default_factory=list)

    def prices_history(self, token_id: str, start: datetime, end: datetime, bucket_s: int) -> list[PricePoint]:  # fmt: skip
        self.asked.append((token_id, start, end, bucket_s))
        found = self.points.get(token_id, [])
        if isinstance(found, PolymarketError):
            raise found
        return found


def fetch_markets(lake: Lake, *rows: Listing, now: datetime = NOW, day: date = DAY) -> history.MarketsReport:
    return history.fetch_markets(lake, Gamma(list(rows)), day, clock=Time(now).clock)


def fetch_prices(lake: Lake, prices: Prices, now: datetime = NOW, on_market: Callable[[int, int], None] = lambda done, due: None) -> history.PricesReport:  # fmt: skip
    return history.fetch_prices(lake, [prices], DAY, clock=Time(now).clock, on_market=on_market)


def rows_of(lake: Lake, table: str) -> list[dict[str, Any]]:
    return reading.rows(lake, table).to_pylist()


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
    assert (len(prices.asked), report.markets, report.left_out) == (asked, asked, 3 - asked)


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
    assert [end for _, _, end, _ in prices.asked] == [until]


@pytest.mark.parametrize(
    ("life", "bucket", "span"),
    [
        (timedelta(minutes=5), 60, timedelta(minutes=5)),
        (timedelta(hours=6), 60, timedelta(hours=6)),
        (timedelta(days=2), 300, timedelta(days=2)),
        (timedelta(days=10), 1800, timedelta(days=10)),
        (timedelta(days=300), 1800, timedelta(days=14)),
    ],
)
def test_the_spacing_suits_the_length_of_life(lake: Lake, life: timedelta, bucket: int, span: timedelta) -> None:  # fmt: skip
    fetch_markets(lake, closed(1, listed_at=NOON - life))
    prices = Prices()
    fetch_prices(lake, prices)
    assert prices.asked == [(token(1), NOON - span, NOON, bucket)]


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
