"""Large orders stand beside what was known before them, and nothing that came later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import whales
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.trade_id import trade_id
from polymarket_assets_tests.collecting.fakes import HOUR
from polymarket_assets_tests.learning.rows import snapshot

AT = HOUR + timedelta(minutes=30)


def trade(tx: int, usd: float, price: float = 0.5, n: int = 0, **changed: Any) -> dict[str, Any]:
    """A row of `trades`: so many dollars at a price, bought of the first outcome of market `m`."""
    size = round(usd / price * 1e6)
    fields: dict[str, Any] = {
        "traded_at": AT, "received_at": AT + timedelta(milliseconds=90), "market_id": "pm:m", "token_id": "1", "outcome_index": 0,
        "is_buy": True, "price_e6": round(price * 1e6), "size_e6": size, "usd_e6": round(usd * 1e6), "tx_hash": tx.to_bytes(32), "source": "stream",
        **changed,
    }  # fmt: skip
    return {"trade_id": trade_id(tx.to_bytes(32), fields["token_id"], fields["is_buy"], n), **fields}


def book(seconds: float, ask_usd: float = 4_000.0, bid_usd: float = 1_000.0, volume: float | None = 10_000.0) -> dict[str, Any]:  # fmt: skip
    """A snapshot received so many seconds before `AT`."""
    return snapshot(
        "m", AT - timedelta(seconds=seconds), 0.49, 0.51, ask_depth_5c_usd=ask_usd, bid_depth_5c_usd=bid_usd, volume_24h_usd=volume
    )  # fmt: skip


def build(lake: Lake, trades: list[dict[str, Any]], *books: dict[str, Any]) -> list[dict[str, Any]]:
    lake.publish_rows("trades", trades, part="hour", at=HOUR)
    for n, row in enumerate(books):
        lake.publish_rows("snapshots", [row], part=str(n), at=row["slot_at"], tier="t4")
    report = whales.build_whales(lake, HOUR)
    rows = reading.rows(lake, "whale_events").to_pylist()
    assert report.whales == len(rows)
    return rows


def test_the_fills_of_an_order_are_one_event(lake: Lake) -> None:
    fills = [trade(1, 4_000.0, 0.5), trade(1, 2_000.0, 0.4, n=1), trade(2, 600.0)]
    (event,) = build(lake, fills)
    assert event["event_id"] == f"{1:064x}:1:B"
    assert (event["fills"], event["usd_e6"]) == (2, 6_000_000_000)
    assert event["price"] == pytest.approx(6_000 / (8_000 + 5_000))
    assert (event["depth_share"], event["day_volume_share"]) == (None, None)


@pytest.mark.parametrize(
    ("changed", "share"),
    [
        ({}, 800 / 4_000),  # buys the first outcome: takes asks
        ({"is_buy": False}, 800 / 1_000),
        # The second outcome at 0.2 is the first at 0.8: 800 dollars are 4,000 shares, 3,200 dollars of the canonical book.
        ({"outcome_index": 1, "token_id": "2", "price": 0.2}, 3_200 / 1_000),
        ({"outcome_index": 1, "token_id": "2", "price": 0.2, "is_buy": False}, 3_200 / 4_000),
    ],
)
def test_depth_is_of_the_side_that_was_taken(lake: Lake, changed: dict[str, Any], share: float) -> None:
    (event,) = build(lake, [trade(1, 800.0, **changed)], book(20, volume=8_000.0))
    assert event["depth_share"] == pytest.approx(share)
    assert event["day_volume_share"] == pytest.approx(0.1)


def test_what_came_after_the_trade_is_not_known(lake: Lake) -> None:
    """The book after a large order is thin: taken for the one before, every order would look enormous."""
    (event,) = build(lake, [trade(1, 2_000.0)], book(20), book(-0.01, ask_usd=1.0, volume=1.0), book(40, ask_usd=1.0))  # fmt: skip
    assert (event["depth_share"], event["day_volume_share"]) == (pytest.approx(0.5), pytest.approx(0.2))


def test_a_trade_that_was_not_heard_is_held_against_the_book_before_its_block(lake: Lake) -> None:
    (event,) = build(
        lake, [trade(1, 2_000.0, source="rest", received_at=AT + timedelta(hours=1))], book(2, ask_usd=1.0), book(8)
    )  # fmt: skip
    assert event["depth_share"] == pytest.approx(0.5)


def test_an_old_book_says_nothing_of_depth_and_an_old_listing_nothing_of_volume(lake: Lake) -> None:
    (event,) = build(lake, [trade(1, 6_000.0)], book(1_000))
    assert (event["depth_share"], event["day_volume_share"]) == (None, pytest.approx(0.6))
    (event,) = build(lake, [trade(1, 6_000.0, market_id="pm:other")], book(1_000))
    assert (event["depth_share"], event["day_volume_share"]) == (None, None)


@pytest.mark.parametrize(
    ("usd", "books", "is_whale"),
    [
        (5_000.0, (), True),
        (4_999.0, (), False),
        (1_000.0, (book(20, ask_usd=4_000.0, volume=None),), True),
        (999.0, (book(20, ask_usd=4_000.0, volume=None),), False),
        (500.0, (book(20, ask_usd=0.0, volume=10_000.0),), True),
        (499.0, (book(20, ask_usd=1.0, volume=1.0),), False),
        (4_999.0, (book(20, ask_usd=0.0, volume=0.0),), False),
    ],
)
def test_what_is_large(lake: Lake, usd: float, books: tuple[dict[str, Any], ...], is_whale: bool) -> None:
    assert bool(build(lake, [trade(1, usd)], *books)) is is_whale


def test_an_hour_without_whales_is_known_to_have_none(lake: Lake) -> None:
    assert build(lake, []) == []
    assert reading.files(lake, "whale_events") != []
