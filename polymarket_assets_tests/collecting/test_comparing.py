"""Feeds that begin to disagree are noticed, and trades that stand in no hour or in two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import comparing
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.collecting.fakes import HOUR
from polymarket_assets_tests.collecting.test_healing import Data, build, fill, gap, heard, record

SPAN = Span.hour(HOUR)


@pytest.mark.parametrize(
    ("changed", "figures", "holds"),
    [
        ({}, (120, 0, 0, 0.0), True),
        ({"price_e6": 404_999}, (120, 0, 0, 0.4999), True),
        ({"price_e6": 380_000}, (120, 2, 0, 2.0), False),
        ({"size_e6": 9_000_000}, (120, 0, 2, 0.0), False),
    ],
)
def test_prices_and_sizes_of_both_feeds_are_compared(
    lake: Lake, changed: dict[str, Any], figures: tuple[int, int, int, float], holds: bool
) -> None:
    """Two of 120 are more than the one in a hundred that is borne; half a cent is no difference."""
    messages = [heard(n, 10 + n) for n in range(120)]
    lake.publish_rows(
        "trades_raw", [*messages, *({**m, "connection": 1} for m in messages)], part="0", at=HOUR
    )
    record(lake, gaps=(gap(5, 200),))
    build(lake, Data([fill(n, 10 + n, **(changed if n < 2 else {})) for n in range(120)]))
    found = comparing.agreement(lake, SPAN)
    assert (found.compared, found.prices_differ, found.sizes_differ, pytest.approx(found.largest_price_difference_c)) == figures  # fmt: skip
    assert found.holds is holds


def test_too_few_trades_say_nothing_about_the_feeds(lake: Lake) -> None:
    record(lake, heard(1, 10), gaps=(gap(5, 20),))
    assert comparing.agreement(lake, SPAN).holds
    build(lake, Data([fill(1, 10, price_e6=100_000)]))
    found = comparing.agreement(lake, SPAN)
    assert (found.prices_differ, found.holds) == (1, True)


def test_a_trade_in_no_hour_and_one_in_two_are_found(lake: Lake) -> None:
    record(lake, heard(1, 10), heard(2, 20))
    assert comparing.standing(lake, SPAN) == comparing.Standing(2, 0)
    build(lake)
    assert comparing.standing(lake, SPAN).holds
    rows = reading.rows(lake, "trades").to_pylist()
    moved = {**rows[0], "traded_at": HOUR + timedelta(hours=1)}
    lake.publish_rows("trades", [moved], part="hour", at=moved["traded_at"])
    assert comparing.standing(lake, SPAN) == comparing.Standing(0, 1)
