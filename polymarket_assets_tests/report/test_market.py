"""The page of a market, whatever there is of it: what there is is drawn, what there is not says why and what to run."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest

from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.schemas.declare import DAY, INSTANT, LEVELS, TEXT, Grain, required
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import market as report
from polymarket_assets.report.page import Page, Panel
from polymarket_assets.shards import shard_of
from polymarket_assets_tests.report import rows
from polymarket_assets_tests.report.rows import HOUR, MINUTE, NOON, SECOND, followed, imported, now, publish

PRICE, SPREAD, DEPTH, VOLUME = range(4)


def page(lake: Lake, name: str, **asked: Any) -> Page:
    return report.page(lake, name, clock=now, **asked)


def drawn(page: Page) -> list[bool]:
    """Which of price, spread, depth and volume are there."""
    return [panel.chart is not None for panel in page.panels]


def marks(panel: Panel) -> list[dict[str, Any]]:
    """The rows that a chart draws, of all its layers."""
    assert panel.chart is not None
    return [
        row
        for held in panel.chart.to_dict()["datasets"].values()
        for row in (json.loads(held) if isinstance(held, str) else held)
    ]


def ms(at: Any) -> int:
    return round(at.timestamp() * 1000)


def cells(page: Page, title: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    return {row[0]: list(row) for grid in page.grids if grid.title == title for row in grid.rows}


def said(page: Page) -> str:
    return " ".join([*page.badges, *page.notes, *(panel.remark for panel in page.panels), *(grid.remark for grid in page.grids)])  # fmt: skip


# --- what there can be


def test_a_followed_market_shows_quotes_depth_and_trades(lake: Lake) -> None:
    followed(lake)
    rows.file(lake, "trades", [rows.trade("rain", NOON + n * MINUTE, 410_000, n=n) for n in range(1, 4)], "traded_at")  # fmt: skip
    made = page(lake, "will-it-rain")
    assert drawn(made) == [True, True, True, True]
    quotes = [row for row in marks(made.panels[PRICE]) if "mid" in row]
    assert [row["drawn_at"] for row in quotes] == [ms(NOON + n * 15 * SECOND) for n in range(1, 41)]
    assert (quotes[0]["bid"], quotes[0]["ask"]) == (0.401, 0.421)
    assert {row["bid_5c"] for row in marks(made.panels[DEPTH]) if "bid_5c" in row} == {500.0}
    assert sum(row["usd"] for row in marks(made.panels[VOLUME]) if "usd" in row) == pytest.approx(3 * 4.1)
    assert cells(made, "What there is")["snapshots"][1] == "40"
    assert "recorded live" in made.badges


def test_a_trade_in_the_other_outcome_is_drawn_as_one_in_the_canonical(lake: Lake) -> None:
    """Buying No at 0.6 is selling Yes at 0.4: drawn as it came it would lie far off the price."""
    followed(lake)
    other = rows.trade("rain", NOON + MINUTE, 590_000, outcome_index=1, token_id="2")
    rows.file(lake, "trades", [other], "traded_at")
    (point,) = [row for row in marks(page(lake, "will-it-rain").panels[PRICE]) if "usd" in row]
    assert (point["price"], point["side"], point["usd"]) == (0.41, "taker sells", 5.9)


def test_trades_of_an_hour_that_is_not_built_yet_are_drawn_once_as_heard(lake: Lake) -> None:
    """The page of a live market would have none of its last hour."""
    followed(lake)
    copies = [rows.heard("rain", NOON + MINUTE, 410_000, sequence=n, connection=n, tx_hash=b"x" * 32) for n in range(2)]  # fmt: skip
    rows.file(lake, "trades_raw", copies, "received_at")
    made = page(lake, "will-it-rain")
    assert len([row for row in marks(made.panels[PRICE]) if "usd" in row]) == 1
    assert "1 are as heard" in made.panels[PRICE].remark


def test_an_imported_market_shows_its_prices_and_says_what_a_dataset_lacks(lake: Lake) -> None:
    imported(lake)
    publish(lake, "resolutions", [rows.resolution("weather:hot", NOON, 1, source="weather", evidence='{"dataset":"weather","resolved_yes":true}')])  # fmt: skip
    made = page(lake, "weather:hot")
    assert drawn(made) == [True, False, False, False]
    assert [row["price"] for row in marks(made.panels[PRICE]) if "price" in row] == [(300_000 + n * 1000) / 1e6 for n in range(24, 0, -1)]  # fmt: skip
    assert "weather has displayed prices, no quotes: nobody sampled it" in made.panels[SPREAD].remark
    assert "the dataset weather has none" in made.panels[VOLUME].remark
    assert {"imported from weather", "final: Yes won"} <= set(made.badges)
    assert "dataset weather · resolved_yes yes" in cells(made, "How it ended")["1"][6]


def test_quotes_of_history_give_a_band_and_a_spread(lake: Lake) -> None:
    publish(lake, "history_markets", [rows.closed_market("us:x", NOON, source="us", venue="polymarket_us")])
    quotes = [rows.price("us:x", NOON - n * MINUTE, None, bid_e6=400_000, ask_e6=430_000, source="us", close_day=NOON.date()) for n in range(1, 9)]  # fmt: skip
    publish(lake, "history_prices", quotes)
    made = page(lake, "us:x")
    assert drawn(made) == [True, True, False, False]
    assert {round(row["spread_c"], 6) for row in marks(made.panels[SPREAD]) if "spread_c" in row} == {3.0}
    assert "have the best prices only" in made.panels[DEPTH].remark


def test_trades_of_history_are_drawn(lake: Lake) -> None:
    imported(lake)
    made_of = {"market_id": "weather:hot", "close_day": NOON.date(), "received_at": NOON, "outcome_index": 0, "is_buy": True, "truncated": True, "source": "weather"}  # fmt: skip
    traded = [{**made_of, "traded_at": NOON - HOUR, "n": n, "price_e6": 400_000, "size_e6": 1_000_000} for n in range(2)]  # fmt: skip
    lake.publish_rows("history_trades", traded, part="0", at=NOON.date())
    made = page(lake, "weather:hot")
    assert drawn(made)[VOLUME]
    assert "ended early" in cells(made, "What there is")["history_trades"][4]


HISTORY_BOOKS = Table(
    "history_books", "a book", ("market_id", "booked_at"), "close_day",
    (required("market_id", TEXT, ""), required("close_day", DAY, ""), required("booked_at", INSTANT, ""), required("known_at", INSTANT, ""),
     required("received_at", INSTANT, ""), required("bids", LEVELS, ""), required("asks", LEVELS, ""), required("source", TEXT, "")),
    grain=Grain.DAY,
)  # fmt: skip


def test_books_of_history_give_depth(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "history_books", TABLES.get("history_books", HISTORY_BOOKS))
    publish(lake, "history_markets", [rows.closed_market("mlb:x", NOON, source="mlb")])
    bids = [{"price_e6": 400_000 - n * 20_000, "size_e6": 10_000_000} for n in range(5)]
    asks = [{"price_e6": 420_000 + n * 20_000, "size_e6": 10_000_000} for n in range(5)]
    books = [
        {"market_id": "mlb:x", "close_day": NOON.date(), "booked_at": NOON - n * MINUTE, "known_at": NOON, "received_at": NOON, "bids": bids, "asks": asks, "source": "mlb"}
        for n in range(1, 4)
    ]  # fmt: skip
    lake.publish_rows("history_books", books, part="0", at=NOON.date())
    made = page(lake, "mlb:x")
    assert drawn(made) == [True, True, True, False]
    (depth,) = {(row["bid_1c"], round(row["bid_5c"], 6), round(row["ask_5c"], 6)) for row in marks(made.panels[DEPTH]) if "bid_1c" in row}  # fmt: skip
    assert depth == (4.0, round(4.0 + 3.8 + 3.6, 6), round(4.2 + 4.4 + 4.6, 6))


# --- what there can fail to be


def test_a_market_with_nothing_says_in_every_place_why(lake: Lake) -> None:
    publish(lake, "markets", [rows.market("rain", NOON, NOON + HOUR, slug="will-it-rain")])
    made = page(lake, "will-it-rain")
    assert drawn(made) == [False] * 4
    for panel in made.panels:
        assert "make up" in panel.remark or "streamer run" in panel.remark
    assert "--select resolutions" in said(made)


def test_a_market_fetched_after_its_close_says_which_partition_to_fetch(lake: Lake) -> None:
    publish(lake, "history_markets", [rows.closed_market("pm:x", NOON, source="polymarket", slug="x")])
    made = page(lake, "x")
    assert "--select history_prices --partition 2026-03-02" in made.panels[PRICE].remark
    assert "--select history_trades --partition 2026-03-02" in made.panels[VOLUME].remark


def test_a_market_of_the_census_says_why_it_is_not_followed(lake: Lake) -> None:
    row = {"market_id": "pm:x", "received_at": NOON, "first_seen_at": NOON, "fate": "open", "why_not": "too small, or other tags", "slug": "small"}  # fmt: skip
    lake.publish_rows("census", [row], part="0", at=NOON)
    made = page(lake, "small")
    assert "not followed (too small, or other tags): MIN_VOLUME_USD" in said(made)


def test_a_market_of_which_only_the_end_is_known_has_a_page(lake: Lake) -> None:
    publish(lake, "resolutions", [rows.resolution("pm:gone", NOON, 0)])
    made = page(lake, "pm:gone")
    assert made.title == "pm:gone"
    assert "in no catalogue of this lake" in made.badges
    assert "final: the first outcome lost" in made.badges


def test_a_one_sided_book_is_drawn_without_a_mid(lake: Lake) -> None:
    publish(lake, "markets", [rows.market("rain", NOON, NOON + HOUR, slug="will-it-rain")])
    publish(lake, "snapshots", [rows.snapshot("rain", NOON + n * MINUTE, 0.4, None) for n in range(1, 4)])
    made = page(lake, "will-it-rain")
    assert drawn(made) == [True, False, False, False]
    assert "never two-sided" in made.panels[SPREAD].remark


# --- what was not known


def shades(made: Page) -> list[tuple[str, int, int]]:
    return [(row["what"], row["drawn_at"], row["until"]) for row in marks(made.panels[PRICE]) if "cause" in row]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "shaded"),
    [
        ({}, True),
        ({"market_id": "pm:rain"}, True),
        ({"market_id": "pm:other"}, False),
        ({"connection": 0}, True),
        ({"connection": 1}, False),
        ({"gap_id": f"20261102T120000Z-{shard_of('pm:rain', 2)}of2-a:0"}, True),
        ({"gap_id": f"20261102T120000Z-{1 - shard_of('pm:rain', 2)}of2-a:0"}, False),
    ],
    ids=[
        "nobody ran",
        "this market",
        "another market",
        "its socket",
        "another socket",
        "its shard",
        "another shard",
    ],
)
def test_gaps_that_made_the_market_deaf_are_shaded_and_no_others(lake: Lake, more: dict[str, Any], shaded: bool) -> None:  # fmt: skip
    followed(lake)
    rows.file(lake, "trades_raw", [rows.heard("rain", NOON + 30 * SECOND, 410_000)], "received_at")
    rows.file(lake, "stream_gaps", [rows.gap(1, NOON + 2 * MINUTE, NOON + 4 * MINUTE, **more)], "to_at")
    expected = [("not heard", ms(NOON + 2 * MINUTE), ms(NOON + 4 * MINUTE))]
    assert shades(page(lake, "will-it-rain")) == (expected if shaded else [])


def test_missed_slots_of_its_tier_are_shaded(lake: Lake) -> None:
    """Two in a row are one shade; a slot of another tier or of before its time is none."""
    followed(lake)
    slots = [NOON + 5 * MINUTE + n * 15 * SECOND + 5 * SECOND for n in range(2)]
    rows.file(
        lake,
        "sweeps",
        [rows.sweep(at, "missed", reason="no run sampled") for at in slots],
        "slot_at",
        tier="t4",
    )
    rows.file(lake, "sweeps", [rows.sweep(NOON - MINUTE, "missed")], "slot_at", tier="t4", part="1")
    rows.file(lake, "sweeps", [rows.sweep(slots[0], "missed", tier="t3")], "slot_at", tier="t3")
    made = page(lake, "will-it-rain")
    assert shades(made) == [("slot missed", ms(slots[0]), ms(slots[1] + 15 * SECOND))]
    assert cells(made, "What there is")["sweeps"][1] == "2"


# --- how it ended


def test_every_version_is_told_with_what_each_service_said(lake: Lake) -> None:
    followed(lake)
    proposed = '{"catalogue":{"seen_at":"2026-03-02T12:20:00Z","closed":false,"status":"proposed"},"pushed":{"seen_at":"2026-03-02T12:19:00Z"}}'
    final = '{"data":{"seen_at":"2026-03-02T12:30:00Z","status":"resolved","payouts_e6":[0,1000000]}}'
    publish(lake, "resolutions", [
        rows.resolution("pm:rain", NOON + 20 * MINUTE, None, state="proposed", evidence=proposed, reason="not closed", label_seen_at=None),
        rows.resolution("pm:rain", NOON + 30 * MINUTE, 0, version=2, evidence=final, was_disputed=True, payouts_e6=[0, 1_000_000]),
    ])  # fmt: skip
    made = page(lake, "will-it-rain")
    told = cells(made, "How it ended")
    assert told["1"][2:6] == ["proposed", "–", "–", "not closed"]
    assert "Catalogue (Gamma) (2026-03-02T12:20:00Z): closed no · status proposed" in told["1"][6]
    assert "Pushed on the socket (2026-03-02T12:19:00Z): that it is resolved" in told["1"][6]
    assert told["2"][2:6] == ["final", "0 (Yes lost)", "0 / 1", "payout; was disputed"]
    assert "payouts_e6 0 / 1000000" in told["2"][6]
    assert "final: Yes lost" in made.badges


@pytest.mark.parametrize("evidence", ["no JSON", "[]", '"text"', '{"catalogue": "text"}', '{"catalogue": {"prices": [["1"], {"a": 2}]}}'])  # fmt: skip
def test_evidence_of_any_form_is_told_rather_than_tripped_over(lake: Lake, evidence: str) -> None:
    followed(lake)
    publish(lake, "resolutions", [rows.resolution("pm:rain", NOON, 1, evidence=evidence)])
    assert cells(page(lake, "will-it-rain"), "How it ended")["1"]


# --- how much of it


def test_the_time_asked_for_is_the_time_shown(lake: Lake) -> None:
    followed(lake)
    made = page(lake, "will-it-rain", since=NOON + 3 * MINUTE, until=NOON + 5 * MINUTE)
    shown = [row["drawn_at"] for row in marks(made.panels[PRICE]) if "mid" in row]
    assert (min(shown), max(shown)) == (ms(NOON + 3 * MINUTE), ms(NOON + 4 * MINUTE + 45 * SECOND))


def test_an_end_far_away_does_not_squeeze_the_prices(lake: Lake) -> None:
    followed(lake, scheduled_end=NOON + timedelta(days=9))
    made = page(lake, "will-it-rain")
    assert "scheduled end 2026-03-11 12:00:00" in " ".join(made.notes)


@pytest.mark.parametrize("known_by", ["itself", "history", "census"])
def test_a_market_followed_long_ago_is_drawn_as_it_was_recorded(lake: Lake, known_by: str) -> None:
    """Fetched once more after it closed, it must not lose what was recorded live."""
    followed(lake, phase="closed")
    if known_by == "history":
        publish(lake, "history_markets", [rows.closed_market("pm:rain", NOON + HOUR, source="polymarket")])
    if known_by == "census":
        row = {"market_id": "pm:rain", "received_at": NOON, "first_seen_at": NOON, "fate": "closed", "slug": "will-it-rain"}  # fmt: skip
        lake.publish_rows("census", [row], part="0", at=NOON)
    made = report.page(lake, "will-it-rain", clock=lambda: NOON + timedelta(days=300))
    assert drawn(made)[:3] == [True, True, True]
    assert "recorded live" in made.badges


def test_a_market_listed_long_ago_says_that_its_beginning_is_left_out(lake: Lake) -> None:
    followed(lake, listed_at=NOON - timedelta(days=40))
    note = "Listed since 2026-01-21 12:00:00; looked at are the last 15 days, --since looks further."
    assert note in page(lake, "will-it-rain").notes
    assert note not in page(lake, "will-it-rain", since=NOON - timedelta(days=50)).notes


def test_what_was_recorded_before_is_shown_when_asked_for(lake: Lake) -> None:
    followed(lake)
    early = NOON - timedelta(days=20)
    publish(lake, "markets", [rows.market("rain", early, NOON + HOUR, slug="will-it-rain")], part="early")
    publish(lake, "snapshots", [rows.snapshot("rain", early + MINUTE, 0.3, 0.32)], part="early")
    made = page(lake, "will-it-rain", since=early)
    assert ms(early + MINUTE) in [row["drawn_at"] for row in marks(made.panels[PRICE]) if "mid" in row]


def test_close_day_alone_decides_what_is_read(lake: Lake) -> None:
    """Prices of another day's partition are another fetch's: they are not of this market's close."""
    imported(lake)
    stray = rows.price("weather:hot", NOON - timedelta(days=9), 900_000, close_day=date(2026, 2, 21))
    publish(lake, "history_prices", [stray], part="stray")
    assert 0.9 not in [row.get("price") for row in marks(page(lake, "weather:hot").panels[PRICE])]
