"""A tier is silent when nothing of it was taken for longer than its pace, and poor when too little of what was due was."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.collecting import accounts, slots
from polymarket_assets.collecting.accounts import LATE, MISSED, TAKEN, Account
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.tiers import BY_NAME, TIERS
from polymarket_assets.watching import tiers
from polymarket_assets.watching.findings import Figure, Finding, Watched
from polymarket_assets_tests.collecting.fakes import HOUR as BEGAN
from polymarket_assets_tests.collecting.fakes import list_markets, market_row
from polymarket_assets_tests.object_store import ObjectServer

NOW = datetime(2026, 11, 2, 13, 40, tzinfo=UTC)
T4 = BY_NAME["t4"]


def sampled(lake: Lake, until: datetime = NOW, *, status: str = TAKEN, only: str = "", **told: Any) -> None:
    """Accounts of every slot of the hour up to an instant, of one tier or of all."""
    list_markets(lake, market_row(1))
    for tier in TIERS:
        for at in slots.hour_grid(tier, BEGAN):
            if at <= until and only in ("", tier.name):
                said = {"markets": 10, "books": 10, "started_at": at + timedelta(seconds=2), **told}
                accounts.publish(lake, Account(tier.name, at, status, "r", **said))


def looked(lake: Lake, now: datetime = NOW, **settings: Any) -> dict[str, Finding]:
    told = tiers.look(Watched(Settings(**settings), now, lambda: lake))
    return {one.key: one for one in told if isinstance(one, Finding)}


def test_nothing_is_wrong_before_the_first_listing_and_while_all_is_sampled(lake: Lake) -> None:
    assert looked(lake) == {}
    sampled(lake)
    assert looked(lake) == {}


def test_listed_and_never_sampled_is_silent(lake: Lake) -> None:
    list_markets(lake, market_row(1))
    assert set(looked(lake)) == {f"tier_silent:{tier.name}" for tier in TIERS}


@pytest.mark.parametrize(
    ("tier", "quiet_min", "is_silent"),
    [("t4", 5, False), ("t4", 6, True), ("t1", 9, False), ("t1", 16, True), ("t0", 30, False)],
)
def test_a_tier_is_silent_after_its_own_pace_and_five_minutes(lake: Lake, tier: str, quiet_min: int, is_silent: bool) -> None:  # fmt: skip
    sampled(lake, NOW - timedelta(minutes=quiet_min), only=tier)
    assert (f"tier_silent:{tier}" in looked(lake)) is is_silent


def test_a_silence_says_since_when_and_why(lake: Lake) -> None:
    sampled(lake, NOW - timedelta(minutes=20), only="t4")
    accounts.publish(lake, Account("t4", NOW - timedelta(seconds=50), MISSED, "r", "the venue is down"))
    found = looked(lake)["tier_silent:t4"]
    assert found.since == datetime(2026, 11, 2, 13, 20, 10, tzinfo=UTC)
    assert "(the venue is down)" in found.text


@pytest.mark.parametrize(
    ("said", "is_poor"),
    [
        ({}, False),
        ({"status": LATE}, False),
        ({"status": MISSED}, True),
        ({"unanswered": 1}, False),
        ({"unanswered": 1, "unasked": 2}, True),
    ],
    ids=["taken", "late", "lost", "nearly all answered", "seven of ten"],
)
def test_a_rate_is_of_slots_and_of_the_markets_in_them(lake: Lake, said: dict[str, Any], is_poor: bool) -> None:  # fmt: skip
    sampled(lake, only="t4", **said)
    assert ("success_low:t4" in looked(lake)) is is_poor


@pytest.mark.parametrize(("stands", "is_poor"), [(False, False), (True, True)], ids=["not told", "told"])
def test_what_is_told_as_poor_is_over_when_more_than_enough_is_taken(lake: Lake, stands: bool, is_poor: bool) -> None:  # fmt: skip
    sampled(lake, only="t4", unanswered=2)
    standing = frozenset({"success_low:t4"} if stands else ())
    told = tiers.look(Watched(Settings(alert_success_pct="80"), NOW, lambda: lake, standing=standing))
    assert ("success_low:t4" in {one.key for one in told if isinstance(one, Finding)}) is is_poor


def test_slots_that_nobody_accounted_for_are_lost(lake: Lake) -> None:
    """A run that died says nothing of its slots: the grid does."""
    list_markets(lake, market_row(1))
    for n, at in enumerate(slots.hour_grid(T4, BEGAN)):
        if at <= NOW and n % 2:
            accounts.publish(lake, Account("t4", at, TAKEN, "r", markets=1))
    assert looked(lake)["success_low:t4"].text.startswith("50 % of the last 20 slots of T4 were taken, 10 were lost")  # fmt: skip


def test_windows_that_a_person_starts_are_not_missed(lake: Lake) -> None:
    list_markets(lake, market_row(1))
    assert looked(lake, watch_windows="false") == {}


def test_accounts_in_an_object_store_are_read_many_at_a_time(object_lake: Lake, object_store: ObjectServer) -> None:  # fmt: skip
    list_markets(object_lake, market_row(1))
    for at in [at for at in slots.hour_grid(T4, BEGAN) if at <= NOW][-tiers.SLOTS :]:
        accounts.publish(object_lake, Account("t4", at, TAKEN, "r", markets=1))
    object_store.asked.clear()
    object_store.wait_s = 0.2
    began = time.monotonic()
    assert "tier_silent:t4" not in looked(object_lake)
    assert len(object_store.asked) > tiers.SLOTS
    assert time.monotonic() - began < len(object_store.asked) * object_store.wait_s / 2


def test_figures_say_how_late_slots_were_begun(lake: Lake) -> None:
    sampled(lake, only="t3")
    told = [one for one in tiers.look(Watched(Settings(), NOW, lambda: lake)) if isinstance(one, Figure)]
    (late,) = [one for one in told if one.name == "slot_lateness_seconds"]
    assert (late.labels, late.value) == ({"tier": "t3"}, 2.0)
