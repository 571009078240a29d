"""Our clients before a venue that lies: what each fault of REST comes to, and in how many requests."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from polymarket_assets import venue as ours
from polymarket_assets.settings import Settings
from polymarket_assets.venue import answers
from polymarket_assets.venue.breaker import FAILURES
from polymarket_assets.venue.errors import BreakerOpen, MalformedPayload, Refused, TooLarge, Unavailable
from polymarket_assets.venue.http import ATTEMPTS
from polymarket_assets.venue.services import Venue
from polymarket_assets_tests.simulator.conftest import BUSY, walk
from polymarket_assets_tests.simulator.listening import begin
from simulator.market import STANDALONE
from simulator.profiles import Standing
from simulator.running import Running, start

# Three pages of markets that outlive every test.
MARKETS = replace(BUSY, standing=(Standing(260, STANDALONE, 5, 50),), brief_every_s=600.0)
# Some of them have no book: the rest of the last page, and a hundredth of the books.
ENOUGH = 200


@pytest.fixture(scope="module")
def venue() -> Iterator[Running]:
    with start(seed=3, profile=MARKETS) as running:
        yield running


@pytest.fixture
def connected(venue: Running) -> Iterator[Venue]:
    settings = Settings(
        _env_file=None, polymarket_gamma_url=venue.gamma_url, polymarket_clob_url=venue.clob_url,
        polymarket_data_url=venue.data_url, rate_share=1.0,
    )  # fmt: skip
    opened = ours.connect(settings)
    for service in (opened.gamma.service, opened.clob.service, opened.data.service):
        service.timeouts = (1.0, 1.0)
    yield opened
    opened.close()


@contextlib.contextmanager
def fault(venue: Running, name: str, **parameters: Any) -> Iterator[None]:
    id_ = begin(venue, name, **parameters)
    try:
        yield
    finally:
        # One that was told for how long may have ended by itself.
        assert requests.delete(f"{venue.control_url}/faults/{id_}", timeout=10).status_code in (200, 404)


def listed(connected: Venue) -> int:
    return sum(len(page.rows) for page in connected.gamma.markets(closed=False, volume_num_min=0.001))


def books(connected: Venue) -> int:
    tokens = [listing.market.token_ids[0] for page in connected.gamma.markets(closed=False) for listing in page.rows]  # fmt: skip
    connected.clob.service.traffic.requests = 0
    return len(connected.clob.books([token for token in tokens if token]).books)


CASES: list[tuple[str, dict[str, Any], Callable[[Venue], int], type[Exception], int]] = [
    ("error_storm", {"service": "gamma"}, listed, Unavailable, ATTEMPTS),
    ("error_storm", {"service": "clob", "status": 502}, books, Unavailable, ATTEMPTS),
    ("blocked", {}, listed, Refused, 1),
    ("venue_down", {}, listed, Unavailable, ATTEMPTS),
    ("stuck_cursor", {}, listed, MalformedPayload, 4),
    ("missing_cursor", {}, listed, MalformedPayload, 6),
    ("offset_ceiling", {}, listed, Refused, 1),
    ("ignored_parameters", {"names": ["closed"]}, lambda c: sum(len(p.rows) for p in c.gamma.markets(closed=True)), MalformedPayload, 4),
    ("huge_body", {"path": "/books"}, books, TooLarge, 10),
    ("truncated_body", {"service": "gamma"}, listed, Unavailable, ATTEMPTS),
    ("slow_loris", {"path": "/books", "every_s": 0.3}, books, Unavailable, ATTEMPTS),
    ("throttle", {"service": "gamma", "retry_after_s": 0}, listed, Unavailable, ATTEMPTS),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "ask", "error", "most"), CASES, ids=[f"{case[0]} {case[1]}" for case in CASES])  # fmt: skip
def test_a_lie_is_an_error_that_says_whether_to_ask_again(venue: Running, connected: Venue, monkeypatch: pytest.MonkeyPatch, name: str, parameters: dict[str, Any], ask: Callable[[Venue], int], error: type[Exception], most: int) -> None:  # fmt: skip
    monkeypatch.setattr(answers, "BODY_WITHIN_S", 1.0)
    with fault(venue, name, **parameters), pytest.raises(error):
        ask(connected)
    asked = connected.clob if ask is books else connected.gamma
    assert asked.service.traffic.requests <= most


def traded(connected: Venue) -> int:
    """Trades of a market that closed, by short pages."""
    closed = next(listing.market for page in connected.gamma.markets(closed=True, volume_num_min=1_000) for listing in page.rows)  # fmt: skip
    pages = list(connected.data.trades(closed.condition_id, since=datetime(1970, 1, 1, tzinfo=UTC)))
    assert all(len(page.rows) <= 7 for page in pages)
    return sum(len(page.rows) for page in pages)


@pytest.mark.parametrize("name", ["stuck_cursor", "missing_cursor"])
def test_pages_of_trades_that_lead_in_a_circle_or_nowhere_are_no_list(venue: Running, connected: Venue, name: str) -> None:  # fmt: skip
    """A market's history would be endless, or end where a page did."""
    with fault(venue, "short_pages", service="data", path="/v2/trades", rows=7):
        assert traded(connected) > 14
        with fault(venue, name, service="data"), pytest.raises(MalformedPayload, match="cursor is"):
            traded(connected)


