"""The endpoints of markets: what a name means, and what there is of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.console.markets_lake import (
    CONDITION,
    QUESTION,
    after,
    book,
    close,
    prediction,
    rain,
)
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.hostile import NAMES
from polymarket_assets_tests.report import rows
from polymarket_assets_tests.report.rows import HOUR, MINUTE, NOON, SECOND

TEN_MINUTES = after(timedelta(minutes=10))


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One for all that only read it."""
    lake = Lake(tmp_path_factory.mktemp("rain") / "lake")
    rain(lake)
    book(lake, NOON + 10 * MINUTE - SECOND)
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        console.json("/api/markets")
        yield console


@pytest.mark.parametrize("name", ["pm:rain", "will-it-rain", "501"])
def test_a_market_is_found_by_every_name_it_has(console: Console, name: str) -> None:
    assert console.json(f"/api/markets/{quote(name)}")["market"]["market_id"] == "pm:rain"


@pytest.mark.parametrize("name", ["77", "weather-today", CONDITION, "pm:snow", "will-it-snow"])
def test_an_event_is_found_by_its_names_and_by_its_markets(console: Console, name: str) -> None:
    found = console.json(f"/api/events/{quote(name)}")
    assert found["title"] == "Weather today"
    assert [leg["market_id"] for leg in found["legs"]] == ["pm:rain", "pm:snow"]
    assert found["neg_risk_set"] == 2
    assert found["sum_of_mids"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/markets/will-it-rian", 404, "near it are will-it-rain"),
        ("/api/markets/weather-today", 404, "is an event and no market"),
        ("/api/events/weather-tody", 404, "near it are"),
        ("/api/markets/will-it-rain/nothing", 404, "will-it-rain"),
        (f"/api/markets/{'x' * 400}", 422, "300"),
    ],
)
def test_a_name_that_nothing_has_is_told_with_names_near_it(console: Console, path: str, status: int, said: str) -> None:  # fmt: skip
    assert said in str(console.json(path, status)["detail"])


def test_a_name_that_several_have_says_how_to_tell_them_apart(lake: Lake) -> None:
    for name in ("a", "b"):
        rows.followed(lake, name, slug="twice")
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        said = console.json("/api/markets/twice", 422)["detail"]
    assert "2 markets are called" in said
    assert "pm:a" in said
    assert "pm:b" in said


@pytest.mark.parametrize("name", NAMES)
def test_no_name_ends_in_a_fault(console: Console, name: str) -> None:
    """A name is text of somebody's: it is no path, no SQL and no command."""
    escaped = quote(name.encode(errors="replace"), safe="")
    for path in ("/api/markets/{}", "/api/markets/{}/book", "/api/events/{}", "/parts/market/price?of={}"):
        assert console.ask(path.format(escaped)).status_code < 500


def test_a_market_known_from_history_alone_is_found_in_the_whole_lake(lake: Lake) -> None:
    rain(lake)
    rows.imported(lake)
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        found = console.json("/api/markets/weather:hot")
        assert found["market"]["source"] == "weather"
        assert found["quote"] is None
        assert {held["table"]: held["rows"] for held in found["held"]}["history_prices"] == 24
        assert "chart-price" in console.part("market", "price", of="weather:hot")


def test_markets_are_listed_the_largest_first_and_searched_by_words(console: Console) -> None:
    every = console.json("/api/markets", limit=1)
    assert (every["total"], [m["market_id"] for m in every["markets"]]) == (2, ["pm:rain"])
    assert [m["market_id"] for m in console.json("/api/markets", limit=1, offset=1)["markets"]] == ["pm:snow"]
    assert [m["question"] for m in console.json("/api/markets", search="RAIN will")["markets"]] == [QUESTION]
    assert console.json("/api/markets", search="%")["total"] == 0


def test_quotes_and_trades_come_in_pages_the_newest_first(console: Console) -> None:
    prices = console.json("/api/markets/pm:rain/prices", limit=2, offset=1)
    assert (prices["total"], len(prices["quotes"])) == (40, 2)
    assert prices["quotes"][0]["best_bid"] == pytest.approx(0.439)
    trades = console.json("/api/markets/pm:rain/trades", limit=3)
    assert (trades["total"], trades["trades"][0]["price"]) == (9, pytest.approx(0.409))


