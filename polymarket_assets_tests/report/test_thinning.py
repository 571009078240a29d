"""What is drawn of many rows is few of them, and among them every extreme."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polymarket_assets.report import thinning

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    import duckdb

    with duckdb.connect() as made:
        made.execute("set TimeZone = 'UTC'")
        yield made


def tabled(connection: Any, rows: list[tuple[int, float | None]], series: int = 1) -> None:
    import pyarrow as pa

    at = pa.array([START + timedelta(seconds=s) for s, _ in rows], pa.timestamp("us", tz="UTC"))
    held = pa.table({"drawn_at": at, "price": pa.array([p for _, p in rows], pa.float64()), "market_id": [f"m{n % series}" for n in range(len(rows))]})  # fmt: skip
    connection.execute("drop table if exists quotes")
    connection.register("given", held)
    connection.execute("create temp table quotes as select * from given")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 10_000), st.none() | st.floats(0, 1)), min_size=1, max_size=300))
def test_the_extremes_and_the_ends_are_drawn(connection: Any, rows: list[tuple[int, float | None]]) -> None:
    """An average would hide the second in which the price was nought."""
    tabled(connection, rows)
    drawn = thinning.thinned(connection, "quotes", ["price"], most=50)
    assert len(drawn) <= 50
    assert drawn == sorted(drawn, key=lambda r: r["drawn_at"])
    seconds = [round(r["drawn_at"] / 1_000 - START.timestamp()) for r in drawn]
    assert (min(seconds), max(seconds)) == (min(s for s, _ in rows), max(s for s, _ in rows))
    known, shown = ([p for p in prices if p is not None] for prices in ([p for _, p in rows], [r["price"] for r in drawn]))  # fmt: skip
    assert (min(known, default=None), max(known, default=None)) == (min(shown, default=None), max(shown, default=None))  # fmt: skip
    assert {(s, r["price"]) for s, r in zip(seconds, drawn, strict=True)} <= set(rows)


def test_few_rows_are_drawn_as_they_are(connection: Any) -> None:
    tabled(connection, [(n, n / 100) for n in range(50)])
    assert len(thinning.thinned(connection, "quotes", ["price"], most=50)) == 50


def test_series_share_the_points_and_keep_their_own_extremes(connection: Any) -> None:
    tabled(connection, [(n, (n * 7919 % 1000) / 1000) for n in range(3000)], series=3)
    drawn = thinning.thinned(connection, "quotes", ["price"], most=300, by="market_id")
    assert len(drawn) <= 300
    for name in ("m0", "m1", "m2"):
        own = [(n * 7919 % 1000) / 1000 for n in range(3000) if f"m{n % 3}" == name]
        shown = [r["price"] for r in drawn if r["market_id"] == name]
        assert (min(shown), max(shown)) == (min(own), max(own))


def dealt(connection: Any, count: int) -> None:
    connection.execute("drop table if exists dealt")
    connection.execute(f"""create temp table dealt as select timestamptz '2026-03-02' + to_seconds(n) as drawn_at,
        (n * 7919 % 1000) / 1000 as price, (n * 104729 % 99991)::double as usd, n % 3 = 0 as is_buy from range({count}) t(n)""")


def test_the_largest_trade_and_the_extreme_prices_are_drawn(connection: Any) -> None:
    dealt(connection, 50_000)
    drawn = thinning.thinned_trades(connection, "dealt")
    assert len(drawn) <= thinning.TRADES
    ((usd, low, high),) = connection.execute("select max(usd), min(price), max(price) from dealt").fetchall()
    assert max(r["usd"] for r in drawn) == usd
    assert (min(r["price"] for r in drawn), max(r["price"] for r in drawn)) == (low, high)


@pytest.mark.parametrize("count", [1, 60, 5_000, 400_000])
def test_bars_hold_every_dollar_and_do_not_overlap(connection: Any, count: int) -> None:
    dealt(connection, count)
    bars, _ = thinning.volumes(connection, "dealt", count)
    ((usd,),) = connection.execute("select sum(usd) from dealt").fetchall()
    assert sum(bar["usd"] for bar in bars) == pytest.approx(usd)
    for is_buy in (True, False):
        own = [bar for bar in bars if bar["is_buy"] is is_buy]
        assert len(own) <= thinning.BARS + 1
        assert all(a["until"] <= b["drawn_at"] for a, b in itertools.pairwise(own))
