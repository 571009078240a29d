"""Requests wait for their share of the published limits."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from polymarket_assets.venue.buckets import LONGEST_CLOSED_S
from polymarket_assets.venue.errors import OutOfTime
from polymarket_assets.venue.limits import LONGEST_WAIT_S, PUBLISHED, WINDOW_S, Limits, shape


def test_the_share_is_of_the_published_limits() -> None:
    assert Limits(0.5).allowed["clob /books"] == 250
    assert set(Limits(0.5).allowed) == set(PUBLISHED)


def test_requests_beyond_the_share_wait_and_none_is_refused() -> None:
    """A hundred in ten seconds: three at once, then 9.7 a second."""
    limits = Limits(0.5, {"x": 200})
    began = time.monotonic()
    sent = []
    for _ in range(10):
        limits.wait("x")
        sent.append(time.monotonic() - began)
    assert sent[2] < 0.1
    assert 0.6 < sent[-1] < 1.5


@pytest.mark.parametrize("shared", [False, True])
def test_threads_keep_to_the_share_together(tmp_path: Path, shared: bool) -> None:
    """A hundred in ten seconds for eight threads: each with limits of its own would ask eight times as much."""
    limits = Limits(1.0, {"x": 100}, file=tmp_path / "limits" if shared else None)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: limits.wait("x"), range(16)))
    assert 1.2 < time.monotonic() - began < 2.0


@pytest.mark.parametrize("allowed", [10.0, 50.0, 300.0, 1_500.0, 15_000.0])
def test_no_window_of_ten_seconds_holds_more_than_the_share(allowed: float) -> None:
    """Burst and steady flow together: 49 in ten seconds and 1 at once are 50."""
    found = shape(allowed)
    assert 0.99 * allowed <= WINDOW_S / found.every_s + found.burst <= 1.001 * allowed


@pytest.mark.parametrize("allowed", [100.0, 200.0, 1_000.0])
def test_who_asks_without_a_pause_gets_nearly_all_of_the_share(allowed: float) -> None:
    """A day of history is as long as the limits make it, and five hundredths of that."""
    found = shape(allowed)
    assert 2_000 * found.every_s <= 1.05 * 2_000 * WINDOW_S / allowed


def test_a_request_counts_in_every_group_it_names() -> None:
    limits = Limits(1.0, {"all": 10, "one": 1_000})
    began = time.monotonic()
    limits.wait("all", "one")
    limits.wait("all", "one")
    assert time.monotonic() - began > 0.8


@pytest.mark.parametrize(("asked_s", "closed_s"), [(0, 0), (30, 30), (600, 600), (86_400, LONGEST_CLOSED_S)])
def test_the_venue_is_left_alone_for_as_long_as_it_asks(asked_s: float, closed_s: float) -> None:
    """Cut to two minutes, an answer of ten was asked again four times too early."""
    assert Limits(1.0, {"x": 100}).throttled(["x"], asked_s) == closed_s


@pytest.mark.parametrize(("given", "within_s"), [({}, LONGEST_WAIT_S), ({"within_s": 5.0}, 5.0)])
def test_who_would_wait_for_too_long_is_told_at_once(given: dict[str, float], within_s: float) -> None:
    """A slot of fifteen seconds must not wait for two minutes, and no run for an hour."""
    slept: list[float] = []
    limits = Limits(1.0, {"all": 100, "x": 100}, sleep=slept.append)
    limits.throttled(["x"], within_s + 1)
    with pytest.raises(OutOfTime, match="x was not asked: the limits leave no room for") as raised:
        limits.wait("all", "x", **given)
    assert raised.value.retry_after_s == pytest.approx(within_s + 1, abs=0.5)
    assert slept == []


def test_who_has_time_for_it_waits() -> None:
    limits = Limits(1.0, {"x": 100})
    limits.throttled(["x"], 0.3)
    assert 0.2 < limits.wait("x", within_s=1.0) < 0.6


def test_a_tiny_share_still_lets_one_out() -> None:
    Limits(0.001, {"x": 100}).wait("x")


def test_a_group_nobody_published_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Limits(0.5).wait("clob /orders")
