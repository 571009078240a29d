"""What was settled is looked at again, what contradicts it becomes a new version, and training says which one it saw."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import asking_times, resolving
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import training_set
from polymarket_assets.learning.evidence import recorded
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused
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
from polymarket_assets_tests.learning.rows import snapshot

FLIPPED = {"closed": True, "end": {"prices": ("0", "1"), "status": "resolved", "closed_at": CLOSED_AT}}
STUCK = {"closed": True, "end": {"prices": ("1", "0"), "status": "proposed", "closed_at": CLOSED_AT}}
OTHER = f"9{token(1)}"


def states(lake: Lake) -> list[tuple[str, int | None]]:
    return [(row["state"], row["label"]) for row in versions(lake)]


def test_a_label_that_a_dispute_flips_is_a_new_version(lake: Lake) -> None:
    """Never asked about again, the first label would be learned from for ever."""
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, **CLOSED)])
    day, later = NOW + timedelta(days=1), NOW + timedelta(days=3)
    disputed = {"closed": True, "end": {**CLOSED["end"], "status": "disputed"}}
    assert resolve(lake, [listing(1, **disputed)], at=day).corrected == 1
    report = resolve(lake, [listing(1, **FLIPPED)], Data([row_of(1, payouts=(0, 1_000_000))]), at=later)
    assert (report.corrected, report.labels) == (0, 1)
    assert states(lake) == [("final", 1), ("disputed", None), ("final", 0)]
    rows = versions(lake)
    assert [row["label_seen_at"] for row in rows] == [NOW, None, later]
    assert {row["decided_seen_at"] for row in rows} == {NOW}
    assert rows[2]["was_disputed"]


def test_a_corrected_label_of_history_was_not_public_before_it_was_corrected(lake: Lake) -> None:
    """Dated by the close, a label nobody could have had would be trained on in the past."""
    publish_history(lake, 5)
    resolve(lake, [listing(5, **CLOSED)])
    later = NOW + timedelta(days=1)
    resolve(lake, [listing(5, **FLIPPED)], at=later)
    assert [(row["label"], row["label_seen_at"]) for row in versions(lake)] == [(1, CLOSED_AT), (0, later)]


def test_a_settled_market_is_asked_about_a_few_times_and_then_left(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    report, looks = resolve(lake, [listing(1, **CLOSED)]), []
    for hours in (1, 2, 5, 6, 7, 23, 24, 48, 72, 100, 168, 200, 400):
        at, since = NOW + timedelta(hours=hours, minutes=1), asking_times.through(report.asked_through)
        report = resolve(lake, [listing(1, **CLOSED)], at=at, since=since)
        looks += [timedelta(hours=hours)] * report.asked
    assert looks == list(asking_times.RECHECKS)
    assert states(lake) == [("final", 1)]


@pytest.mark.parametrize(
    ("what", "listings", "clob", "wanted"),
    [
        ("the catalogue leaves it out", [], {}, [("final", 1)]),
        ("nobody confirms it any more", [STUCK], {}, [("final", 1)]),
        ("it is open again", [{}], {}, [("final", 1), ("open", None)]),
        ("a winner contradicts", [STUCK], {1: OTHER}, [("final", 1), ("ambiguous", None)]),
    ],
)
def test_only_what_speaks_against_a_label_takes_it_back(
    lake: Lake,
    what: str,
    listings: list[dict[str, Any]],
    clob: dict[int, str],
    wanted: list[tuple[str, int | None]],
) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, **CLOSED)])
    winners = Winners({f"0x{n:064x}": winner for n, winner in clob.items()})
    resolve(lake, [listing(1, **each) for each in listings], clob=winners, at=NOW + timedelta(hours=2))
    assert states(lake) == wanted


def test_a_market_the_catalogue_leaves_out_once_keeps_what_was_known(lake: Lake) -> None:
    """A row that cannot be read is left out of an answer: that is no news of the market."""
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, end={"status": "proposed"})])
    resolve(lake, [], at=NOW + timedelta(hours=1))
    assert states(lake) == [("proposed", None)]


# --- the stream says A, the catalogue B ---------------------------------------------------------------


def test_a_push_against_the_catalogue_is_no_label_until_somebody_else_confirms(lake: Lake) -> None:
    """One of the two is wrong, and nobody knows which: the evidence shows both."""
    list_markets(lake, market_row(1, **OVER))
    push(lake, 1, OTHER, at=NOW - timedelta(minutes=2))
    resolve(lake, [listing(1, **CLOSED)])
    row = versions(lake)[0]
    assert (row["state"], row["label"], row["rule"]) == ("ambiguous", None, "pushed_otherwise")
    evidence = json.loads(row["evidence"])
    assert evidence["pushed"]["said"][0]["winning_token_id"] == OTHER
    assert evidence["catalogue"]["prices"] == ["1", "0"]
    resolve(lake, [listing(1, **CLOSED)], Data([row_of(1)]), at=NOW + timedelta(hours=1))
    assert states(lake) == [("ambiguous", None), ("final", 1)]
    assert "though the stream pushed 0/1" in versions(lake)[1]["reason"]


def test_what_was_pushed_is_not_forgotten_while_an_oracle_takes_its_time(lake: Lake) -> None:
    """Pushes are looked for in the last three days; a market may close a week after one."""
    list_markets(lake, market_row(1, **OVER))
    push(lake, 1, OTHER, at=NOW - timedelta(minutes=2))
    resolve(lake, [listing(1, end={"status": "proposed"})])
    resolve(lake, [listing(1, **CLOSED)], at=NOW + timedelta(days=8))
    assert states(lake) == [("proposed", None), ("ambiguous", None)]


def test_a_push_that_comes_after_a_proposal_is_kept(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, end={"status": "proposed"})])
    push(lake, 1, token(1), at=NOW + timedelta(minutes=2))
    for minutes in (5, 10):
        resolve(lake, [listing(1, end={"status": "proposed"})], at=NOW + timedelta(minutes=minutes))
    said = [json.loads(row["evidence"]).get("pushed") for row in versions(lake)]
    assert len(said) == 2
    assert said[1]["said"][0]["winning_token_id"] == token(1)


def test_a_push_against_a_label_that_only_the_catalogue_gave_takes_it_back(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, **CLOSED)])
    push(lake, 1, OTHER, at=NOW + timedelta(minutes=30))
    resolve(lake, [listing(1, **CLOSED)], at=NOW + timedelta(hours=2))
    assert states(lake) == [("final", 1), ("ambiguous", None)]


# --- the last resort ----------------------------------------------------------------------------------


def test_where_nobody_else_speaks_the_payout_among_the_prices_confirms(lake: Lake) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, **STUCK)], Data(payout=1.0))
    row = versions(lake)[0]
    assert (row["state"], row["label"]) == ("final", 1)
    assert json.loads(row["evidence"])["payout"]["price"] == 1.0


@pytest.mark.parametrize(
    "silent", [None, Gone("no such token"), Refused("window"), MalformedPayload("row", "x", "?")], ids=repr
)
def test_a_price_history_without_a_payout_is_no_evidence(lake: Lake, silent: Exception | None) -> None:
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, **STUCK)], Data(payout=silent))
    assert states(lake) == [("proposed", None)]


def test_price_histories_are_asked_for_last_and_not_for_many(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A request a market: only where the order-book service did not confirm, and no more than a run can bear."""
    monkeypatch.setattr(resolving, "MOST_PAYOUTS", 2)
    list_markets(lake, *(market_row(n, **OVER) for n in range(1, 6)))
    data, clob = Data(payout=1.0), Winners({listing(1).market.condition_id: token(1)})
    resolve(lake, [listing(n, **STUCK) for n in range(1, 6)], data, clob)
    assert len(data.histories) == 2
    assert token(1) not in data.histories
    assert [state for state, _ in states(lake)].count("final") == 3


