"""Prices of a day that is fetched again: the venue forgets the fine ones, the lake does not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.collecting import history
from polymarket_assets.collecting.history import held
from polymarket_assets.lake import reading
from polymarket_assets.lake.errors import DamagedFile
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.venue.records import PricePoint
from polymarket_assets_tests.collecting.days import (
    DAY,
    NOON,
    NOW,
    Prices,
    closed,
    fetch_markets,
    fetch_prices,
    rows_of,
)
from polymarket_assets_tests.collecting.fakes import Time, market_id, token


def minutes(*at: int, price: float = 0.5, spacing_s: int = 60) -> list[PricePoint]:
    """A point so many minutes before noon each."""
    return [PricePoint(NOON - timedelta(minutes=minute), price, spacing_s) for minute in sorted(at, reverse=True)]  # fmt: skip


def test_what_the_venue_forgot_since_a_day_was_fetched_stays(lake: Lake) -> None:
    """Every minute then, every five now: the minutes are still what was, and one that comes anew is believed."""
    fetch_markets(lake, closed(1), closed(2), closed(3))
    then = {token(1): minutes(10, 9, 8, 7, 6, 5), token(2): minutes(3)}
    fetch_prices(lake, Prices(then))
    later = {token(1): minutes(15, 10, 5, price=0.75, spacing_s=300), token(3): minutes(4)}
    report = fetch_prices(lake, Prices(later), now=NOW + timedelta(days=30))
    rows = rows_of(lake, "history_prices")
    assert [(row["market_id"], (NOON - row["priced_at"]) // timedelta(minutes=1), row["fidelity_s"], row["price_e6"]) for row in rows] == [
        (market_id(1), 15, 300, 750_000), *((market_id(1), minute, 60, 500_000) for minute in (10, 9, 8, 7, 6, 5)), (market_id(2), 3, 60, 500_000), (market_id(3), 4, 60, 500_000),
    ]  # fmt: skip
    assert (report.fetched, report.rows) == (4, 9)
    assert [row["received_at"] > NOW for row in rows] == [True, *[False] * 7, True]


def test_a_coarse_price_does_not_stand_beside_finer_ones_of_its_bucket(lake: Lake) -> None:
    """Known last, it would be believed though it is the oldest of them; one that reaches no finer price stands."""
    fetch_markets(lake, closed(1))
    fetch_prices(lake, Prices({token(1): minutes(28, 20, 3)}))
    off_grid = PricePoint(NOON - timedelta(minutes=30) + timedelta(seconds=4), 0.75, 1_800)
    early = PricePoint(NOON - timedelta(minutes=90), 0.25, 1_800)
    fetch_prices(lake, Prices({token(1): [early, off_grid]}), now=NOW + timedelta(days=30))
    assert [(row["fidelity_s"], row["price_e6"]) for row in rows_of(lake, "history_prices")] == [(1_800, 250_000), *[(60, 500_000)] * 3]  # fmt: skip


def test_prices_of_before_that_cannot_be_read_are_not_lost_unseen(lake: Lake) -> None:
    fetch_markets(lake, closed(1))
    fetch_prices(lake, Prices({token(1): minutes(*range(1, 400))}))
    (file,) = map(Path, reading.files(lake, "history_prices"))
    content = file.read_bytes()
    file.write_bytes(content[:40] + bytes(b ^ 0xFF for b in content[40:200]) + content[200:])
    with pytest.raises(DamagedFile):
        fetch_prices(lake, Prices())
    assert file.stat().st_size == len(content)


def test_of_equals_the_price_that_came_last_stands(lake: Lake) -> None:
    fetch_markets(lake, closed(1))
    for price in (0.5, 0.25):
        fetch_prices(lake, Prices({token(1): minutes(2, 1, price=price)}))
    assert [row["price_e6"] for row in rows_of(lake, "history_prices")] == [250_000, 250_000]


def test_prices_of_before_stay_only_within_the_life_as_it_is_known_now(lake: Lake) -> None:
    """An end found to be earlier makes what was fetched after it a leak; a market no longer listed has no life."""
    fetch_markets(lake, closed(1), closed(2))
    fetch_prices(lake, Prices({token(1): minutes(20, 1), token(2): minutes(1)}))
    fetch_markets(lake, closed(1, scheduled_end=NOON - timedelta(minutes=10)))
    fetch_prices(lake, Prices())
    assert [(row["market_id"], row["priced_at"]) for row in rows_of(lake, "history_prices")] == [(market_id(1), NOON - timedelta(minutes=20))]  # fmt: skip


def test_prices_of_markets_no_longer_asked_about_stay(lake: Lake) -> None:
    fetch_markets(lake, closed(1, volume_usd=200.0), closed(2, volume_usd=900.0))
    fetch_prices(lake, Prices({token(1): minutes(1), token(2): minutes(1)}))
    history.fetch_prices(lake, [Prices()], DAY, clock=Time(NOW).clock, least_volume_usd=500)
    assert [row["market_id"] for row in rows_of(lake, "history_prices")] == [market_id(1), market_id(2)]


def priced(of: str, minute: int) -> dict[str, Any]:
    at = NOON + timedelta(minutes=minute)
    return {"market_id": of, "close_day": DAY, "priced_at": at, "known_at": at, "price_e6": 500_000, "fidelity_s": 60, "received_at": NOW, "source": "polymarket"}  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=60), st.integers(1, 9))
def test_rows_filed_before_are_found_whole_however_they_are_cut(
    made: list[tuple[int, int]], rows_a_batch: int
) -> None:
    rows = [(f"pm:{n}", minute) for n, minute in sorted(set(made))]
    table = table_of("history_prices", [priced(market, minute) for market, minute in rows])
    found = [(market, row["priced_at"]) for market, piece in held.pieces_of(table.to_batches(rows_a_batch)) for row in piece.to_pylist()]  # fmt: skip
    assert found == [(market, NOON + timedelta(minutes=minute)) for market, minute in rows]
