"""Rows come in the order of their key, whatever order they were in and however many ranges they fill."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polymarket_assets.history_import import ordering
from polymarket_assets.history_import.ordering import Due
from polymarket_assets.lake.schemas import TABLES

PRICES = TABLES["history_prices"]
# A market is filed on one day; instants in microseconds.
ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2_000)), unique=True, min_size=1, max_size=200)


def filled(rows: list[tuple[int, int]]) -> pa.Table:
    at = pa.array([1_775_124_000_000_000 + us for _, us in rows], pa.timestamp("us", tz="UTC"))
    n = len(rows)
    return pa.table(
        {
            "market_id": [f"x:{market}" for market, _ in rows],
            "close_day": pa.array([date(2026, 4, 3 + market % 3) for market, _ in rows], pa.date32()),
            "priced_at": at, "known_at": at, "price_e6": pa.array(range(n), pa.int32()), "bid_e6": pa.nulls(n, pa.int32()),
            "ask_e6": pa.nulls(n, pa.int32()), "fidelity_s": pa.array([0] * n, pa.int32()), "left_out": pa.nulls(n, pa.string()),
        }
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(rows=ROWS, size=st.sampled_from([64, 1_000, 100_000]), batch=st.sampled_from([1, 10_000_000]))
def test_rows_are_sorted_by_day_and_key_over_any_number_of_ranges(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]], size: int, batch: int
) -> None:
    found: list[tuple[str, object]] = []
    days: list[date] = []
    with pytest.MonkeyPatch.context() as patched, duckdb.connect() as connection:
        patched.setattr(ordering, "RANGE_BYTES", size)
        patched.setattr(ordering, "BATCH_BYTES", batch)
        connection.execute("set TimeZone = 'UTC'")
        connection.register("waiting", filled(rows))
        markets = ordering.counted(connection, "waiting", PRICES)
        due = Due("waiting", PRICES, markets, {"received_at": 0, "source": "x"})
        scratch: Path = tmp_path_factory.mktemp("scratch")
        for day, piece in ordering.in_order(connection, due, scratch):
            assert piece.column_names == list(PRICES.names)
            days += [day] * piece.num_rows
            found += zip(
                piece.column("market_id").to_pylist(), piece.column("price_e6").to_pylist(), strict=True
            )
        assert not list(scratch.iterdir())
    expected = sorted(enumerate(rows), key=lambda item: (item[1][0] % 3, f"x:{item[1][0]}", item[1][1]))
    assert found == [(f"x:{market}", n) for n, (market, _) in expected]
    assert days == sorted(days)
    assert due.rows == len(rows)
