"""Overdue, quiet, dead and revived: what was seen of a market decides how often it is looked at."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import accounts, discovery, known, snapshotting, sweeping
from polymarket_assets.collecting.accounts import TAKEN, Account, part_of
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME
from polymarket_assets_tests.collecting.fakes import (
    HOUR,
    Gamma,
    Time,
    book,
    listing,
    market_id,
    market_row,
    token,
)
from streamer.universe import Universe

OVERDUE = {"scheduled_end": HOUR - timedelta(hours=2)}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def discover(lake: Lake, at: datetime, **market: Any) -> dict[str, Any]:
    """A listing of the market at an instant, and what is then known of it."""
    gamma = Gamma([listing(0, **{**OVERDUE, **market})])
    discovery.discover(lake, gamma, Settings(_env_file=None, min_volume_usd=0.0), clock=Time(at).clock)
    (row,) = known.newest_markets(lake, now=at).to_pylist()
    return row


def sampled(lake: Lake, at: datetime, moved: datetime, tier: str = "t4") -> None:
    """A sweep that got the market's book, which last changed then."""
    books = sweeping.books_table([(market_id(0), book(0, venue_at=moved), at)], at)
    shots = snapshotting.snapshots(books, table_of("markets", [market_row(0, tier=tier)]))
    lake.publish("snapshots", shots, part=part_of(at), at=at, tier=tier)
    accounts.publish(lake, Account(tier, at, TAKEN, "run", books=1, started_at=at))


def gone(lake: Lake, at: datetime, tier: str = "t4", status: str = TAKEN) -> None:
    accounts.publish(lake, Account(tier, at, status, "run", gone=(market_id(0),), started_at=at))


def traded(lake: Lake, at: datetime) -> None:
    row = {
        "session_id": "s", "connection": 0, "sequence": 1, "received_at": at, "venue_at": at, "market_id": market_id(0),
        "token_id": token(0), "outcome_index": 0, "is_buy": True, "price_e6": 500_000, "size_e6": 1_000_000,
    }  # fmt: skip
    lake.publish_rows("trades_raw", [row], part="0", at=at)


@pytest.mark.parametrize(
    ("moved_min", "sampled_min", "tier"),
    [(-30, -1, "t1"), (-11, -1, "t1"), (-9, -1, "t4"), (-30, -12, "t4")],
    ids=["long quiet", "just quiet", "it moved", "not looked at lately"],
)
def test_an_overdue_market_that_is_quiet_is_looked_at_as_seldom_as_t1(lake: Lake, moved_min: float, sampled_min: float, tier: str) -> None:  # fmt: skip
    sampled(lake, HOUR + minutes(sampled_min), HOUR + minutes(moved_min))
    row = discover(lake, HOUR)
    assert (row["phase"], row["tier"]) == ("overdue", tier)


def test_a_trade_heard_is_movement_too(lake: Lake) -> None:
    sampled(lake, HOUR - minutes(1), HOUR - minutes(30))
    traded(lake, HOUR - minutes(2))
    assert discover(lake, HOUR)["tier"] == "t4"


def test_a_quiet_market_that_moves_again_comes_back(lake: Lake) -> None:
    sampled(lake, HOUR - minutes(1), HOUR - minutes(30))
    assert discover(lake, HOUR)["tier"] == "t1"
    assert discover(lake, HOUR + minutes(10))["tier"] == "t1", "nothing new was seen"
    sampled(lake, HOUR + minutes(15), HOUR + minutes(14), "t1")
    assert discover(lake, HOUR + minutes(20))["tier"] == "t4"


def test_before_its_end_a_market_may_be_as_quiet_as_it_likes(lake: Lake) -> None:
    sampled(lake, HOUR - minutes(1), HOUR - minutes(30))
    row = discover(lake, HOUR, scheduled_end=HOUR + minutes(30))
    assert (row["phase"], row["tier"], row["is_quiet"]) == ("scheduled", "t4", None)