# --- what a label means -------------------------------------------------------------------------------


def test_a_version_says_what_its_label_means(lake: Lake) -> None:
    """Up since a minute ago, and up on average over the last minute, are two questions with one name."""
    list_markets(lake, market_row(1, **OVER))
    resolve(lake, [listing(1, resolution_source="https://data.chain.link/streams/x", twap_s=60, **CLOSED)])
    row = versions(lake)[0]
    assert (row["resolution_source"], row["twap_s"]) == ("https://data.chain.link/streams/x", 60)


def test_training_says_which_version_of_a_label_it_saw(lake: Lake) -> None:
    """From the venue's answers to the training set, before and after a correction."""
    close = HOUR - timedelta(minutes=10)
    list_markets(lake, market_row(1, **OVER, listed_at=HOUR - timedelta(days=2)))
    row = snapshot("x", close - timedelta(minutes=15), 0.6, 0.62) | {"market_id": listing(1).market.market_id}
    lake.publish_rows("snapshots", [row], part="0", at=row["slot_at"], tier="t4")
    list_markets(lake, market_row(1, **OVER, received_at=close - timedelta(hours=1), listed_at=HOUR - timedelta(days=2)), part="early")  # fmt: skip
    recorded.publish_recorded(lake, close - timedelta(minutes=15))
    resolve(lake, [listing(1, **CLOSED)])
    assert trained(lake, NOW) == [(1, 1)]
    flipped_at = NOW + timedelta(days=1)
    resolve(lake, [listing(1, **FLIPPED)], at=flipped_at)
    assert trained(lake, NOW) == [(1, 1)]
    assert trained(lake, flipped_at) == [(2, 0)]


def trained(lake: Lake, now: datetime) -> list[tuple[int, int]]:
    rows = training_set.build(lake, now=now + timedelta(minutes=1)).rows.to_pylist()
    return [(row["label_version"], row["label"]) for row in rows]