def test_pages_of_trades_of_one_second_and_amount_have_each_once(lake: Lake) -> None:
    """Beyond the newest, which are kept, pages are read one by one; each has to go on where the one before it ended."""
    rows.followed(lake)
    dealt = [(NOON + n // 500 * SECOND, (100_000, 200_000, 400_000, 500_000)[n % 4], n % 3 == 0) for n in range(1_400)]  # fmt: skip
    rows.file(lake, "trades", [rows.trade("rain", at, price, n=n, is_buy=is_buy, size_e6=10**12 // price) for n, (at, price, is_buy) in enumerate(dealt)], "traded_at")  # fmt: skip
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        pages = [console.json("/api/markets/pm:rain/trades", limit=350, offset=350 * n) for n in range(4)]
    shown = [trade for page in pages for trade in page["trades"]]
    assert {page["total"] for page in pages} == {1_400}
    assert [t["traded_at"] for t in shown] == sorted((t["traded_at"] for t in shown), reverse=True)
    assert Counter((t["traded_at"], round(1e6 * t["price"]), t["is_buy"]) for t in shown) == Counter((f"{at:%Y-%m-%dT%H:%M:%SZ}", *of) for at, *of in dealt)  # fmt: skip


@either_store
@pytest.mark.parametrize("is_closed", [False, True], ids=["open", "closed"])
def test_an_hour_gives_the_same_rows_open_or_closed(lake: Lake, is_closed: bool) -> None:
    """Open hours are read from memory, closed ones from sorted files: none must lose or double a row."""
    rain(lake)
    book(lake, NOON + 10 * MINUTE - SECOND)
    heard = [rows.heard("rain", NOON + n * SECOND, 410_000, sequence=n, tx_hash=n.to_bytes(32, "big")) for n in range(1, 5)]  # fmt: skip
    rows.file(lake, "trades_raw", [*heard, heard[0] | {"connection": 1, "sequence": 99}], "received_at")
    lake.store.remove("trades/date=2026-03-02/hour=12/part-0.parquet")
    if is_closed:
        close(lake, NOON + 2 * HOUR)
    with served(settings_of(lake), clock=after(2 * HOUR)) as console:
        for _ in range(2):
            assert console.json("/api/markets/pm:rain/prices")["total"] == 40
            trades = console.json("/api/markets/pm:rain/trades")
            assert (trades["total"], {t["source"] for t in trades["trades"]}) == (4, {"heard"})
            assert len(console.json("/api/markets/pm:rain/book")["bids"]) == 2


def test_what_was_published_since_is_there_within_seconds(lake: Lake) -> None:
    rain(lake)
    now = [NOON + 10 * MINUTE]
    with served(settings_of(lake), clock=lambda: now[0]) as console:
        assert console.json("/api/markets/pm:rain/prices", limit=1)["total"] == 40
        later = [rows.snapshot("rain", NOON + 11 * MINUTE, 0.5, 0.52)]
        rows.publish(lake, "snapshots", later, part="later")
        now[0] += 2 * MINUTE
        # The listing of a day is asked for again after three seconds.
        console.place.own(_shelves())._days.clear()
        assert console.json("/api/markets/pm:rain/prices", limit=1)["quotes"][0]["best_bid"] == 0.5


def _shelves() -> type:
    from console.markets.shelves import Shelves

    return Shelves


@pytest.mark.parametrize(("minutes", "is_fresh"), [(10, True), (12, False)])
def test_a_book_says_how_old_it_is(lake: Lake, minutes: int, is_fresh: bool) -> None:
    rain(lake)
    book(lake, NOON + 10 * MINUTE - SECOND)
    with served(settings_of(lake), clock=after(minutes * MINUTE)) as console:
        found = console.json("/api/markets/pm:rain/book")
        assert (found["is_fresh"], found["age_s"]) == (is_fresh, (minutes - 10) * 60)
        assert [level["usd"] for level in found["bids"]] == [44.0, 130.0]


def test_predictions_stand_beside_the_price_they_were_made_at(lake: Lake) -> None:
    rain(lake)
    said = [prediction("polymarket/3", NOON + 5 * MINUTE, 0.5), prediction("polymarket/3", NOON + 9 * MINUTE, 0.55)]  # fmt: skip
    rows.file(lake, "predictions", said, "as_of")
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        found = console.json("/api/markets/pm:rain")["predictions"]
    assert [(p["probability"], p["mid"]) for p in found] == [(0.55, 0.42), (0.5, 0.42)]


def test_gaps_and_missed_slots_are_told(lake: Lake) -> None:
    rain(lake)
    rows.file(lake, "stream_gaps", [rows.gap(1, NOON + MINUTE, NOON + 2 * MINUTE)], "to_at")
    rows.file(lake, "sweeps", [rows.sweep(NOON + 5 * MINUTE + 5 * SECOND, "missed", reason="nobody")], "slot_at", tier="t4")  # fmt: skip
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        console.part("market", "held", of="pm:rain", span="6h")
        gaps = {gap["what"]: gap["cause"] for gap in console.json("/api/markets/pm:rain", span="1h")["gaps"]}
    assert gaps == {"not heard": "crashed", "slot missed": "nobody"}


def test_without_a_lake_an_endpoint_says_what_to_set() -> None:
    with served(settings_of()) as console:
        assert "LAKE_ROOT" in console.json("/api/markets", 503)["detail"]


def test_an_empty_lake_has_no_markets(lake: Lake) -> None:
    with served(settings_of(lake)) as console:
        assert console.json("/api/markets")["total"] == 0
        assert "knows none" in console.json("/api/markets/rain", 404)["detail"]


def test_a_damaged_file_is_told_as_that(lake: Lake) -> None:
    rain(lake)
    lake.store.write_bytes("trades/date=2026-03-02/hour=12/part-1.parquet", b"no parquet")
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        assert console.ask("/api/markets/pm:rain/trades").status_code in (422, 503)
        assert console.json("/api/markets/pm:rain/prices")["total"] == 40
