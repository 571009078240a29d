"""What silence tells of a connection: quiet ones are never called dead, lively ones soon."""

from __future__ import annotations

import random

import pytest

from streamer.pace import LEAST_MOMENTS, Pace

LEAST_S = 15.0


def arrivals(dice: random.Random, every_s: float, until_s: float) -> list[float]:
    """Instants of data at random, this far apart on average, to the quarter of a second in which they are looked at."""
    at, found = 0.0, []
    while (at := at + dice.expovariate(1 / every_s)) < until_s:
        found.append(round(at * 4) / 4)
    return found


def false_alarms(every_s: float, seed: int) -> int:
    """How often a connection that lives for ten minutes would have been given up."""
    pace, last, alarms = Pace(), 0.0, 0
    pace.tick(0)
    for at in arrivals(random.Random(seed), every_s, 600):
        limit_s = pace.silence_s(LEAST_S)
        alarms += limit_s is not None and at - last >= limit_s
        last = at
        pace.heard()
        pace.tick(at)
    return alarms


@pytest.mark.parametrize("every_s", [0.1, 0.5, 1, 2, 4, 6, 10, 20, 60])
def test_no_pace_makes_false_alarms_in_ten_minutes(every_s: float) -> None:
    assert sum(false_alarms(every_s, seed) for seed in range(300)) == 0


def test_a_few_messages_close_together_say_nothing_of_a_pace() -> None:
    """A trade comes with its books: five messages, one moment."""
    pace = Pace()
    pace.tick(0)
    for at in (1.0, 1.25, 1.5, 1.75, 2.0):
        for _ in range(5):
            pace.heard()
        pace.tick(at)
    assert pace.silence_s(LEAST_S) is None


def test_a_lively_connection_is_judged_within_seconds_of_its_start() -> None:
    pace = Pace()
    for tick in range(int(LEAST_MOMENTS) + 3):
        pace.tick(tick / 4)
        pace.heard()
    assert pace.silence_s(LEAST_S) == LEAST_S


def test_a_market_that_fell_asleep_is_judged_by_its_sleep() -> None:
    pace, at = Pace(), 0.0
    pace.tick(at)
    for every_s, moments in ((0.25, 400), (5, 100)):
        for _ in range(moments):
            at += every_s
            pace.heard()
            pace.tick(at)
    assert pace.silence_s(LEAST_S) == pytest.approx(100, rel=0.05)
