"""Resolving asks until an end is settled, writes only news, and says when each thing could be known."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import resolving
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import MalformedPayload, Unavailable
from polymarket_assets_tests.collecting.ends import (
    CLOSED,
    CLOSED_AT,
    NOW,
    OVER,
    Data,
    Winners,
    publish_history,
    push,
    resolve,
    row_of,
    versions,
)
from polymarket_assets_tests.collecting.fakes import HOUR, list_markets, listing, market_row, token


def test_a_market_followed_live_is_labelled_when_we_saw_it(lake: Lake) -> None:
    """A label stamped with the venue's clock would have been trained on before anybody had it."""
    list_markets(lake, market_row(1, **OVER))
    report = resolve(lake, [listing(1, **CLOSED)], Data([row_of(1)]))
    assert (report.asked, report.versions, report.labels, report.still_open) == (1, 1, 1, 0)
    row = versions(lake)[0]
    assert (row["state"], row["label"], row["payouts_e6"]) == ("final", 1, [1_000_000, 0])
    assert (row["seen_at"], row["label_seen_at"], row["decided_seen_at"]) == (NOW, NOW, NOW)
    assert row["resolved_at"] == CLOSED_AT


def test_evidence_says_what_each_service_said_and_when(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    stuck = {**CLOSED, "end": {**CLOSED["end"], "status": "proposed"}}
    condition = listing(1).market.condition_id
    resolve(lake, [listing(1, **stuck)], clob=Winners({condition: token(1)}))
    evidence = json.loads(versions(lake)[0]["evidence"])
    assert set(evidence) == {"catalogue", "clob"}
    assert evidence["catalogue"]["prices"] == ["1", "0"]
    assert datetime.fromisoformat(evidence["clob"]["seen_at"]) == NOW


def test_nothing_is_written_twice_and_a_settled_market_is_not_asked_again(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER), market_row(2, **OVER))
    listings = [listing(1, **CLOSED), listing(2, end={"status": "proposed"})]
    resolve(lake, listings)
    again = resolve(lake, listings, at=NOW + timedelta(minutes=5))
    assert (again.asked, again.versions, again.still_open) == (1, 0, 1)
    assert [row["version"] for row in versions(lake)] == [1, 1]


def test_the_first_hint_is_carried_into_later_versions(lake: Lake) -> None:
    """Features end at the first hint; a later version must not move it."""
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, end={"status": "proposed"})])
    later = NOW + timedelta(hours=2)
    resolve(lake, [listing(1, end={"status": "disputed"})], at=later)
    resolve(lake, [listing(1, **CLOSED)], at=later + timedelta(hours=1))
    rows = versions(lake)
    assert [row["state"] for row in rows] == ["proposed", "disputed", "final"]
    assert {row["decided_seen_at"] for row in rows} == {NOW}
    assert [row["label_seen_at"] for row in rows] == [None, None, later + timedelta(hours=1)]
    assert rows[2]["was_disputed"]


def test_final_prices_on_an_open_market_are_a_hint_and_no_label(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, end={"prices": ("1", "0")})])
    assert [(r["state"], r["label"], r["decided_seen_at"]) for r in versions(lake)] == [("open", None, NOW)]


def test_an_open_market_without_any_hint_needs_no_row(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    report = resolve(lake, [listing(1)])
    assert (report.still_open, report.states, versions(lake)) == (1, {"open": 1}, [])


def test_a_pushed_resolution_is_when_it_was_first_known_and_decides_nothing(lake: Lake) -> None:
    pushed_at = NOW - timedelta(minutes=2)
    push(lake, 1, None, at=pushed_at)
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1)])
    resolve(lake, [listing(1, **CLOSED)], at=NOW + timedelta(minutes=5))
    assert [(r["state"], r["decided_seen_at"]) for r in versions(lake)] == [
        ("open", pushed_at),
        ("final", pushed_at),
    ]