def test_after_each_lie_the_truth_is_heard_again(venue: Running, connected: Venue) -> None:
    open_ = len(walk(venue, closed="false"))
    assert listed(connected) >= min(open_, ENOUGH)
    assert books(connected) >= ENOUGH


def test_some_failures_among_good_answers_are_asked_again(venue: Running, connected: Venue) -> None:
    with fault(venue, "error_storm", chance=0.3):
        assert listed(connected) >= ENOUGH
    assert connected.gamma.service.traffic.retries


def test_rows_that_come_twice_count_once_where_it_matters(venue: Running, connected: Venue) -> None:
    ids = [row["conditionId"] for row in walk(venue, closed="false")[:20]]
    conditions = [one.ljust(66, "0") for one in ids]
    with fault(venue, "repeated_rows"):
        found = connected.gamma.by_condition(conditions, closed=False)
        assert len({listing.market.market_id for listing in found}) == len(found) == len(set(conditions))
        assert books(connected) >= ENOUGH


def test_only_lists_are_beyond_the_ceiling(venue: Running, connected: Venue) -> None:
    """Single markets and books have no offset: a lie that took them too would be an outage."""
    first = next(iter(connected.gamma.markets(closed=False))).rows[0].market
    with fault(venue, "offset_ceiling"):
        assert connected.gamma.market(first.gamma_id).market.market_id == first.market_id
        assert connected.clob.books([first.token_ids[0]]).requests == 1
        with pytest.raises(Refused, match="offset too large, use /markets/keyset") as refused:
            listed(connected)
    assert refused.value.status == 422


def test_books_that_are_left_out_are_told(venue: Running, connected: Venue) -> None:
    tokens = [listing.market.token_ids[0] for page in connected.gamma.markets(closed=False) for listing in page.rows]  # fmt: skip
    tokens = [token for token in tokens if token]
    whole = connected.clob.books(tokens)
    with fault(venue, "omitted_books", share=0.2):
        answer = connected.clob.books(tokens)
    assert len(answer.books) + len(answer.omitted) == len(tokens)
    assert 0.05 < (len(answer.omitted) - len(whole.omitted)) / len(tokens) < 0.4


def test_a_service_that_fails_is_left_alone(venue: Running, connected: Venue) -> None:
    """Two calls of four attempts are more failures in a row than the breaker bears."""
    with fault(venue, "venue_down"):
        for _ in range(2):
            with contextlib.suppress(Unavailable):
                listed(connected)
        with pytest.raises(BreakerOpen):
            listed(connected)
    account = connected.gamma.service.account()
    assert (account["breaker"], account["breaker_opened"], account["requests"]) == ("open", 1, FAILURES)


def test_a_429_closes_the_endpoint_for_as_long_as_it_says(venue: Running, connected: Venue) -> None:
    with fault(venue, "throttle", service="gamma", retry_after_s=1, for_s=0.5):
        began = time.monotonic()
        with contextlib.suppress(Unavailable):
            listed(connected)
        listed(connected)
    account = connected.gamma.service.account()
    assert account["throttled"] >= 1
    assert time.monotonic() - began >= 1.0
    assert float(account["waited_s"]) >= 0.9


def test_the_published_limits_are_never_passed(venue: Running, connected: Venue) -> None:
    """Ten requests at once are more than may come so; the venue counts and finds none too many."""
    with fault(venue, "limiter"):
        for _ in range(10):
            listed(connected)
    assert connected.gamma.service.traffic.throttled == 0


def test_latency_is_before_every_answer(venue: Running, connected: Venue) -> None:
    with fault(venue, "latency", ms=100):
        began = time.monotonic()
        listed(connected)
        assert time.monotonic() - began >= 0.1 * connected.gamma.service.traffic.requests
