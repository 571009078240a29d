"""What `make bootstrap` is asked for is understood or refused in one sentence, and what it takes is told before."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from launch import bootstrap_plan as plan
from polymarket_assets.lake.spans import Span
from polymarket_assets.settings import NotConfigured, Settings
from polymarket_assets_tests.conftest import PROJECT

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
HALF = Settings(_env_file=None, rate_share=0.5)


def test_nothing_said_is_a_fortnight_of_five_thousand_markets_without_trades() -> None:
    asked = plan.wish("", "", "", NOW)
    assert asked == plan.Wish(14, 5_000, trades=False)
    dates = asked.dates(NOW)
    assert (dates[0], dates[-1], len(dates)) == (date(2026, 11, 27), date(2026, 11, 14), 14)


@pytest.mark.parametrize(
    ("days", "markets", "trades", "said"),
    [
        ("0", "", "", "DAYS='0'"),
        ("-3", "", "", "DAYS='-3'"),
        ("two", "", "", "DAYS='two'"),
        ("1.5", "", "", "DAYS='1.5'"),
        ("١٤", "", "", "DAYS="),
        ("99999", "", "", "begins on 2022-11-18"),
        ("9" * 30, "", "", "begins on 2022-11-18"),
        ("", "0", "", "MARKETS='0'"),
        ("", "many", "", "MARKETS='many'"),
        ("", "", "maybe", "TRADES='maybe'"),
    ],
)
def test_what_cannot_be_fetched_is_refused(days: str, markets: str, trades: str, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        plan.wish(days, markets, trades, NOW)


@pytest.mark.parametrize(("said", "wanted"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_trades_are_opt_in(said: str, wanted: bool) -> None:
    assert plan.wish("", "", said, NOW).trades is wanted


@pytest.mark.slow
def test_the_command_refuses_in_one_sentence_and_asks_nobody(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "POLYMARKET_GAMMA_URL": "http://127.0.0.1:1"}
    ran = subprocess.run(
        [sys.executable, "-m", "launch", "bootstrap", "--days", "none"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 1
    assert (
        ran.stderr
        == "bootstrap: DAYS='none' cannot be used: give a whole number above 0, for example DAYS=14\n"
    )


def test_an_estimate_is_requests_at_the_share_of_the_published_limits() -> None:
    """A thousand requests in ten seconds to the Data API, two hundred of trades; of both half."""
    lives = [Span(NOW - timedelta(hours=1), NOW)] * 5_000
    assert plan.prices(HALF, lives, NOW).seconds == 100
    assert plan.trades(HALF, 5_000).seconds == 500
    assert [part.requests for part in plan.ends(HALF, 5_000)] == [50, 250]


@pytest.mark.parametrize(
    ("back", "pages"),
    # By the minute 1,440 points a day for the seven newest days; before that 288, after two months 48, after three 8.
    [
        (0, 7 * 1_440 + 7 * 288),
        (5, 2 * 1_440 + 12 * 288),
        (30, 14 * 288),
        (60, 14 * 48),
        (83, 7 * 48 + 7 * 8),
        (400, 14 * 8),
    ],
)
def test_the_older_a_life_the_fewer_pages_are_estimated(back: int, pages: int) -> None:
    end = NOW - timedelta(days=back)
    assert plan.prices(HALF, [Span(end - timedelta(days=14), end)] * 7, NOW).requests == 7 * -(
        -pages // 1_000
    )


def test_lives_are_supposed_to_end_on_all_of_the_days() -> None:
    days = [(NOW - timedelta(days=back)).date() for back in (1, 2)]
    ends = [life.end for life in plan.supposed_lives(days, 5)]
    assert ends == [Span.day(days[n]).end for n in (0, 1, 0, 1, 0)]


@pytest.mark.parametrize(
    ("back", "days_listed"),
    # To the beginning of yesterday it is a day and nine hours; of a day long past eleven are listed.
    [([1], 1.375), ([1, 2], 1.375 + 2.375), ([14], 14.375), ([17], 11), ([300], 11)],
)
def test_listing_a_day_costs_the_days_since_or_eleven(back: list[int], days_listed: float) -> None:
    days = [(NOW - timedelta(days=n)).date() for n in back]
    pages = plan.listing(HALF, days, NOW).requests
    assert pages == -(-days_listed * plan.SUPPOSED_A_DAY // 100)
