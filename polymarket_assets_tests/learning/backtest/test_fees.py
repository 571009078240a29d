"""Fees: what the venue's schedule takes, by category and by when a market was created."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.learning.backtest import fees
from polymarket_assets.learning.backtest.fees import FREE, Schedule
from polymarket_assets.venue.errors import MalformedPayload


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("category", "created", "rate", "exponent"),
    [
        ("crypto", "2026-01-04", 0.0, 1.0),
        ("crypto", "2026-01-05", 0.25, 2.0),
        ("crypto", "2026-03-30", 0.07, 1.0),
        ("sports", "2026-02-17", 0.0, 1.0),
        ("sports", "2026-02-18", 0.0175, 1.0),
        ("sports", "2026-03-30", 0.03, 1.0),
        ("sports", "2026-07-10", 0.05, 1.0),
        ("politics", "2026-03-29", 0.0, 1.0),
        ("politics", "2026-03-30", 0.04, 1.0),
        ("weather", "2026-10-01", 0.05, 1.0),
        ("geopolitics", "2026-10-01", 0.0, 1.0),
        ("never heard of", "2026-10-01", 0.05, 1.0),
        (None, "2026-10-01", 0.05, 1.0),
    ],
)
def test_a_market_keeps_the_schedule_of_its_category_and_day(category: str | None, created: str, rate: float, exponent: float) -> None:  # fmt: skip
    found = fees.of_era(category, at(created))
    assert (found.rate, found.exponent) == (rate, exponent)


def test_the_trade_on_the_chain_is_reproduced() -> None:
    """PROTOCOL.md section 10: 25 × 0.07 × 0.64 × 0.36 = 0.4032."""
    assert Schedule(0.07).fee_usd(0.36, 25) == 0.4032


@pytest.mark.parametrize(
    ("schedule", "price", "shares", "fee"),
    [
        (Schedule(0.05), 0.5, 0.0001, 0.00001),
        (Schedule(0.05), 0.5, 1, 0.0125),
        (Schedule(0.05), 0.37, 12.34, 0.14382),
        (Schedule(0.25, 2.0, times_price=True, decimals=4), 0.5, 100, 0.7812),
        (FREE, 0.5, 100, 0.0),
    ],
)
def test_fees_are_rounded_as_the_venue_rounds(schedule: Schedule, price: float, shares: float, fee: float) -> None:  # fmt: skip
    assert schedule.fee_usd(price, shares) == fee


@given(st.floats(0.001, 0.999), st.floats(0.01, 1e6), st.sampled_from([era.schedule for era in fees.ERAS]))
def test_a_fee_is_the_formula_to_half_a_step(price: float, shares: float, schedule: Schedule) -> None:
    assert abs(schedule.fee_usd(price, shares) - shares * schedule.per_share(price)) <= schedule.step_usd * (1 + 1e-9)  # fmt: skip


def test_a_stored_schedule_is_read_and_what_is_none_is_told() -> None:
    assert fees.of_text('{"rate": 0.03, "exponent": 1, "taker_only": true, "rebate_rate": 0.25}') == Schedule(0.03)  # fmt: skip
    for text in ("{}", "null", "[1]", "rate"):
        with pytest.raises(MalformedPayload, match="fee schedule"):
            fees.of_text(text)
