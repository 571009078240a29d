"""Requests wait for their share of the published limits."""

from __future__ import annotations

import time

import pytest

from polymarket_assets.venue.limits import PUBLISHED, WINDOW_S, Limits, shape


def test_the_share_is_of_the_published_limits() -> None:
    assert Limits(0.5).allowed["clob /books"] == 250
    assert set(Limits(0.5).allowed) == set(PUBLISHED)


def test_requests_beyond_the_share_wait_and_none_is_refused() -> None:
    """Fifty in ten seconds: five at once, then four and a half a second."""
    limits = Limits(0.5, {"x": 100})
    began = time.monotonic()
    sent = []
    for _ in range(9):
        limits.wait("x")
        sent.append(time.monotonic() - began)
    assert sent[4] < 0.1
    assert 0.7 < sent[-1] < 1.5


@pytest.mark.parametrize("allowed", [10.0, 50.0, 300.0, 1_500.0, 15_000.0])
def test_no_window_of_ten_seconds_holds_more_than_the_share(allowed: float) -> None:
    """Burst and steady flow together: 45 in ten seconds and 5 at once are 50."""
    found = shape(allowed)
    assert 0.99 * allowed <= WINDOW_S / found.every_s + found.burst <= 1.001 * allowed


def test_a_request_counts_in_every_group_it_names() -> None:
    limits = Limits(1.0, {"all": 10, "one": 1_000})
    began = time.monotonic()
    limits.wait("all", "one")
    limits.wait("all", "one")
    assert time.monotonic() - began > 0.8


def test_a_tiny_share_still_lets_one_out() -> None:
    Limits(0.001, {"x": 100}).wait("x")


def test_a_group_nobody_published_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Limits(0.5).wait("clob /orders")
