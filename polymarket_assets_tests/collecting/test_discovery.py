"""Discovery stores what changed, closes nothing by itself, and loses nothing of an incomplete listing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import accounts, catalogue, census, discovery, unlisted
from polymarket_assets.collecting import known as known_rows
from polymarket_assets.collecting.accounts import Account
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.settings import Settings
from polymarket_assets.venue import lifecycle
from polymarket_assets.venue.errors import MalformedPayload, PolymarketError, Refused, Unavailable
from polymarket_assets.venue.records import Listing
from polymarket_assets_tests.collecting.fakes import (
    HOUR,
    Gamma,
    Time,
    list_markets,
    listing,
    market_id,
    market_row,
)

LATER = HOUR + timedelta(minutes=5)


def discover(lake: Lake, gamma: Gamma, at: datetime = HOUR, **settings: Any) -> discovery.DiscoveryReport:
    return discovery.discover(lake, gamma, Settings(_env_file=None, **settings), clock=Time(at).clock)


def stored(lake: Lake) -> list[dict[str, Any]]:
    rows = reading.rows(lake, "markets").to_pylist()
    return sorted(rows, key=lambda row: (row["received_at"], row["market_id"]))


def known(lake: Lake, now: datetime) -> dict[str, dict[str, Any]]:
    return {row["market_id"]: row for row in discovery.newest_markets(lake, now=now).to_pylist()}


def test_what_is_listed_is_stored_once(lake: Lake) -> None:
    """Storing every market at every look would cost gigabytes a day and say nothing."""
    gamma = Gamma([listing(n) for n in range(5)])
    first, second = discover(lake, gamma), discover(lake, gamma, LATER)
    assert (first.listed, first.stored, first.complete) == (5, 5, True)
    assert (second.listed, second.stored) == (5, 0)
    assert len(stored(lake)) == 5


@pytest.mark.parametrize(
    ("changed", "news"),
    [
        ({"question": "Will 1 really happen?"}, 1),
        ({"scheduled_end": HOUR + timedelta(minutes=45)}, 1),
        ({"tick_e6": 1000}, 1),
        ({"accepting_orders": False}, 1),
        ({"end_proposed": True}, 1),
        ({"volume_usd": 1040.0}, 0),
        ({"volume_usd": 1060.0}, 1),
        ({"volume_usd": None, "series_slug": "s"}, 1),
        ({"liquidity_usd": 5.0}, 1),
    ],
)
def test_a_change_is_stored_and_a_flutter_is_not(lake: Lake, changed: dict[str, Any], news: int) -> None:
    discover(lake, Gamma([listing(1)]))
    assert discover(lake, Gamma([listing(1, **changed)]), LATER).stored == news


def test_a_row_says_how_much_was_traded_at_the_row_before(lake: Lake) -> None:
    discover(lake, Gamma([listing(0)]))
    discover(lake, Gamma([listing(0, volume_usd=1500.0)]), LATER)
    first, second = stored(lake)
    assert (first["volume_before_usd"], first["volume_before_at"]) == (None, None)
    assert (second["volume_usd"], second["volume_before_usd"], second["volume_before_at"]) == (
        1500,
        1000,
        HOUR,
    )


def test_an_unchanged_market_is_stored_again_before_it_is_forgotten(lake: Lake) -> None:
    far = HOUR + timedelta(days=13)
    gamma = Gamma([listing(1, scheduled_end=far)])
    discover(lake, gamma)
    assert discover(lake, gamma, HOUR + timedelta(days=8)).stored == 1
    assert discovery.STORED_AGAIN < known_rows.KNOWN_FOR


def test_the_newest_row_of_a_market_counts_and_only_what_was_known_then(lake: Lake) -> None:
    discover(lake, Gamma([listing(1)]))
    discover(lake, Gamma([listing(1, question="New?")]), LATER)
    assert known(lake, LATER)[market_id(1)]["question"] == "New?"
    assert known(lake, HOUR)[market_id(1)]["question"] == "Will 1 happen?"


@pytest.mark.parametrize(
    ("market", "kept"),
    [
        ({}, True),
        ({"volume_usd": 5.0}, True),
        ({"volume_usd": 5.0, "scheduled_end": HOUR + timedelta(hours=13)}, False),
        ({"volume_usd": None, "scheduled_end": HOUR + timedelta(hours=20), "series_slug": "btc-5m"}, True),
        ({"volume_usd": 500.0, "scheduled_end": HOUR + timedelta(days=10)}, True),
        ({"volume_usd": 500.0, "scheduled_end": HOUR + timedelta(days=15)}, False),
        ({"volume_usd": 500.0, "scheduled_end": HOUR - timedelta(days=40)}, True),
        ({"token_ids": ("1",)}, False),
        ({"token_ids": ("1", "")}, False),
        ({"enable_order_book": False}, False),
    ],
)
def test_the_universe_is_what_can_be_collected_and_is_worth_it(lake: Lake, market: dict[str, Any], kept: bool) -> None:  # fmt: skip
    discover(lake, Gamma([listing(1, **market)]))
    assert bool(stored(lake)) is kept


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"universe_tags": ("crypto",)}, [1]),
        ({"universe_tags": ("crypto", "sports")}, [1, 2]),
        ({"universe_slugs": ("market-2",)}, [2]),
        ({"universe_slugs": ("the-event",)}, [1]),
        ({"universe_tags": ("crypto",), "universe_slugs": ("market-2",)}, []),
    ],
)
def test_a_chosen_universe_narrows_what_is_kept(lake: Lake, settings: dict[str, Any], kept: list[int]) -> None:  # fmt: skip
    rows = [
        listing(1, tags=("crypto", "btc"), event_slug="the-event"),
        listing(2, tags=("sports",)),
        listing(3),
    ]
    discover(lake, Gamma(rows), **settings)
    assert [row["market_id"] for row in stored(lake)] == [market_id(n) for n in kept]


def test_one_listing_is_enough_where_no_volume_is_asked_for(lake: Lake) -> None:
    gamma = Gamma([listing(1, volume_usd=None)])
    assert discover(lake, gamma, min_volume_usd=0.0).stored == 1
    assert len(gamma.asked) == 1


def test_a_vanished_market_is_closed_by_the_venue_and_not_by_its_absence(lake: Lake) -> None:
    """A short listing would otherwise end the recording of every market it left out."""
    discover(lake, Gamma([listing(1), listing(2), listing(3)]))
    report = discover(lake, Gamma([listing(1), listing(2, closed=True)]), LATER)
    assert (report.closed, report.vanished, report.stored) == (1, 1, 1)
    assert (report.pages, report.requests, report.received_bytes) == (2, 4, 4000)
    assert set(known(lake, LATER)) == {market_id(1), market_id(3)}


POSTPONED = HOUR + timedelta(days=40)


def test_a_market_postponed_beyond_the_lookahead_gets_its_new_end(lake: Lake) -> None:
    """It is in no listing any more; by its former end it would be looked at every 15 seconds for two weeks."""
    discover(lake, Gamma([listing(1), listing(2)]))
    report = discover(lake, Gamma([listing(1, scheduled_end=POSTPONED), listing(2)]), LATER)
    assert (report.strayed, report.vanished, report.stored) == (1, 0, 1)
    row = known(lake, HOUR + timedelta(hours=1))[market_id(1)]
    assert (row["effective_close"], row["tier"], row["phase"]) == (POSTPONED, "t0", "scheduled")


def test_a_market_that_is_followed_stays_though_too_little_was_traded(lake: Lake) -> None:
    """Within twelve hours of its end any volume counts; a day past it neither listing shows it, and it may still trade."""
    small = {"volume_usd": 5.0}
    discover(lake, Gamma([listing(1, **small)]))
    at = HOUR + timedelta(hours=24)
    assert discover(lake, Gamma([listing(1, **small)]), at).strayed == 1
    assert known(lake, at)[market_id(1)]["tier"] == "t4"
    assert (
        discover(lake, Gamma([listing(1, **small, end_proposed=True)]), at + timedelta(minutes=10)).stored
        == 1
    )
    assert known(lake, at + timedelta(minutes=10))[market_id(1)]["phase"] == "dead"
    assert discover(lake, Gamma([listing(1, **small, closed=True)]), at + timedelta(minutes=20)).closed == 1


def test_of_a_market_that_the_venue_forgot_only_what_we_saw_counts(lake: Lake) -> None:
    """Three sweeps got no book of it: it is dead, though nobody lists it any more; and it is forgotten in time."""
    discover(lake, Gamma([listing(1)]))
    at = HOUR + timedelta(minutes=20)
    for n in range(3):
        sweep = Account("t4", at - timedelta(minutes=n), "taken", "run", gone=(market_id(1),), started_at=at - timedelta(minutes=n))  # fmt: skip
        accounts.publish(lake, sweep)
    report = discover(lake, Gamma(), at)
    assert (report.vanished, report.stored) == (1, 1)
    assert (known(lake, at)[market_id(1)]["phase"], known(lake, at)[market_id(1)]["tier"]) == ("dead", "t0")
    assert discover(lake, Gamma(), at + timedelta(days=8)).stored == 0
    assert market_id(1) not in known(lake, at + known_rows.KNOWN_FOR + timedelta(hours=1))


@pytest.mark.parametrize("failing", [True, False], ids=["closed", "open"])
def test_a_look_up_that_failed_says_nothing_of_what_it_did_not_find(lake: Lake, failing: bool) -> None:
    class Flaky(Gamma):
        def by_condition(self, condition_ids: Sequence[str], *, closed: bool) -> list[Listing]:
            if closed is failing:
                raise Unavailable("503")
            return super().by_condition(condition_ids, closed=closed)

    discover(lake, Gamma([listing(1)]))
    report = discover(lake, Flaky([listing(1, scheduled_end=POSTPONED)]), LATER)
    assert (report.complete, report.closed, report.problem) == (False, 0, "503")
    assert market_id(1) in known(lake, LATER)


def test_what_the_settings_leave_out_by_now_is_in_no_tier_and_comes_back_when_they_want_it(
    lake: Lake,
) -> None:
    gamma = Gamma([listing(1), listing(2, tags=("politics",))])
    discover(lake, gamma)
    assert discover(lake, gamma, LATER, universe_tags=("politics",)).stored == 1
    assert set(known(lake, LATER)) == {market_id(2)}
    again = LATER + timedelta(minutes=10)
    assert discover(lake, gamma, again, universe_tags=("politics",)).stored == 0
    discover(lake, gamma, again + timedelta(minutes=10))
    assert set(known(lake, again + timedelta(minutes=10))) == {market_id(1), market_id(2)}


def test_more_vanished_markets_than_are_looked_up_at_once_take_turns() -> None:
    """The latest ends would otherwise keep the older ones waiting for ever."""
    rows = [{"effective_close": HOUR + timedelta(minutes=n), "received_at": HOUR, "n": n} for n in range(2 * unlisted.LOOKED_UP + 5)]  # fmt: skip
    turns = [unlisted.turn(rows, HOUR + k * unlisted.TURN) for k in range(3)]
    assert all(len(turn) <= unlisted.LOOKED_UP for turn in turns)
    assert sorted(row["n"] for turn in turns for row in turn) == list(range(len(rows)))


def test_a_small_game_whose_end_date_says_nothing_is_known_by_the_census(lake: Lake) -> None:
    """`endDate` of a game lies from 13 hours before to a week after its start: neither listing shows a small one."""
    game = {"volume_usd": 5.0, "sports_market_type": "moneyline", "game_start_at": HOUR + timedelta(hours=1)}
    late, early = HOUR + timedelta(days=7), HOUR - timedelta(hours=13)
    far = {**game, "game_start_at": HOUR + timedelta(days=3)}
    gamma = Gamma([listing(1, **game, scheduled_end=late), listing(2, **game, scheduled_end=early), listing(3, **far, scheduled_end=late)])  # fmt: skip
    assert discover(lake, gamma).stored == 0
    census.take(lake, gamma, Settings(_env_file=None), clock=Time(HOUR).clock)
    assert discover(lake, gamma, LATER).hidden_kept == 2
    assert set(known(lake, LATER)) == {market_id(1), market_id(2)}


@pytest.mark.parametrize("failure", [Unavailable("503"), MalformedPayload("page", "x"), Refused("no end")])
def test_an_incomplete_listing_keeps_what_was_read_and_closes_nothing(lake: Lake, failure: PolymarketError) -> None:  # fmt: skip
    discover(lake, Gamma([listing(9)]))
    gamma = Gamma([listing(n) for n in range(5)], fails_after=1, failure=failure)
    report = discover(lake, gamma, LATER)
    assert (report.complete, report.stored, report.problem) == (False, 2, str(failure))
    assert gamma.looked_up == []
    assert market_id(9) in known(lake, LATER)


def test_a_venue_that_does_not_answer_at_all_fails_the_run(lake: Lake) -> None:
    with pytest.raises(Unavailable, match="503"):
        discover(lake, Gamma(fails_after=0))
    assert stored(lake) == []


def announce(lake: Lake, n: int, at: datetime) -> None:
    row = {"session_id": "s", "connection": 0, "sequence": n, "received_at": at, "kind": "new_market", "condition_id": f"0x{n:064x}", "payload": "{}"}  # fmt: skip
    lake.publish_rows("market_events", [row], part=str(n), at=at)


def test_what_the_stream_announced_and_no_listing_shows_is_looked_up(lake: Lake) -> None:
    """It ends in three weeks and nobody traded yet, or its list is five minutes old."""
    far = {"scheduled_end": HOUR + timedelta(days=21), "series_slug": "btc"}
    gamma = Gamma([listing(0), listing(1, **far), listing(2, **far, enable_order_book=False)])
    for n in (0, 1, 2, 9):
        announce(lake, n, HOUR - timedelta(minutes=5))
    report = discover(lake, gamma)
    assert (report.announced, report.announced_kept) == (3, 1)
    assert set(known(lake, HOUR)) == {market_id(0), market_id(1)}
    assert discover(lake, gamma, HOUR + timedelta(minutes=10)).announced == 2, "unknown ones once more"
    assert discover(lake, gamma, HOUR + timedelta(minutes=20)).announced == 0


def test_rows_that_could_not_be_read_are_counted(lake: Lake) -> None:
    report = discover(lake, Gamma([listing(1)], malformed=("{}",)), min_volume_usd=0.0)
    assert (report.stored, report.malformed) == (1, 1)


def test_a_row_carries_nothing_of_the_end(lake: Lake) -> None:
    discover(lake, Gamma([listing(1, end={"prices": ("1", "0"), "status": "resolved"})]))
    assert "resolved" not in str(stored(lake))


CLOSES = [timedelta(hours=h) for h in (-3, 0, 0.5, 1, 2, 4, 8, 12, 24, 48, 60)]


@pytest.mark.parametrize("left", CLOSES, ids=str)
@pytest.mark.parametrize(
    "market", [{}, {"end_proposed": True}, {"game_start_at": HOUR - timedelta(minutes=20)}, {"game_start_at": HOUR - timedelta(minutes=20), "game_id": "1"}, {"accepting_orders": False},
               {"window_start_at": HOUR + timedelta(minutes=2)}], ids=str,
)  # fmt: skip
def test_time_alone_brings_a_stored_row_to_where_a_new_listing_would_stand(left: timedelta, market: dict[str, Any]) -> None:  # fmt: skip
    """A window reads listings minutes old; tier and phase must be those of the slot."""
    said = listing(1, scheduled_end=HOUR + left, **market).market
    seen = HOUR - timedelta(minutes=30)
    old = table_of("markets", [catalogue.market_row(said, seen)])
    row = known_rows.brought_up(old, HOUR).to_pylist()[0]
    fresh = catalogue.market_row(said, HOUR)
    assert (row["phase"], row["tier"]) == (fresh["phase"], fresh["tier"])
    assert fresh["phase"] == lifecycle.phase(said, lifecycle.effective_close(said), HOUR)


def test_the_dead_and_the_endless_go_to_the_slowest_tier_and_the_overdue_stay_in_the_fastest(lake: Lake) -> None:  # fmt: skip
    list_markets(
        lake,
        market_row(1, phase="dead"),
        market_row(2, effective_close=None, end_source="none"),
        market_row(3, effective_close=HOUR - timedelta(days=1)),
        market_row(4, phase="closed"),
    )
    rows = known(lake, HOUR)
    assert {n: rows[market_id(n)]["tier"] for n in (1, 2, 3)} == {1: "t0", 2: "t0", 3: "t4"}
    assert rows[market_id(3)]["phase"] == "overdue"
    assert market_id(4) not in rows
