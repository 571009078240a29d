"""What of each further dataset becomes what, by the warnings its README gives."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.history_import.forms import FORMS
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.history_import.cases import Rows, wall, write
from polymarket_assets_tests.history_import.conftest import Import
from polymarket_assets_tests.history_import.test_rows import only

CONDITION = f"0x{7:064x}"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def put(folder: Path, **files: Rows) -> Path:
    for name, rows in files.items():
        write(folder / f"{name}.parquet", rows)
    return folder


MLB = {
    "condition_id": CONDITION, "token_id": "77", "market_type": "total", "season": 2026, "first_pitch": utc("2026-04-02 18:00"),
    "is_winner": True, "slug": "mlb-bos-cin-2026-04-02-total-8pt5", "cohort": "primary",
}  # fmt: skip


def book(at: str = "2026-04-02 17:00", **changed: Any) -> dict[str, Any]:
    bids, asks = [{"price": 0.49, "size": 100.5}, {"price": 0.4, "size": 3.0}], [{"price": 0.52, "size": 7.0}]
    return {
        "condition_id": CONDITION,
        "token_id": "77",
        "timestamp": utc(at),
        "bids": bids,
        "asks": asks,
        **changed,
    }


def test_the_recorded_token_of_a_baseball_market_is_its_canonical_one(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Under the market's own id, this label would be read as that of the venue's first outcome."""
    import_(put(folder, mlb_markets=[MLB], mlb_books=[book(), book("2026-04-02 22:00")]))
    market = only(lake, "history_markets")
    assert (market["market_id"], market["condition_id"], market["token_ids"]) == ("mlb:77", CONDITION, ["77"])
    assert (market["event_id"], market["game_start_at"]) == ("mlb-bos-cin-2026-04-02", MLB["first_pitch"])
    assert market["effective_close"] == MLB["first_pitch"] + timedelta(hours=3.5)
    assert only(lake, "resolutions")["label"] == 1
    held = only(lake, "history_books")
    assert held["bids"] == [
        {"price_e6": 490_000, "size_e6": 100_500_000},
        {"price_e6": 400_000, "size_e6": 3_000_000},
    ]
    assert (held["booked_at"], held["known_at"]) == (utc("2026-04-02 17:00"),) * 2


@pytest.mark.parametrize(("ask", "price"), [(0.52, 505_000), (0.49, 490_000), (0.48, None), (None, None)])
def test_a_book_gives_a_price_only_where_both_sides_rest_uncrossed(
    lake: Lake, folder: Path, import_: Import, ask: float | None, price: int | None
) -> None:
    asks = [{"price": ask, "size": 1.0}] if ask else []
    # Another book keeps the type of an empty list.
    import_(put(folder, mlb_markets=[MLB], mlb_books=[book("2026-04-02 16:00"), book(asks=asks)]))
    row = only(lake, "history_prices", priced_at=utc("2026-04-02 17:00"))
    assert (row["bid_e6"], row["price_e6"], row["ask_e6"]) == (490_000, price, ask and round(ask * 1e6))


FB = {
    "id": CONDITION, "outcome": 1.0, "resolution_date": "2026-02-20", "n_due_dates": 1, "question": "Will it?",
    "market_info_open_datetime": "2025-10-22", "market_info_close_datetime": "2026-04-12T00:00:00+00:00",
}  # fmt: skip


def value(date: str, public: str | None, kind: str = "resolution_set_daily") -> dict[str, Any]:
    at = utc(public) if public else None
    return {
        "id": CONDITION,
        "date": date,
        "market_value": 0.25,
        "first_commit_time": at,
        "commit": "c",
        "kind": kind,
    }


