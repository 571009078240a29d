"""Snapshots say of a book exactly what a slow reading of it says, and null where it says nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polymarket_assets.collecting import snapshotting, sweeping
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import conform, table_of
from polymarket_assets.venue.records import Book, Level
from polymarket_assets_tests.collecting.fakes import HOUR, book, market_id, market_row

RECEIVED = HOUR + timedelta(seconds=12)
SLOT = HOUR + timedelta(seconds=10)


def snapshots(books: Sequence[Book], **changed: Any) -> list[dict[str, Any]]:
    """Snapshots of books of markets 0, 1, …"""
    rows = [(market_id(n), each, RECEIVED) for n, each in enumerate(books)]
    markets = table_of("markets", [market_row(n, **changed) for n in range(len(books))])
    found = snapshotting.snapshots(sweeping.books_table(rows, SLOT), markets)
    return conform(TABLES["snapshots"], found).to_pylist()


def one(bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]], **changed: Any) -> dict[str, Any]:
    return snapshots([book(0, bids, asks, **changed)])[0]


# --- the oracle: the definitions of the schema, in plain exact arithmetic ------------------------------


def _side(side: str, levels: Sequence[Level], mid: Fraction | None) -> dict[str, Any]:
    price = [Fraction(level.price_e6, 10**6) for level in levels]
    size = [Fraction(level.size_e6, 10**6) for level in levels]
    cents = [abs(p - price[0]) * 100 for p in price]
    said: dict[str, Any] = {
        f"{side}_levels": len(levels),
        f"{side}_shares": sum(size),
        f"{side}_usd": sum(p * s for p, s in zip(price, size, strict=True)),
    }
    for within in (1, 2, 5, 10):
        near = [p * s for p, s, c in zip(price, size, cents, strict=True) if c <= within]
        said[f"{side}_depth_{within}c_usd"] = sum(near) if levels else None
    near_10 = [(c, s) for c, s in zip(cents, size, strict=True) if c <= 10]
    weight = sum(s for _, s in near_10)
    said[f"{side}_mean_distance_c"] = sum(c * s for c, s in near_10) / weight if weight else None
    wall = max(range(len(levels)), key=lambda k: (size[k], -cents[k]), default=None)
    said[f"{side}_wall_price"] = price[wall] if wall is not None else None
    said[f"{side}_wall_size"] = size[wall] if wall is not None else None
    said[f"{side}_wall_share"] = size[wall] / sum(size) if wall is not None else None
    sign = 1 if side == "bid" else -1
    away = None if mid is None or wall is None else sign * (mid - price[wall]) * 100
    return {**said, f"{side}_wall_distance_c": away}


def _imbalance(bids: Sequence[Level], asks: Sequence[Level], within_e6: int) -> Fraction | None:
    if not bids or not asks:
        return None
    bid, ask = (
        sum(level.size_e6 for level in side if abs(level.price_e6 - side[0].price_e6) <= within_e6)
        for side in (bids, asks)
    )
    return Fraction(bid - ask, bid + ask)


def oracle(said: Book) -> dict[str, Any]:
    bid = said.bids[0] if said.bids else None
    ask = said.asks[0] if said.asks else None
    both = bid is not None and ask is not None
    mid = Fraction(bid.price_e6 + ask.price_e6, 2 * 10**6) if both else None
    last = None if said.last_trade_e6 is None else Fraction(said.last_trade_e6, 10**6)
    micro = (
        Fraction(bid.price_e6 * ask.size_e6 + ask.price_e6 * bid.size_e6, (bid.size_e6 + ask.size_e6) * 10**6)
        if both
        else None
    )
    return {
        "best_bid": bid and Fraction(bid.price_e6, 10**6),
        "best_ask": ask and Fraction(ask.price_e6, 10**6),
        "best_bid_size": bid and Fraction(bid.size_e6, 10**6),
        "best_ask_size": ask and Fraction(ask.size_e6, 10**6),
        "mid": mid,
        "microprice": micro,
        "spread": Fraction(ask.price_e6 - bid.price_e6, 10**6) if both else None,
        "last_trade": last,
        "last_trade_distance_c": (last - mid) * 100 if last is not None and mid is not None else None,
        "imbalance_top": _imbalance(said.bids, said.asks, 0),
        **{f"imbalance_{c}c": _imbalance(said.bids, said.asks, c * 10_000) for c in (1, 2, 5, 10)},
        **_side("bid", said.bids, mid),
        **_side("ask", said.asks, mid),
        "is_one_sided": not both,
        "is_crossed": both and bid.price_e6 >= ask.price_e6,
    }


def assert_says(row: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        if value is None or isinstance(value, bool):
            assert row[name] is value, name
        else:
            assert row[name] == pytest.approx(float(value), rel=1e-12, abs=1e-9), name


def _levels(best_first: bool) -> st.SearchStrategy[list[tuple[int, int]]]:
    prices = st.lists(st.integers(1, 999).map(lambda k: k * 1000), max_size=12, unique=True)
    return prices.map(lambda p: sorted(p, reverse=best_first)).flatmap(
        lambda p: st.tuples(*(st.tuples(st.just(x), st.integers(1, 10**13)) for x in p)).map(list)
    )


books = st.builds(
    lambda bids, asks, last: book(0, bids, asks, last_trade_e6=last),
    _levels(True), _levels(False), st.one_of(st.none(), st.integers(0, 10**6)),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(books, min_size=1, max_size=40))
def test_the_query_agrees_with_a_slow_reading(drawn: list[Book]) -> None:
    """Empty sides, crossed books, one level, sizes of ten million shares: nothing may turn into a wrong number."""
    rows = snapshots(drawn)
    assert len(rows) == len(drawn)
    for row, said in zip(rows, drawn, strict=True):
        assert_says(row, oracle(said))
        assert all(math.isfinite(value) for value in row.values() if isinstance(value, float))


@pytest.mark.parametrize(
    ("bids", "asks"), [([], [(500_000, 1)]), ([(500_000, 1)], []), ([], [])], ids=["no bid", "no ask", "empty"]
)  # fmt: skip
def test_a_one_sided_book_has_no_mid(bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
    """A mid made of a last price or of 0 and 1 would be learned as the market's opinion."""
    row = one(bids, asks, last_trade_e6=500_000)
    assert row["is_one_sided"]
    for name in ("mid", "microprice", "spread", "imbalance_top", "imbalance_10c", "last_trade_distance_c"):
        assert row[name] is None


