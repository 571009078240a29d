"""Many are asked at once: answers in order, a thread for each client, and trouble that passes costs nothing."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from polymarket_assets.collecting.history import asking
from polymarket_assets.collecting.history.asking import Asking
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused, Unavailable

ITEMS = list(range(40))


def test_answers_come_in_the_order_of_the_items_and_a_client_serves_one_at_a_time() -> None:
    """A connection is not safe for two threads; rows must not depend on who answered first."""
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def ask(client: str, item: int) -> int:
        with lock:
            busy[client] += 1
            most[client] = max(most[client], busy[client])
        time.sleep(0.002 * (item % 3))
        with lock:
            busy[client] -= 1
        return item * item

    assert list(Asking(["a", "b", "c"]).each(ITEMS, ask)) == [(item, item * item) for item in ITEMS]
    assert most == {"a": 1, "b": 1, "c": 1}


def test_no_more_than_so_many_answers_wait_for_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of any size must fit into memory."""
    monkeypatch.setattr(asking, "AHEAD", 5)
    asked: list[int] = []
    answers = Asking(["a", "b"]).each(ITEMS, lambda client, item: asked.append(item))
    next(answers)
    time.sleep(0.1)
    assert len(asked) <= 6
    answers.close()


def failing(times: int, failure: PolymarketError) -> Callable[[str, int], str]:
    left = Counter(dict.fromkeys(ITEMS, times))

    def ask(client: str, item: int) -> str:
        left[item] -= 1
        if left[item] >= 0:
            raise failure
        return "told"

    return ask


@pytest.mark.parametrize(
    "failure", [Unavailable("503"), MalformedPayload("prices", "<html>"), Refused("403")]
)
def test_trouble_that_passes_costs_nothing(failure: PolymarketError) -> None:
    """Of two thousand markets some meet every fault that one answer in ten has."""
    answers = Asking(["a", "b"], pause_s=0.001).each(ITEMS, failing(2, failure))
    assert [answer for _, answer in answers] == ["told"] * len(ITEMS)


@pytest.mark.parametrize("failure", [MalformedPayload("prices", "<html>"), Refused("400"), Gone("404")])
def test_what_stays_is_the_answer_of_that_item_alone(failure: PolymarketError) -> None:
    def ask(client: str, item: int) -> str:
        if item == 7:
            raise failure
        return "told"

    answers = dict(Asking(["a", "b"]).each(ITEMS, ask))
    assert answers.pop(7) is failure
    assert set(answers.values()) == {"told"}


def test_what_is_gone_is_asked_about_once() -> None:
    asked: list[int] = []

    def ask(client: str, item: int) -> None:
        asked.append(item)
        raise Gone("404")

    list(Asking(["a"]).each([1, 2], ask))
    assert asked == [1, 2]


def test_a_venue_that_is_down_is_waited_for_and_then_told() -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match="503"):
        list(
            Asking(["a", "b"], patience_s=0.3, pause_s=0.01).each(ITEMS, failing(10_000, Unavailable("503")))
        )
    assert 0.3 <= time.monotonic() - began < 3


def test_one_that_fails_while_others_are_answered_is_given_up_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A market whose list the venue cannot make in its own time would cost the other two thousand of the day."""
    monkeypatch.setattr(asking, "AHEAD", 5)
    slow = Unavailable("504")

    def ask(client: str, item: int) -> str:
        if item == 7:
            raise slow
        return "told"

    answers = dict(Asking(["a", "b"], item_patience_s=0.1, pause_s=0.01).each(ITEMS, ask))
    assert answers.pop(7) is slow
    assert (len(answers), set(answers.values())) == (len(ITEMS) - 1, {"told"})


def test_who_stops_listening_stops_the_asking() -> None:
    """Ctrl-C: what was not begun is not asked, what waits for a venue that is down gives up."""
    asked: list[int] = []

    def ask(client: str, item: int) -> int:
        asked.append(item)
        if item:
            raise Unavailable("503")
        return item

    answers = Asking(["a", "b"], pause_s=60).each(ITEMS, ask)
    assert next(answers) == (0, 0)
    began = time.monotonic()
    answers.close()
    assert time.monotonic() - began < 5
    assert len(asked) < len(ITEMS)