def test_a_forecast_is_known_from_the_commit_that_published_it(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Its date is a day before anybody could read it; an early resolution is no expected end."""
    values = [
        value("2026-02-01", "2026-02-02 02:00"),
        value("2026-02-01", None, "question_set_freeze_value"),
        value("2026-02-19", "2026-02-20 02:00"),
    ]
    (imported,) = import_(put(folder, fb_markets=[FB], fb_prices=values)).datasets
    price, market = only(lake, "history_prices"), only(lake, "history_markets")
    assert (price["priced_at"], price["known_at"]) == (utc("2026-02-01"), utc("2026-02-02 02:00"))
    assert (market["effective_close"], market["closed_at"]) == (utc("2026-04-12"), utc("2026-02-20"))
    assert only(lake, "resolutions")["label_seen_at"] > market["effective_close"]
    assert imported.left_out == {
        ("history_prices", "at or after the close"): 1,
        ("history_prices", "nobody knows when it became public"): 1,
    }


def test_an_hour_of_a_coin_is_read_from_its_name_in_new_york(
    lake: Lake, folder: Path, import_: Import
) -> None:
    market = {"asset": "ETH", "market_name": "Ethereum Up or Down - July 22, 10PM ET", "token_id": "5",
              "first_ts": utc("2025-07-23 02:00:04"), "last_ts": utc("2025-07-23 02:59:04"), "outcome_up": 0.0}  # fmt: skip
    quote = {
        "timestamp": utc("2025-07-23 02:38:04"),
        "token_id": "5",
        "best_bid": 0.91,
        "best_ask": 0.94,
        "spot_usdt": 1.0,
    }
    import_(put(folder, crypto_hourly_markets=[market], crypto_hourly_quotes=[quote]))
    row = only(lake, "history_markets")
    assert (row["window_start_at"], row["effective_close"]) == (
        utc("2025-07-23 02:00"),
        utc("2025-07-23 03:00"),
    )
    assert row["event_id"] == "crypto_hourly:2025-07-23T02", "four coins of an hour move together"
    assert only(lake, "resolutions")["label"] == 0
    assert only(lake, "history_prices")["price_e6"] == 925_000


@pytest.mark.parametrize(
    ("bid", "ask", "held"), [(0.98, 0.99, (980_000, 990_000, 985_000)), (1.0, 1.0, (None,) * 3), (0.0, 0.0, (None,) * 3)]
)  # fmt: skip
def test_quotes_at_the_bounds_are_an_empty_side_and_no_price(
    lake: Lake, folder: Path, import_: Import, bid: float, ask: float, held: tuple[int | None, ...]
) -> None:
    """Nobody can rest an order at 0 or 1; as a price it would be the outcome itself."""
    market = {"asset": "ETH", "market_name": "Ethereum Up or Down - July 22, 10PM ET", "token_id": "5",
              "first_ts": utc("2025-07-23 02:00:04"), "outcome_up": 1.0}  # fmt: skip
    quote = {
        "timestamp": utc("2025-07-23 02:38:04"),
        "token_id": "5",
        "best_bid": bid,
        "best_ask": ask,
        "spot_usdt": 1.0,
    }
    import_(put(folder, crypto_hourly_markets=[market], crypto_hourly_quotes=[quote]))
    row = only(lake, "history_prices")
    assert (row["bid_e6"], row["ask_e6"], row["price_e6"]) == held


@pytest.mark.parametrize(
    ("slug", "close", "event"),
    [
        ("arg-aaj-bel-2026-02-02-draw", "2026-02-03 05:00", "arg-aaj-bel-2026-02-02"),
        ("us-strike-on-cuba-by-january-31-867", "2026-02-01 05:00", None),
        ("highest-temperature-in-seoul-on-february-3-2026-0c", "2026-02-04 05:00", "highest-temperature-in-seoul-on-february-3"),
        ("will-x-january-27-february-2", "2026-02-03 05:00", None),
        ("will-ay-win-the-most-seats-in-the-2026-costa-rican-legislative-assembly-election", None,
         "2026-costa-rican-legislative-assembly-election"),
        ("will-gold-hit-low-4700", None, None),
    ],
)  # fmt: skip
def test_a_mixed_market_ends_with_the_day_its_slug_names_never_when_trading_stopped(
    lake: Lake, folder: Path, import_: Import, slug: str, close: str | None, event: str | None
) -> None:
    market = {
        "market_slug": slug,
        "question": "?",
        "outcome": 1.0,
        "label_ts": utc("2026-02-03 06:40"),
        "first_ts": utc("2026-01-23 20:50"),
    }
    price = {"timestamp": utc("2026-02-01 01:00"), "market_slug": slug, "price": 0.25}
    (imported,) = import_(put(folder, general10m_markets=[market], general10m_prices=[price, price])).datasets
    row = only(lake, "history_markets")
    assert row["effective_close"] == (utc(close) if close else None)
    assert row["event_id"] == (event or slug)
    assert imported.left_out == {("history_prices", "repeats an instant"): 1}


def test_the_election_is_one_event_and_is_cut_before_its_day(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """The national series runs on past the result."""
    market = {
        "market": "state winner",
        "state": "TN",
        "candidate": "Kamala Harris",
        "outcome": 0.0,
        "condition_id_from_gamma": CONDITION,
    }
    other = {**market, "candidate": "Other", "outcome": None, "condition_id_from_gamma": None}
    price = {
        "market": "state winner",
        "state": "TN",
        "candidate": "Kamala Harris",
        "timestamp_utc": 1_730_700_003,
        "price": 0.05,
    }
    folded = [{**price, "timestamp_utc": 1_730_610_003, "price": p} for p in (0.04, 0.06)]
    late = {**price, "timestamp_utc": 1_730_800_000}
    (imported,) = import_(
        put(folder, election2024_markets=[market, other], election2024_prices=[price, *folded, late])
    ).datasets
    assert only(lake, "history_prices")["market_id"] == f"pm:{CONDITION}"
    assert {row["event_id"] for row in reading.rows(lake, "history_markets").to_pylist()} == {
        "us-presidential-election-2024"
    }
    assert only(lake, "resolutions", market_id="election2024:TN|Other")["state"] == "open"
    assert imported.left_out == {
        ("history_prices", "at or after the close"): 1,
        ("history_prices", "two prices of one instant: the clocks went back"): 2,
    }


GAMMA = {
    "id": "506580", "conditionId": CONDITION, "slug": "chess", "question": "Chess?", "event_id": "12441", "event_slug": "olympiad",
    "event_title": "Olympiad", "series_slug": None, "createdAt": "2024-09-06T20:34:12Z", "endDate": "2024-09-22T12:00:00Z",
    "closedTime": "2024-09-22 23:52:05+00", "outcomes": '["Yes", "No"]', "outcomePrices": '["0", "1"]', "clobTokenIds": '["1", "2"]',
    "volumeNum": 32371.5, "lastTradePrice": 1.0, "bestBid": 0.999, "bestAsk": 1.0, "spread": 0.001, "liquidityNum": 5.0,
    "orderPriceMinTickSize": 0.001, "orderMinSize": 5, "negRisk": True, "negRiskMarketID": "0x9c", "umaResolutionStatus": "resolved",
    "umaResolutionStatuses": "[]", "closed": True, "event_tags": ["Chess", "Sports"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "state", "label"),
    [
        ({}, "final", 0),
        ({"outcomePrices": '["1", "0"]'}, "final", 1),
        ({"outcomePrices": '["0.5", "0.5"]'}, "split", None),
        ({"outcomePrices": '["1", "1"]'}, "ambiguous", None),
        ({"outcomePrices": '["0", "0"]'}, "ambiguous", None),
        ({"outcomePrices": '["0.999", "0.001"]'}, "ambiguous", None),
        ({"umaResolutionStatus": "proposed"}, "proposed", None),
        ({"umaResolutionStatus": "disputed"}, "disputed", None),
        ({"umaResolutionStatus": None}, "proposed", None),
        ({"outcomes": '["A", "B", "C"]', "clobTokenIds": '["1", "2", "3"]', "outcomePrices": '["1", "0", "0"]'}, "ambiguous", None),
    ],
)  # fmt: skip
def test_a_catalogue_row_is_labelled_by_the_rule_for_markets_we_followed(
    lake: Lake, folder: Path, import_: Import, changed: dict[str, Any], state: str, label: int | None
) -> None:
    import_(put(folder, gamma_markets_2024=[{**GAMMA, **changed}]))
    end = only(lake, "resolutions")
    assert (end["market_id"], end["state"], end["label"]) == (f"pm:{CONDITION}", state, label)


def test_nothing_of_after_the_end_enters_from_a_catalogue_row(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Volume, quotes and the last trade of a closed market tell how it ended."""
    import_(put(folder, gamma_markets_2024=[GAMMA]))
    market = only(lake, "history_markets")
    assert (market["volume_usd"], market["volume_24h_usd"], market["liquidity_usd"]) == (None, None, None)
    assert (market["category"], market["tick_e6"], market["neg_risk"]) == ("sports", 1000, True)
    assert market["closed_at"] == utc("2024-09-22 23:52:05")
    assert reading.rows(lake, "history_prices").num_rows == 0
    assert set(json.loads(only(lake, "resolutions")["evidence"])) == {"prices", "status"}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"closedTime": None}, "the catalogue row does not say when it closed"),
        ({"clobTokenIds": '["1"]'}, "the catalogue row cannot be read"),
    ],
)
def test_a_catalogue_row_that_cannot_be_filed_is_left_out_and_counted(
    lake: Lake, folder: Path, import_: Import, changed: dict[str, Any], why: str
) -> None:
    other = {**GAMMA, "conditionId": f"0x{8:064x}"}
    (imported,) = import_(put(folder, gamma_markets_2024=[other, {**GAMMA, **changed}])).datasets
    assert imported.left_out == {("history_markets", why): 1}
    assert reading.rows(lake, "resolutions").num_rows == 1


