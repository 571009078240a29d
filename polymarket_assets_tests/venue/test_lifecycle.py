"""When a market is expected to end, and where in its life a listing says it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polymarket_assets.venue import lifecycle, parse
from polymarket_assets.venue.records import Market
from polymarket_assets_tests.venue import recorded
from polymarket_assets_tests.venue.test_parse import case

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def market(**changed: Any) -> Market:
    plain = Market(
        market_id="pm:0x1", condition_id="0x1", gamma_id="1", version="v1", slug="plain", question="?", outcomes=("Yes", "No"), token_ids=("1", "2"), scheduled_end=NOON
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changed)


START = NOON - 5 * HOUR
UPDOWN = {"slug": "btc-updown-15m-1795341600", "window_start_at": datetime(2026, 11, 22, 10, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("listed", "at", "source"),
    [
        ({}, NOON, "end_date"),
        ({"scheduled_end": None}, None, "none"),
        # A start alone is no game: it stands on weather and politics rows too.
        ({"game_start_at": START}, NOON, "end_date"),
        ({"game_start_at": START, "game_id": "1"}, START + 3 * HOUR, "game"),
        ({"game_start_at": START, "sports_market_type": "totals"}, START + 3 * HOUR, "game"),
        ({"game_start_at": START, "game_id": "1", "scheduled_end": None}, START + 3 * HOUR, "game"),
        ({"game_start_at": START, "game_id": "1", "tags": ("sports", "nfl")}, START + 3.5 * HOUR, "game"),
        ({"game_start_at": START, "game_id": "1", "event_slug": "epl-red-blu-2026"}, START + 2.25 * HOUR, "game"),
        ({"sports_market_type": "totals"}, NOON, "end_date"),
        ({"window_start_at": START}, NOON, "series"),
        ({**UPDOWN, "scheduled_end": None}, datetime(2026, 11, 22, 10, 15, tzinfo=UTC), "series"),
        ({"slug": "eth-updown-4h-1795341600", "scheduled_end": None}, datetime(2026, 11, 22, 14, tzinfo=UTC), "series"),
        ({"slug": "btc-updown-soon-1795341600"}, NOON, "end_date"),
    ],
    ids=str,
)  # fmt: skip
def test_effective_close(listed: dict[str, Any], at: datetime | None, source: str) -> None:
    assert lifecycle.effective_close(market(**listed)) == lifecycle.EffectiveClose(at, source)


@pytest.mark.parametrize(
    ("listed", "now", "phase"),
    [
        ({}, NOON - HOUR, "scheduled"),
        ({}, NOON, "overdue"),
        ({}, NOON + 30 * 24 * HOUR, "overdue"),
        ({"closed": True}, NOON - HOUR, "closed"),
        ({"closed": True, "end_proposed": True}, NOON + HOUR, "closed"),
        ({"end_proposed": True}, NOON - HOUR, "dead"),
        ({"end_proposed": True}, NOON + HOUR, "dead"),
        ({"scheduled_end": None}, NOON, "scheduled"),
        ({"game_start_at": START, "game_id": "1"}, START - HOUR, "scheduled"),
        ({"game_start_at": START, "game_id": "1"}, START, "live"),
        ({"game_start_at": START, "game_id": "1"}, START + 3 * HOUR, "overdue"),
        ({"game_start_at": START}, START + HOUR, "scheduled"),
        ({"window_start_at": START}, START - HOUR, "scheduled"),
        ({"window_start_at": START}, START + HOUR, "live"),
    ],
    ids=str,
)  # fmt: skip
def test_phase(listed: dict[str, Any], now: datetime, phase: str) -> None:
    """Only the venue closes a market: past its end it is overdue, for months if need be."""
    found = market(**listed)
    assert lifecycle.phase(found, lifecycle.effective_close(found), now) == phase


def test_our_own_cases() -> None:
    river, tok, game, person = (parse.market(row) for row in case("gamma/markets_keyset_page.json"))
    assert lifecycle.effective_close(river).source == "end_date"
    assert lifecycle.effective_close(tok) == lifecycle.EffectiveClose(tok.scheduled_end, "series")
    assert game.game_start_at is not None
    assert lifecycle.effective_close(game).at == game.game_start_at + 2.25 * HOUR
    assert lifecycle.effective_close(person).source == "none"


def test_recorded_games_closed_near_their_effective_close(recorded_dir: Path) -> None:
    """The schedule of the recorded match lay an hour and a half behind its real end."""
    (row,) = recorded.rows(recorded_dir, "gamma/market_sports_money_line.json")
    listing = parse.listing(row)
    close = lifecycle.effective_close(listing.market)
    assert close.source == "game"
    assert close.at is not None
    assert listing.end.closed_at is not None
    assert abs(close.at - listing.end.closed_at) < 2 * HOUR


def test_recorded_up_down_markets_end_with_their_window(recorded_dir: Path) -> None:
    for row in recorded.rows(recorded_dir, "gamma/markets_resolved_btc5m_2026_07_24_first24.jsonl"):
        listing = parse.listing(row)
        close = lifecycle.effective_close(listing.market)
        assert close.source == "series"
        assert close.at is not None
        assert listing.end.closed_at is not None
        assert timedelta(0) < listing.end.closed_at - close.at < timedelta(minutes=6)
        slugged = msgspec.structs.replace(listing.market, scheduled_end=None)
        assert lifecycle.effective_close(slugged).at == close.at
