"""Whom a run asks about: everybody in turn, however many there are, and what happened just now at once."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import candidates
from polymarket_assets.collecting.asking_times import LONGEST, Through
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.collecting.ends import CLOSED, NOW, OVER, publish_history, push, resolve
from polymarket_assets_tests.collecting.fakes import HOUR, list_markets, listing, market_id, market_row, token

LOOKS = timedelta(minutes=5)
# Listed long before, and ended a while ago.
ENDED = {**OVER, "received_at": HOUR - timedelta(days=4)}


def names(due: candidates.Due) -> list[str]:
    return [candidate.market_id for candidate in due.asked]


def test_who_is_not_settled_is_asked_ever_more_seldom_and_nobody_is_left_out(lake: Lake) -> None:
    list_markets(lake, *(market_row(n, **ENDED) for n in (1, 2, 3)))
    now, since, at = NOW, None, []
    while now < NOW + timedelta(days=3):
        due = candidates.due(lake, now=now, since=since)
        assert sorted(names(due)) == [market_id(n) for n in (1, 2, 3)]
        idle = candidates.due(lake, now=now, since=due.through)
        assert (idle.asked, idle.waiting) == ([], 3)
        at.append(now)
        now, since = idle.next_at, due.through
    pauses = [b - a for a, b in itertools.pairwise(at[1:])]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST


def test_a_look_says_how_many_are_waiting_and_for_how_long(lake: Lake) -> None:
    list_markets(lake, market_row(1, **ENDED))
    first = candidates.due(lake, now=NOW)
    again = candidates.due(lake, now=NOW + timedelta(minutes=1), since=first.through)
    assert (first.waiting, again.asked, again.waiting) == (0, [], 1)
    # It ended thirteen minutes before: 5, 10, 20 …
    assert again.next_at == OVER["effective_close"] + timedelta(minutes=20)


@pytest.mark.parametrize("what", ["a push", "a close seen by discovery", "fetched history"])
def test_what_happens_since_the_last_run_is_asked_about_at_once(lake: Lake, what: str) -> None:
    """However long the market had been silent before."""
    list_markets(lake, market_row(1, **ENDED))
    later = NOW + timedelta(hours=17)
    at, since = later + timedelta(minutes=2), candidates.due(lake, now=later).through
    happened = {
        "a push": lambda: push(lake, 1, token(1), at=at),
        "a close seen by discovery": lambda: list_markets(lake, market_row(1, **{**ENDED, "received_at": at}, phase="closed"), part="1"),
        "fetched history": lambda: publish_history(lake, 5, received_at=at),
    }  # fmt: skip
    assert candidates.due(lake, now=later + LOOKS, since=since).asked == []
    happened[what]()
    due = candidates.due(lake, now=later + LOOKS, since=since)
    assert names(due) == [market_id(5 if what == "fetched history" else 1)]


@pytest.mark.parametrize("seed", range(3))
def test_of_more_than_a_run_asks_about_everybody_has_a_turn(lake: Lake, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:  # fmt: skip
    """The same first five thousand would be asked again and again while the rest waits; all of them end at midnight."""
    monkeypatch.setattr(candidates, "MOST", 5)
    roll = random.Random(seed)
    ended = [HOUR - timedelta(minutes=roll.choice([10, 10, 10, 200, 5000])) for _ in range(23)]
    list_markets(lake, *(market_row(n, **{**ENDED, "effective_close": at}) for n, at in enumerate(ended)))
    found, since = [], None
    for look in range(12):
        due = candidates.due(lake, now=NOW + look * LOOKS, since=since)
        since = due.through
        found.append(names(due))
    assert all(len(asked) <= 5 for asked in found)
    assert set().union(*found) == {market_id(n) for n in range(23)}


def test_a_backlog_of_years_keeps_no_market_of_today_waiting(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(candidates, "MOST", 10)
    publish_history(lake, *range(10, 40), received_at=HOUR - timedelta(days=2))
    list_markets(lake, market_row(1, **ENDED), market_row(2, **ENDED))
    due = candidates.due(lake, now=NOW)
    assert {market_id(1), market_id(2)} <= set(names(due))
    assert due.left == 22


def test_a_settled_market_is_not_due_and_one_settled_long_ago_costs_nothing(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, **CLOSED)])
    soon = candidates.due(lake, now=NOW + timedelta(minutes=10))
    assert (soon.asked, soon.waiting) == ([], 1)
    late = candidates.due(lake, now=NOW + timedelta(days=9))
    assert (late.asked, late.waiting, late.next_at) == ([], 0, None)


@pytest.mark.parametrize("what", ["a push", "a close seen by discovery", "fetched history"])
def test_what_happens_to_a_market_that_was_given_up_is_asked_about(lake: Lake, what: str) -> None:
    """Proposed too early, rejected, silent for a month: its end comes all the same."""
    list_markets(lake, market_row(1, **OVER))
    publish_history(lake, 5)
    ends = [listing(n, end={"status": "proposed", "prices": ("0.9", "0.1")}) for n in (1, 5)]
    assert resolve(lake, ends).versions == 2
    later = NOW + timedelta(days=35)
    list_markets(lake, market_row(1, **{**OVER, "received_at": later - timedelta(days=1)}), part="listed")
    assert candidates.due(lake, now=later - timedelta(hours=1)).asked == []
    happened = {
        "a push": lambda: push(lake, 1, token(1), at=later),
        "a close seen by discovery": lambda: list_markets(lake, market_row(1, **{**OVER, "received_at": later}, phase="closed"), part="b"),
        "fetched history": lambda: publish_history(lake, 5, received_at=later),
    }  # fmt: skip
    happened[what]()
    due = candidates.due(lake, now=later + LOOKS)
    assert names(due) == [market_id(5 if what == "fetched history" else 1)]


@pytest.mark.parametrize(
    ("end", "at_once"),
    [({"effective_close": HOUR - timedelta(hours=30)}, True), ({"effective_close": HOUR}, False)],
)
def test_an_end_that_was_heard_of_late_counts_from_then(
    lake: Lake, end: dict[str, Any], at_once: bool
) -> None:
    """Discovery was down for a day: what ended meanwhile would wait for half a day more."""
    list_markets(lake, market_row(1, **end))
    seen_at = HOUR - timedelta(minutes=5)
    due = candidates.due(lake, now=seen_at, since=Through(seen_at))
    assert bool(due.asked) is at_once