def trade(**changed: Any) -> dict[str, Any]:
    return {
        "timestamp_utc": utc("2025-10-10 08:23"), "condition_id": CONDITION, "token_id": "1", "market_slug": "nobel", "event_slug": "e",
        "title": "Nobel?", "outcome": "No", "outcome_index": 1.0, "side": "BUY", "price": 0.25, "size": 10.0, "usdc_value": 2.5,
        "wallet_hash": "w", "tx_hash": "4d32ef5db07f2133", "note": None, **changed,
    }  # fmt: skip


def test_trades_are_filed_by_the_midnight_after_the_last_one(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Nobody says when the market closed, so it has no effective close and no features."""
    rows = [trade(), trade(), trade(side="Sell", price=0.3), trade(size=0.0), trade(price=None, tx_hash="x")]
    (imported,) = import_(put(folder, trades=rows)).datasets
    market = only(lake, "history_markets")
    assert (market["closed_at"], market["effective_close"], market["end_source"]) == (
        utc("2025-10-11"),
        None,
        "none",
    )
    held = reading.rows(lake, "history_trades").sort_by("n").to_pylist()
    assert [
        (row["n"], row["is_buy"], row["price_e6"], row["size_e6"], row["outcome_index"]) for row in held
    ] == [
        (0, True, 250_000, 10_000_000, 1),
        (1, False, 300_000, 10_000_000, 1),
    ]
    assert all(row["truncated"] and row["tx_hash"] is None for row in held)
    assert imported.left_out == {
        ("history_trades", "it has no price"): 1,
        ("history_trades", "it is of no shares"): 1,
        ("history_trades", "repeats another row"): 1,
    }
    assert imported.labelled is None


def test_a_trade_without_the_number_of_its_outcome_gets_a_market_of_its_own(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Which is the venue's first outcome is not known; under its id the trades of both would be mixed up."""
    import_(put(folder, trades=[trade(outcome_index=None, outcome=outcome) for outcome in ("No", "Yes")]))
    market = only(lake, "history_markets")
    assert (market["market_id"], market["outcomes"]) == (f"trades:{CONDITION}", ["Yes", "No"])
    assert sorted(row["outcome_index"] for row in reading.rows(lake, "history_trades").to_pylist()) == [0, 1]


def tick(ts_ms: int, bid: float | None, **changed: Any) -> dict[str, Any]:
    sides = {
        f"{side}_{what}_up_{n}": None for side in ("bid", "ask") for what in ("px", "sz") for n in range(2, 6)
    }
    return {
        "ts_ms": ts_ms, "market_slug": "btc-updown-15m-1771633800", "condition_id": CONDITION, "token_id_up": "1", "token_id_down": "2",
        "window_start_ms": 1_771_633_800_000, "window_end_ms": 1_771_634_700_000, "bid_px_up_1": bid, "bid_sz_up_1": 3.0,
        "ask_px_up_1": 0.6, "ask_sz_up_1": 4.0, **sides, "bid_px_up_2": 0.1, "bid_sz_up_2": 2.0, "ask_px_up_2": 0.9, "ask_sz_up_2": 1.0,
        **changed,
    }  # fmt: skip


def test_of_books_of_one_instant_the_last_counts_once_the_clock_ticked_again(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """Rows come faster than their clock: the last was not there yet when the instant began."""
    rows = [
        tick(1_771_633_806_261, 0.4),
        tick(1_771_633_806_261, 0.5),
        tick(1_771_633_807_265, None),
        tick(1_771_633_808_269, 0.4),
        tick(1_771_634_704_894, 0.9),
    ]
    (imported,) = import_(put(folder, btc15m_books_5lvl=rows)).datasets
    first, second = reading.rows(lake, "history_books").sort_by("booked_at").to_pylist()
    assert [level["price_e6"] for level in first["bids"]] == [500_000, 100_000]
    assert first["known_at"] == second["booked_at"]
    assert [level["price_e6"] for level in second["bids"]] == [100_000], "a level that is missing is none"
    assert imported.left_out[("history_books", "another book of its instant came later")] == 1
    # The one before it may have been written until the clock ticked after the close.
    assert imported.left_out[("history_books", "at or after the close")] == 2


def test_ticks_of_windows_of_doubtful_length_have_no_effective_close(
    lake: Lake, folder: Path, import_: Import
) -> None:
    row = {"timestamp_utc": "18:45:02.900", "ms_since_candle_start": 2900, "asset": "BTC", "side": "Up", "up_bid": 0.5, "up_ask": 0.51,
           "window_start_utc": utc("2026-04-21 18:45")}  # fmt: skip
    import_(put(folder, crypto15m_ticks=[row]))
    market, price = only(lake, "history_markets"), only(lake, "history_prices")
    assert market["effective_close"] is None
    assert (price["priced_at"], price["price_e6"]) == (utc("2026-04-21 18:45:02.900"), 505_000)


def test_five_minute_markets_bring_their_outcome_and_no_quotes(
    lake: Lake, folder: Path, import_: Import
) -> None:
    """The quotes in the file are of after the end."""
    row = {"slug": "btc-updown-5m-1780883100", "condition_id": CONDITION, "start_sec": 1_780_883_100, "end_sec": 1_780_883_400,
           "resolved": True, "token_id_up": "1", "token_id_down": "2", "outcome_price_up": "0", "outcome_price_down": "1",
           "gamma_id": "2459165", "gamma_question": "Up or Down", "gamma_closedTime": "2026-06-08 01:50:25+00", "gamma_bestBid": 0.48}  # fmt: skip
    import_(put(folder, btc5m_markets=[row]))
    assert only(lake, "history_markets")["effective_close"] == utc("2026-06-08 01:50")
    assert only(lake, "resolutions")["label"] == 0
    assert reading.rows(lake, "history_prices").num_rows == 0


def test_live_quotes_end_with_the_listed_end_and_bring_no_outcome(
    lake: Lake, folder: Path, import_: Import
) -> None:
    row = {"fetched_at_utc": "2026-06-21T10:00:00+00:00", "id": "1", "conditionId": CONDITION, "slug": "s", "question": "q", "event_id": "e",
           "event_slug": "es", "endDate": "2026-06-21T12:00:00Z", "outcomes": '["Yes", "No"]', "clobTokenIds": '["1", "2"]',
           "bestBid": 0.1, "bestAsk": 0.12, "volumeNum": 5.0, "orderPriceMinTickSize": 0.001}  # fmt: skip
    late = {**row, "fetched_at_utc": "2026-06-21T13:00:00+00:00"}
    (imported,) = import_(put(folder, weather_gamma_snapshots=[row, late])).datasets
    market, price = only(lake, "history_markets"), only(lake, "history_prices")
    assert (market["effective_close"], market["category"], market["volume_usd"]) == (
        utc("2026-06-21 12:00"),
        "weather",
        None,
    )
    assert (price["known_at"], price["price_e6"], price["bid_e6"]) == (
        utc("2026-06-21 10:00"),
        110_000,
        100_000,
    )
    assert imported.labelled is None
    assert reading.rows(lake, "resolutions").num_rows == 0


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_in_the_document(name: str) -> None:
    from polymarket_assets_tests.conftest import PROJECT

    assert f"| `{name}` |" in (PROJECT / "docs" / "import.md").read_text()


def test_files_that_are_no_forms_are_passed_over_with_the_reason(folder: Path, import_: Import) -> None:
    put(folder, trades=[trade()], resolved_index=[{"market_key": "k", "close_ts": wall("2026-01-01"), "close_basis": "b", "outcome": 1.0}],
        chainlink=[{"feed_ts_ms": "1", "full_accuracy_value": "2"}])  # fmt: skip
    passed = {path.name: why for path, why in import_(folder).passed_over}
    assert passed["resolved_index.parquet"].startswith("an index over other files")
    assert passed["chainlink.parquet"].startswith("the price of a coin")