@pytest.mark.parametrize(
    ("slots", "phase"),
    [([1, 2], "overdue"), ([1, 2, 3], "dead"), ([1, 2, 3, 4], "dead")],
    ids=["twice", "three times", "and again"],
)
def test_a_market_whose_book_is_gone_three_times_running_is_dead(lake: Lake, slots: list[int], phase: str) -> None:  # fmt: skip
    sampled(lake, HOUR - minutes(5), HOUR - minutes(5))
    for slot in slots:
        gone(lake, HOUR - minutes(5) + slot * BY_NAME["t4"].every)
    row = discover(lake, HOUR)
    assert (row["phase"], row["tier"]) == (phase, "t0" if phase == "dead" else "t4")


def test_a_book_in_between_begins_the_count_anew(lake: Lake) -> None:
    every = BY_NAME["t4"].every
    for slot in (1, 2, 4, 5):
        gone(lake, HOUR - minutes(5) + slot * every)
    sampled(lake, HOUR - minutes(5) + 3 * every, HOUR - minutes(5))
    assert discover(lake, HOUR)["phase"] == "overdue"


def test_sweeps_that_the_venue_did_not_answer_count_for_nothing(lake: Lake) -> None:
    sampled(lake, HOUR - minutes(5), HOUR - minutes(5))
    for slot in (1, 2, 3):
        gone(lake, HOUR - minutes(5) + slot * BY_NAME["t4"].every, status=accounts.MISSED)
    assert discover(lake, HOUR)["phase"] == "overdue"


def test_the_dead_stay_dead_until_their_book_is_seen(lake: Lake) -> None:
    """They are looked at once an hour; discovery comes six times as often."""
    for slot in (1, 2, 3):
        gone(lake, HOUR - minutes(5) + slot * BY_NAME["t4"].every)
    assert discover(lake, HOUR)["phase"] == "dead"
    assert discover(lake, HOUR + minutes(120))["phase"] == "dead"
    gone(lake, HOUR + minutes(121), "t0")
    assert discover(lake, HOUR + minutes(130))["phase"] == "dead"
    sampled(lake, HOUR + minutes(181), HOUR + minutes(181), "t0")
    row = discover(lake, HOUR + minutes(190))
    assert (row["phase"], row["tier"]) == ("overdue", "t4")


def test_only_the_venue_closes(lake: Lake) -> None:
    for slot in (1, 2, 3):
        gone(lake, HOUR - minutes(5) + slot * BY_NAME["t4"].every)
    discover(lake, HOUR)
    gamma = Gamma([listing(0, **OVERDUE, closed=True)])
    discovery.discover(lake, gamma, Settings(_env_file=None, min_volume_usd=0.0), clock=Time(HOUR + minutes(10)).clock)  # fmt: skip
    (row,) = known.known_markets(lake, now=HOUR + minutes(10)).to_pylist()
    assert row["phase"] == "closed"


def test_windows_and_the_streamer_see_the_same(lake: Lake) -> None:
    sampled(lake, HOUR - minutes(1), HOUR - minutes(30))
    listed = sweeping.Listed(lake)
    settings = Settings(_env_file=None, stream_tiers=("t2", "t3", "t4"))
    discover(lake, HOUR - minutes(1), volume_usd=5.0)
    assert [market.tier for market in Universe(lake, settings).wanted(HOUR)] == []
    listed.refresh(HOUR)
    assert {name: listed.due(BY_NAME[name], HOUR, 10)[0].num_rows for name in BY_NAME} == {"t0": 0, "t1": 1, "t2": 0, "t3": 0, "t4": 0}  # fmt: skip


def test_observing_stores_nothing_while_nothing_changes(lake: Lake) -> None:
    sampled(lake, HOUR - minutes(1), HOUR - minutes(30))
    first = discover(lake, HOUR)
    assert discover(lake, HOUR + minutes(10))["received_at"] == first["received_at"]
