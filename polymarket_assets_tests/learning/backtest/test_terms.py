"""Terms: the fee that was in force at the decision, and what markets paid."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import fees, terms
from polymarket_assets.learning.backtest.fees import FREE, Schedule
from polymarket_assets_tests.learning.backtest.worlds import T0
from polymarket_assets_tests.learning.rows import HOUR, closed_market, market, publish, resolution

FEE = '{"rate": 0.03, "exponent": 1}'


def asked(name: str, at: Any = T0) -> pa.Table:
    return pa.table({"market_id": [name], "as_of": pa.array([at], pa.timestamp("us", tz="UTC"))})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    opened = Lake(tmp_path)
    rows = [market("a", T0 - HOUR, None, fee_schedule=FEE), market("a", T0 + HOUR, None, fee_schedule='{"rate": 0.05, "exponent": 1}'), market("free", T0 - HOUR, None)]  # fmt: skip
    publish(opened, "markets", rows)
    past = {"category": "sports", "listed_at": T0 - timedelta(days=20)}
    publish(opened, "history_markets", [closed_market("pm:free", T0 + HOUR, **past), closed_market("x:old", T0 + HOUR, **past), closed_market("x:told", T0 + HOUR, fee_schedule=FEE), closed_market("x:undated", T0, listed_at=None, category="sports")])  # fmt: skip
    return opened


@pytest.mark.parametrize(
    ("name", "hours", "schedule"),
    [
        ("pm:a", 0, Schedule(0.03)),
        ("pm:a", 2, Schedule(0.05)),
        ("pm:a", -2, fees.of_era("weather", T0 - 2 * HOUR)),
        ("pm:free", 0, FREE),
        ("x:old", 0, Schedule(0.0175)),
        ("x:told", 0, Schedule(0.03)),
        ("x:undated", 0, Schedule(0.03)),
        ("x:unheard", 0, Schedule(0.05)),
    ],
)
def test_fees_are_those_known_at_the_decision(lake: Lake, name: str, hours: int, schedule: Schedule) -> None:
    """A schedule of later, or none because the market is closed, would be a fee that nobody paid."""
    assert terms.schedules(lake, asked(name, T0 + hours * HOUR)) == [schedule]


@pytest.mark.parametrize(
    ("more", "payout", "after_h"),
    [
        ({"label": 1}, 1.0, 3),
        ({"label": 0, "resolved_at": T0 + 2 * HOUR}, 0.0, 2),
        ({"label": None, "state": "split", "label_seen_at": None}, 0.5, 3),
        ({"label": None, "state": "split", "payouts_e6": [250_000, 750_000]}, 0.25, 3),
        ({"label": None, "state": "annulled"}, math.nan, 3),
        ({"label": None, "state": "open"}, None, 3),
        ({"label": None, "state": "disputed"}, None, 3),
    ],
)
def test_what_a_market_paid(tmp_path: Path, more: dict[str, Any], payout: float | None, after_h: int) -> None:
    lake = Lake(tmp_path)
    publish(lake, "resolutions", [{**resolution("pm:a", T0 + 3 * HOUR, 1), **more}])
    found = terms.ends(lake, pa.array(["pm:a", "pm:b"]))
    assert set(found) == ({"pm:a"} if payout is not None else set())
    if payout is not None:
        assert found["pm:a"] == pytest.approx(
            (int((T0 + after_h * HOUR).timestamp() * 1e6), payout), nan_ok=True
        )


def test_what_is_seen_later_is_not_known(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    publish(lake, "resolutions", [resolution("pm:a", T0 + 3 * HOUR, 1, resolved_at=T0 + HOUR)])
    names = pa.array(["pm:a"])
    assert terms.ends(lake, names, known_by=T0 + 2 * HOUR) == {}
    found = terms.ends(lake, names, known_by=T0 + 3 * HOUR, since=T0)
    assert found["pm:a"].at_us == int((T0 + 3 * HOUR).timestamp() * 1e6)
