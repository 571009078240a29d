"""An hour of trades is built again when something of it came later, and left alone otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import healing, trade_hours, volumes
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets_tests.collecting.fakes import HOUR, Time, market_id
from polymarket_assets_tests.collecting.test_healing import NOW, Data, gap, heard, record

MINUTE = timedelta(minutes=1)


def why(lake: Lake, after: timedelta) -> str | None:
    """Why the hour is to be built again so long after its end."""
    found = [h for h in trade_hours.unsettled(lake, now=HOUR + timedelta(hours=1) + after) if h.hour == HOUR]
    return found[0].why if found else None


def build(lake: Lake, after: timedelta = 8 * MINUTE, data: Any = None) -> None:
    clock = Time(HOUR + timedelta(hours=1) + after).clock
    healing.build_trades(lake, data or Data(), HOUR, clock=clock)


def test_an_hour_built_of_all_that_is_known_is_settled(lake: Lake) -> None:
    record(lake, heard(1, 10), gaps=(gap(20, 30),))
    build(lake)
    assert [why(lake, days * timedelta(days=1)) for days in (0.01, 1, 6)] == [None] * 3


def test_an_hour_that_was_never_built_is_built_after_its_schedule(lake: Lake) -> None:
    record(lake, heard(1, 10))
    assert why(lake, 8 * MINUTE) is None
    assert why(lake, 16 * MINUTE) == "it was never built"
    assert why(lake, timedelta(days=8)) is None


def test_an_hour_without_anything_is_not_built(lake: Lake) -> None:
    assert trade_hours.unsettled(lake, now=NOW) == []


def test_a_gap_recorded_later_calls_for_another_build(lake: Lake) -> None:
    """Of all hours it touches, however long it was."""
    record(lake, heard(1, 10))
    build(lake)
    record(lake, gaps=(gap(3000, 200_000, cause="crashed"),))
    now = HOUR + timedelta(seconds=210_000)
    found = trade_hours.unsettled(lake, now=now)
    assert {h.why for h in found if h.hour == HOUR} == {"1 gaps were recorded later"}
    assert len(found) == 1 + 200_000 // 3600
    assert found[0].hour > found[-1].hour


def test_a_message_that_came_late_calls_for_another_build(lake: Lake) -> None:
    """Of a journal that was recovered, filed in this hour or, by its receipt, in the next."""
    record(lake, heard(1, 10))
    build(lake)
    record(lake, heard(2, 3590, received_at=HOUR + timedelta(minutes=70)))
    assert why(lake, 80 * MINUTE) == "1 messages came later"
    build(lake, 80 * MINUTE)
    assert why(lake, 90 * MINUTE) is None


def test_what_is_not_healed_is_tried_again_after_twice_the_time(lake: Lake) -> None:
    record(lake, heard(1, 10), gaps=(gap(20, 30),))
    with pytest.raises(Unavailable):
        build(lake, 8 * MINUTE, Data(failure=Unavailable("data answered 503")))
    assert why(lake, 15 * MINUTE) is None
    assert why(lake, 16 * MINUTE) == "1 markets are not healed"
    with pytest.raises(Unavailable):
        build(lake, 16 * MINUTE, Data(failure=Unavailable("data answered 503")))
    assert why(lake, 31 * MINUTE) is None
    build(lake, 32 * MINUTE)
    assert why(lake, timedelta(days=1)) is None


def test_an_hour_answered_early_is_built_again_when_answers_are_the_last(lake: Lake) -> None:
    """A demo, or a person, builds the open hour: nobody else would ask again."""
    record(lake, heard(1, 10), gaps=(gap(20, 30),))
    build(lake, -10 * MINUTE)
    assert why(lake, 8 * MINUTE) == "1 markets are not healed"
    build(lake)
    assert why(lake, timedelta(days=1)) is None


def test_volume_is_counted_once_and_flow_is_towards_the_first_outcome(lake: Lake) -> None:
    """Buying the second outcome is selling the first: the same dollars, against it."""
    second = {"outcome_index": 1, "token_id": "9", "price_e6": 600_000}
    record(lake, heard(1, 10), heard(2, 11, is_buy=False), heard(3, 12, **second), heard(4, 13, is_buy=False, **second))  # fmt: skip
    build(lake)
    (row,) = volumes.one_sided(lake, Span.hour(HOUR)).to_pylist()
    assert row == {
        "market_id": market_id(1), "trades": 4, "usd_e6": 20_000_000, "size_e6": 40_000_000,
        "towards_usd_e6": 10_000_000, "against_usd_e6": 10_000_000,
    }  # fmt: skip
