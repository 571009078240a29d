"""What of each dataset becomes what: ends only as they were known beforehand, labels only where they are sure."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.lifecycle import effective_close
from polymarket_assets.venue.records import Market
from polymarket_assets_tests.history_import import cases
from polymarket_assets_tests.history_import.conftest import NOW, Import

HOUR = timedelta(hours=1)


def only(lake: Lake, table: str, **where: Any) -> dict[str, Any]:
    """The one row of a table that has these values."""
    (row,) = [
        row
        for row in reading.rows(lake, table).to_pylist()
        if all(row[name] == value for name, value in where.items())
    ]
    return row


def test_a_weather_bucket_ends_at_its_listed_noon(lake: Lake, folder: Path, import_: Import) -> None:
    cases.weather(folder, [cases.bucket(resolved_yes=True)])
    import_(folder)
    market = only(lake, "history_markets")
    assert market["market_id"] == "weather:111"
    assert (market["effective_close"], market["end_source"]) == (
        datetime(2026, 4, 2, 12, tzinfo=UTC),
        "end_date",
    )
    assert market["close_day"] == date(2026, 4, 2)
    assert (market["venue"], market["neg_risk"], market["event_id"]) == (
        "polymarket", True, "highest-temperature-in-london-on-april-2-2026",
    )  # fmt: skip
    end = only(lake, "resolutions")
    assert (end["state"], end["label"], end["payouts_e6"]) == ("final", 1, [1_000_000, 0])
    assert end["label_seen_at"] > market["effective_close"] + 17 * HOUR, "New York's day is over by then"
    assert json.loads(end["evidence"]) == {"dataset": "weather", "field": "resolved_yes", "value": True}


def test_no_point_at_or_after_the_close_is_a_price(lake: Lake, folder: Path, import_: Import) -> None:
    befores = [HOUR, timedelta(0), -HOUR]
    cases.weather(folder, prices=[cases.point(before=before) for before in befores])
    (imported,) = import_(folder).datasets
    price = only(lake, "history_prices")
    assert price["priced_at"] == price["known_at"] == datetime(2026, 4, 2, 11, tzinfo=UTC)
    assert (price["price_e6"], price["fidelity_s"], price["received_at"]) == (250_000, 3600, NOW)
    assert imported.left_out == {("history_prices", "at or after the close"): 2}


def test_a_price_without_a_market_is_counted_and_left_out(lake: Lake, folder: Path, import_: Import) -> None:
    cases.weather(folder, prices=[cases.point(), cases.point("999")])
    (imported,) = import_(folder).datasets
    assert reading.rows(lake, "history_prices").num_rows == 1
    assert imported.left_out == {("history_prices", "its market is not in the file"): 1}


def test_a_game_has_one_price_at_its_start_and_no_volume(lake: Lake, folder: Path, import_: Import) -> None:
    """The final volume tells how the game was followed: it was not known before."""
    cases.sports(folder)
    import_(folder)
    starts_at = datetime(2025, 3, 5, 3, 30, tzinfo=UTC)
    market, price = only(lake, "history_markets"), only(lake, "history_prices")
    assert market["market_id"] == f"pm:0x{1:064x}"
    assert (market["game_start_at"], market["effective_close"], market["end_source"]) == (
        starts_at, starts_at + 2.75 * HOUR, "game",
    )  # fmt: skip
    assert (market["outcomes"], market["token_ids"]) == (["Pelicans", "Lakers"], ["11", "12"])
    assert market["volume_usd"] is None
    assert (price["known_at"], price["price_e6"]) == (starts_at, 250_000)


@pytest.mark.parametrize(
    ("sport", "hours"), [("nba", 2.75), ("cbb", 2.75), ("nfl", 3.5), ("atp", 3), ("curling", 3)]
)
def test_a_game_ends_as_it_would_had_the_venue_listed_it(
    lake: Lake, folder: Path, import_: Import, sport: str, hours: float
) -> None:
    """The same market, recorded and imported, must not have two ends."""
    cases.sports(folder, [cases.sport(sport=sport, slug=f"{sport}-nop-lal-1")])
    import_(folder)
    row = only(lake, "history_markets")
    listed = Market(
        market_id=row["market_id"], condition_id=row["condition_id"], gamma_id="1", version="v1", slug=row["slug"],
        question=row["question"], outcomes=(), token_ids=(), tags=(sport,), game_start_at=row["game_start_at"],
        sports_market_type=row["sports_market_type"],
    )  # fmt: skip
    assert row["effective_close"] == row["game_start_at"] + hours * HOUR
    assert effective_close(listed).at == row["effective_close"]


@pytest.mark.parametrize(
    ("changed", "state", "label", "payouts"),
    [
        ({"winner": "Pelicans"}, "final", 1, [1_000_000, 0]),
        ({"winner": "Lakers"}, "final", 0, [0, 1_000_000]),
        ({"winner": None, "is_50_50_outcome": 1}, "split", None, [500_000, 500_000]),
        ({"winner": None}, "open", None, None),
        ({"winner": "Celtics"}, "ambiguous", None, None),
        ({"outcome_1": "State", "outcome_2": "State", "winner": "State"}, "ambiguous", None, None),
    ],
)
def test_a_winner_becomes_a_label_only_where_it_decides(
    lake: Lake,
    folder: Path,
    import_: Import,
    changed: dict[str, Any],
    state: str,
    label: int | None,
    payouts: Any,
) -> None:
    cases.sports(folder, [cases.sport(2), cases.sport(**changed)])
    import_(folder)
    end = only(lake, "resolutions", market_id=f"pm:0x{1:064x}")
    assert (end["state"], end["label"], end["payouts_e6"]) == (state, label, payouts)
    assert (end["label_seen_at"] is None) == (label is None)


def test_a_game_before_its_market_keeps_the_label_and_loses_the_price(
    lake: Lake, folder: Path, import_: Import
) -> None:
    cases.sports(folder, [cases.sport(market_created_date="2025-03-05 12:00:00")])
    (imported,) = import_(folder).datasets
    assert reading.rows(lake, "history_prices").num_rows == 0
    assert only(lake, "resolutions")["label"] == 0
    assert imported.left_out == {("history_prices", "before the market was listed"): 1}


def test_the_clock_of_us_is_new_yorks(lake: Lake, folder: Path, import_: Import) -> None:
    """Read as UTC, every quote would stand four hours before it was made: a look into the future."""
    cases.us(folder)
    import_(folder)
    market, price = only(lake, "history_markets", slug=cases.contract()["slug"]), only(lake, "history_prices")
    assert price["priced_at"] == price["known_at"] == datetime(2026, 7, 11, 23, 30, tzinfo=UTC)
    assert market["closed_at"] == datetime(2026, 7, 12, 2, 17, tzinfo=UTC)
    assert market["close_day"] == date(2026, 7, 12)
    assert market["listed_at"] == datetime(2026, 7, 11, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("slug", "effective_close", "end_source"),
    [
        ("aec-mlb-hou-tex-2026-07-11", datetime(2026, 7, 12, 4, tzinfo=UTC), "slug_date"),
        ("cpc-btc-150k-07-31-2026", datetime(2026, 8, 1, 4, tzinfo=UTC), "slug_date"),
        ("aec-nfl-2026-12-20", datetime(2026, 12, 21, 5, tzinfo=UTC), "slug_date"),
        ("cpc-btc-150k", None, "none"),
        ("aec-x-2026-13-41", None, "none"),
    ],
)
def test_us_ends_with_the_day_its_slug_names_never_with_its_delisting(
    lake: Lake, folder: Path, import_: Import, slug: str, effective_close: datetime | None, end_source: str
) -> None:
    cases.us(folder, [cases.contract(slug)], [cases.quote(slug)])
    import_(folder)
    market = only(lake, "history_markets", slug=slug)
    assert (market["effective_close"], market["end_source"]) == (effective_close, end_source)


def test_what_was_listed_when_recording_began_has_no_known_listing(
    lake: Lake, folder: Path, import_: Import
) -> None:
    cases.us(folder)
    import_(folder)
    assert only(lake, "history_markets", slug=cases.FIRST["slug"])["listed_at"] is None


@pytest.mark.parametrize(
    ("bid", "ask", "price_e6", "bid_e6", "ask_e6"),
    [
        (0.4, 0.42, 410_000, 400_000, 420_000),
        (0.4, 0.4, 400_000, 400_000, 400_000),
        (None, 0.42, None, None, 420_000),
        (0.4, None, None, 400_000, None),
        (None, None, None, None, None),
        (0.43, 0.42, None, 430_000, 420_000),
    ],
)
def test_quotes_have_a_price_only_where_both_sides_rest_uncrossed(
    lake: Lake, folder: Path, import_: Import, bid: Any, ask: Any, price_e6: Any, bid_e6: Any, ask_e6: Any
) -> None:
    other = cases.quote(ts=cases.wall("2026-07-11 10:00"))
    cases.us(folder, quotes=[other, cases.quote(bid=bid, ask=ask)])
    import_(folder)
    row = only(lake, "history_prices", priced_at=datetime(2026, 7, 11, 23, 30, tzinfo=UTC))
    assert (row["price_e6"], row["bid_e6"], row["ask_e6"], row["fidelity_s"]) == (price_e6, bid_e6, ask_e6, 0)


@pytest.mark.parametrize(
    ("changed", "state", "label"),
    [
        ({"y": 1}, "final", 1),
        ({"y": 0}, "final", 0),
        ({"label_source": "convergence"}, "ambiguous", None),
        ({"y": None}, "open", None),
    ],
)
def test_a_us_label_counts_only_as_the_venue_gave_it(
    lake: Lake, folder: Path, import_: Import, changed: dict[str, Any], state: str, label: int | None
) -> None:
    """A label inferred from the last price would make that price look right."""
    cases.us(folder, [cases.contract(**changed)])
    import_(folder)
    end = only(lake, "resolutions", market_id=f"us:{cases.contract()['slug']}")
    assert (end["state"], end["label"]) == (state, label)
    assert json.loads(end["evidence"])["label_source"] == changed.get("label_source", "api")


def test_a_market_that_was_still_listed_at_the_end_is_left_out_whole(
    lake: Lake, folder: Path, import_: Import
) -> None:
    cases.us(folder, [cases.contract(still_listed_at_end=True)])
    (imported,) = import_(folder).datasets
    assert imported.left_out == {
        ("history_markets", "still listed when the recording ended"): 1,
        ("history_prices", "its market is left out"): 1,
    }
    assert reading.rows(lake, "resolutions").column("market_id").to_pylist() == [f"us:{cases.FIRST['slug']}"]
    assert reading.rows(lake, "history_prices").num_rows == 0


def test_a_market_cut_off_by_an_outage_keeps_its_label_and_loses_its_quotes(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Its settlement is the venue's; its last quotes are those before an outage, not before its end."""
    cases.us(folder, [cases.contract(truncated_by_outage=True)])
    (imported,) = import_(folder).datasets
    assert imported.left_out == {("history_prices", "its market was cut off by the collector's outage"): 1}
    assert only(lake, "resolutions", market_id=f"us:{cases.contract()['slug']}")["label"] == 1
