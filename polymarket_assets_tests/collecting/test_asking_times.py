"""Markets are asked about soon after something happened, ever more seldom after that, and none is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polymarket_assets.collecting import asking_times
from polymarket_assets.collecting.asking_times import (
    ASKED_FOR,
    LONGEST,
    RECHECKS,
    Life,
    Through,
    due_at,
    next_at,
)
from polymarket_assets.venue.errors import Refused
from polymarket_assets_tests.collecting.fakes import HOUR

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
instants = st.timedeltas(timedelta(0), 40 * DAY).map(lambda after: HOUR + after)
lives = st.lists(instants, min_size=1, max_size=4).map(lambda events: Life(tuple(events)))


def asked(life: Life, until: datetime) -> list[timedelta]:
    """When a market is asked about by runs that look all the time, counted from what happened first."""
    found, now = [], HOUR - timedelta.resolution
    while (at := next_at(life, now)) is not None and at <= until:
        found.append(at - min(life.events or (life.settled_at or HOUR,)))
        now = at
    return found


def test_a_market_is_asked_about_at_once_and_then_ever_more_seldom() -> None:
    """Thousands of ends that take days would be asked about every five minutes, and delay those that take seconds."""
    minutes = [0, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 1280 + 720, 1280 + 2 * 720]
    assert [each / MINUTE for each in asked(Life((HOUR,)), HOUR + timedelta(hours=47))] == minutes


def test_something_new_starts_the_clock_again() -> None:
    """A proposal after ten days is settled within hours, and a push is worth a question now."""
    steps = asked(Life((HOUR, HOUR + 10 * DAY)), HOUR + 10 * DAY + 11 * MINUTE)
    assert steps[-3:] == [10 * DAY, 10 * DAY + 5 * MINUTE, 10 * DAY + 10 * MINUTE]


def test_a_settled_market_is_looked_at_a_few_times_and_then_left() -> None:
    """A label that a dispute flips within the week would stay wrong for ever."""
    assert asked(Life((), HOUR), HOUR + 365 * DAY) == list(RECHECKS)


def test_what_nothing_happened_to_for_a_month_is_left() -> None:
    last = HOUR + ASKED_FOR
    assert due_at(Life((HOUR,)), last) is not None
    assert due_at(Life((HOUR,)), last + timedelta.resolution) is None
    assert next_at(Life((HOUR,)), last + timedelta.resolution) is None
    assert due_at(Life(()), HOUR) is None


def test_what_lies_ahead_is_not_due_yet() -> None:
    """A market that was said to be resolved before its schedule has both behind and before it."""
    assert due_at(Life((HOUR + DAY,)), HOUR) is None
    assert next_at(Life((HOUR + DAY,)), HOUR) == HOUR + DAY


@given(lives, instants)
def test_nobody_waits_longer_than_the_longest_pause_nor_longer_than_it_took_so_far(life: Life, now: datetime) -> None:  # fmt: skip
    """Whatever happened, and whenever is looked."""
    now = max(now, *life.events)
    at = next_at(life, now)
    if now > max(life.events) + ASKED_FOR:
        assert at is None
        return
    assert at is not None
    assert timedelta(0) < at - now <= LONGEST
    assert at - now <= max(asking_times.FIRST, now - max(life.events))


@given(lives, instants, st.timedeltas(timedelta(0), DAY))
def test_what_is_due_does_not_depend_on_how_often_is_looked(life: Life, now: datetime, then: timedelta) -> None:  # fmt: skip
    """Nothing is remembered of a market: what a look finds is the last of the instants that lay ahead."""
    later, found, at = min(now + then, max(life.events) + ASKED_FOR), due_at(life, now), now
    while (at := next_at(life, at) or later + DAY) <= later:
        found = at
    if later > now:
        assert due_at(life, later) == found


@given(instants, st.sampled_from(["", "pm:0x1", "us:a-b"]))
def test_where_a_run_stopped_is_told_to_the_next_one_as_text(at: datetime, market_id: str) -> None:
    through = Through(at, market_id)
    assert asking_times.through(str(through)) == through


@pytest.mark.parametrize("said", ["", "yesterday", "2026-11-02T13:00:00", "7 pm:0x1"])
def test_what_does_not_say_until_when_was_asked_is_refused(said: str) -> None:
    with pytest.raises(Refused, match="leave it out to ask about everything"):
        asking_times.through(said)