def test_timing_is_told_from_the_slot_and_the_staleness_from_receipt() -> None:
    row = snapshots(
        [book(0, venue_at=HOUR)],
        game_start_at=HOUR + timedelta(hours=1), listed_at=HOUR - timedelta(days=1),
        fee_schedule='{"rate":0.05,"exponent":1.0,"taker_only":true,"rebate_rate":null}',
    )[0]  # fmt: skip
    ten_s = 10 / 3600
    assert row["hours_to_end"] == pytest.approx(0.5 - ten_s)
    assert row["hours_to_start"] == pytest.approx(1 - ten_s)
    assert row["age_h"] == pytest.approx(24 + ten_s)
    assert (row["book_age_s"], row["listing_age_s"], row["fee_rate"]) == (12.0, 312.0, 0.05)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ({"volume_before_usd": 900.0, "volume_before_at": HOUR - timedelta(minutes=35)}, (100.0, 0.5)),
        ({}, (None, None)),
        ({"volume_before_usd": None, "volume_before_at": HOUR - timedelta(minutes=35)}, (None, None)),
    ],
    ids=["traded since", "listed once", "no volume then"],
)
def test_what_was_traded_between_two_listings_is_told_with_their_distance(before: dict[str, Any], change: tuple[float | None, float | None]) -> None:  # fmt: skip
    (shot,) = snapshots([book(0)], **before)
    assert (shot["volume_change_usd"], shot["volume_change_h"]) == change


def test_a_book_of_a_market_nobody_listed_has_no_snapshot() -> None:
    rows = [(market_id(7), book(7), RECEIVED)]
    found = snapshotting.snapshots(sweeping.books_table(rows, SLOT), table_of("markets", []))
    assert found.num_rows == 0


def test_nothing_in_gives_nothing_in_the_form_of_the_table() -> None:
    empty = snapshotting.snapshots(
        TABLES["orderbooks"].schema.empty_table(), TABLES["markets"].schema.empty_table()
    )
    assert isinstance(empty, pa.Table)
    assert empty.schema.equals(TABLES["snapshots"].schema)