def test_a_pushed_resolution_is_asked_about_before_the_effective_close(lake: Lake) -> None:
    """A game that is over early: neither its schedule nor the last discovery knows yet."""
    pushed_at = NOW - timedelta(minutes=2)
    push(lake, 1, None, at=pushed_at)
    playing = {**OVER, "effective_close": NOW + timedelta(hours=1), "phase": "live"}
    list_markets(lake, market_row(1, **playing), market_row(2, **playing))
    report = resolve(lake, [listing(1, **CLOSED), listing(2)], Data([row_of(1)]))
    assert (report.asked, report.labels) == (1, 1)


def test_a_proposal_that_discovery_saw_first_is_when_it_was_first_known(lake: Lake) -> None:
    seen = [HOUR - timedelta(minutes=m) for m in (20, 15, 10)]
    for at, phase in zip(seen, ("live", "dead", "dead"), strict=True):
        list_markets(lake, market_row(1, received_at=at, phase=phase), part=f"{at:%M}")
    resolve(lake, [listing(1, end={"status": "proposed"})])
    assert [(r["state"], r["decided_seen_at"]) for r in versions(lake)] == [("proposed", seen[1])]


def test_history_is_dated_by_when_it_was_public(lake: Lake) -> None:
    """A market of last year could have been learned from last year, not only since we fetched it."""
    publish_history(lake, 5)
    resolved_at = CLOSED_AT + timedelta(minutes=1)
    resolve(lake, [listing(5, **CLOSED)], Data([row_of(5, at=resolved_at)]))
    row = versions(lake)[0]
    assert (row["label_seen_at"], row["resolved_at"]) == (resolved_at, resolved_at)
    assert row["decided_seen_at"] == CLOSED_AT
    assert row["seen_at"] == NOW


def test_imported_history_is_not_asked_about(lake: Lake) -> None:
    publish_history(lake, 5, source="weather")
    assert resolve(lake, [listing(5, **CLOSED)]).asked == 0


@pytest.mark.parametrize(
    ("market", "asked"),
    [
        ({}, 0),
        (OVER, 1),
        ({"phase": "dead"}, 1),
        ({"phase": "closed"}, 1),
        ({"effective_close": None, "end_source": "none"}, 0),
        ({**OVER, "condition_id": None}, 0),
    ],
    ids=str,
)
def test_only_what_may_have_ended_is_asked_about(lake: Lake, market: dict[str, Any], asked: int) -> None:
    list_markets(lake, market_row(1, **market))
    assert resolve(lake, []).asked == asked


def test_the_order_book_service_is_asked_only_for_a_confirmation(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER), market_row(2, **OVER), market_row(3, **OVER))
    stuck = {**CLOSED, "end": {**CLOSED["end"], "status": None}}
    clob = Winners()
    resolve(lake, [listing(1, **CLOSED), listing(2, **stuck), listing(3)], clob=clob)
    assert clob.asked == [listing(2).market.condition_id]


def test_an_unreadable_confirmation_is_none(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    stuck = {**CLOSED, "end": {**CLOSED["end"], "status": None}}
    resolve(lake, [listing(1, **stuck)], clob=Winners(error=MalformedPayload("market", "<html>")))
    assert [row["state"] for row in versions(lake)] == ["proposed"]


def test_a_venue_that_fails_midway_keeps_what_was_decided_and_fails_the_run(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(resolving, "BATCH", 1)
    list_markets(lake, *(market_row(n, **OVER) for n in (1, 2)))
    with pytest.raises(Unavailable, match="data answered 503"):
        resolve(lake, [listing(n, **CLOSED) for n in (1, 2)], Data(fails_after=1))
    assert len(versions(lake)) == 1


def test_what_is_stuck_for_ever_is_left_in_the_end(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    one_one = [listing(1, closed=True, end={"prices": ("1", "1"), "status": "resolved"})]
    resolve(lake, one_one)
    assert resolve(lake, one_one, at=NOW + timedelta(days=20)).asked == 1
    assert resolve(lake, one_one, at=NOW + timedelta(days=31)).asked == 0
