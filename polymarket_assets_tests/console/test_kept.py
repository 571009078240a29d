"""What was looked at is answered at once, and looked at again in the background."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from console.kept import Kept, NotYet
from console.markets.recall import Recall
from polymarket_assets.venue.errors import Refused

NOW = datetime(2026, 11, 2, 13, 40, tzinfo=UTC)
AT_ONCE, SOON = 0.0, 5.0


def kept(make: Callable[[], int], every_s: float = AT_ONCE) -> Kept[int]:
    return Kept(make, every_s=every_s, clock=lambda: NOW)


def until(holds: Callable[[], bool]) -> None:
    """Wait for a look that is under way."""
    pause = threading.Event()
    for _ in range(500):
        if holds():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to hold within five seconds")


def test_who_asks_first_waits_for_a_look_that_is_quick() -> None:
    seen = kept(lambda: 7).seen(SOON)
    assert (seen.value, seen.at, seen.error) == (7, NOW, None)


def test_who_asks_while_the_first_look_takes_long_is_told_to_come_again() -> None:
    go = threading.Event()
    asked = kept(lambda: 7 if go.wait(SOON) else 0)
    with pytest.raises(NotYet):
        asked.seen(0.01)
    go.set()
    assert asked.seen(SOON).value == 7


def test_a_look_that_hangs_keeps_what_was_seen_and_is_not_begun_twice() -> None:
    """Without this every question while a disk hangs would leave a thread behind."""
    go, begun = threading.Event(), []

    def look() -> int:
        begun.append(1)
        return len(begun) if len(begun) == 1 or go.wait(SOON) else 0

    asked = kept(look)
    assert asked.seen(SOON).value == 1
    for _ in range(20):
        assert asked.seen(SOON).value == 1
    assert len(begun) == 2
    go.set()
    until(lambda: asked.seen(SOON).value >= 2)


def test_a_look_that_fails_raises_until_one_succeeds_and_afterwards_stands_beside_the_answer() -> None:
    answers: list[int | Exception] = [Refused("no such place"), 7]

    def look() -> int:
        answer = answers.pop(0) if answers else Refused("it went away")
        if isinstance(answer, Exception):
            raise answer
        return answer

    asked = kept(look)
    with pytest.raises(Refused, match="no such place"):
        asked.seen(SOON)

    def answered() -> bool:
        try:
            return asked.seen(SOON).error is not None
        except Refused:
            return False

    until(answered)
    seen = asked.seen(SOON)
    assert (seen.value, str(seen.error)) == (7, "it went away")


def test_nothing_is_looked_at_before_it_is_due() -> None:
    begun: list[int] = []
    asked = kept(lambda: begun.append(1) or 7, every_s=3_600.0)  # type: ignore[func-returns-value]
    assert [asked.seen(SOON).value for _ in range(5)] == [7] * 5
    assert len(begun) == 1


def refused() -> int:
    raise Refused("no such place")


def looked_at() -> Callable[[], int]:
    asked = kept(refused, every_s=3_600.0)
    return lambda: asked.seen(SOON).value


def recalled() -> Callable[[], int]:
    recall = Recall[int](1, 3_600.0)
    return lambda: recall.get("a market", refused)


@pytest.mark.parametrize("asking", [looked_at, recalled])
def test_an_error_that_is_told_a_thousand_times_holds_on_to_no_more_than_one_that_is_told_once(
    asking: Callable[[], Callable[[], int]],
) -> None:
    """A tracking server that was down cost the console sixty megabytes in four seconds of questions."""
    ask = asking()

    def frames() -> int:
        with pytest.raises(Refused, match="no such place") as told:
            ask()
        return len(traceback.extract_tb(told.tb))

    once = frames()
    assert max(frames() for _ in range(1_000)) == once
