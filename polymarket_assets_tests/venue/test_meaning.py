"""What a label measures, and what a push says of it, as the venue writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.venue import parse
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.parse.measured import AVERAGED_FROM, Config, twap_s

STREAM = "https://data.chain.link/streams/btc-usd"
BEFORE, SINCE = datetime(2026, 8, 6, 23, 59, tzinfo=UTC), AVERAGED_FROM


def rows(value: Any) -> list[dict[str, Any]]:
    """The catalogue rows in a recorded answer, however deep."""
    if isinstance(value, dict):
        own = [value] if "conditionId" in value and "outcomes" in value else []
        return own + [row for each in value.values() for row in rows(each)]
    return [row for each in value for row in rows(each)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("market_open_btc15m_2026_10_05.json", {60}),
        ("events_keyset_series10192_2026_10_05.json", {60}),
        ("market_open_btc15m_2026_02_07.json", {0}),
        ("market_open_nautilus.json", {0}),
        ("markets_resolved_btc5m_2026_07_24_first24.jsonl", {0}),
        ("markets_resolved_2024_plain60.json", {None}),
        ("market_sports_money_line.json", {None}),
    ],
)
def test_recorded_markets_say_how_their_price_is_measured(recorded_dir: Path, name: str, seconds: set[int | None]) -> None:  # fmt: skip
    """Labels of before and after August 2026 answer two questions; mixed, a model learns neither."""
    text = (recorded_dir / "gamma" / name).read_text()
    told = [json.loads(line) for line in text.splitlines()] if name.endswith("l") else json.loads(text)
    found = {parse.market(row).twap_s for row in rows(told)}
    assert found == seconds


@pytest.mark.parametrize(
    ("what", "config", "source", "end", "seconds"),
    [
        ("says so", Config(True, 30), STREAM, SINCE, 30),
        ("says that nothing is averaged", Config(False, 60), STREAM, SINCE, 0),
        ("before its stream's name", Config(True, 30), f"{STREAM}-twap-60s-streams", SINCE, 30),
        ("by the stream's name", None, f"{STREAM}-twap-30s-streams", SINCE, 30),
        ("by the day, before there were averages", None, STREAM, BEFORE, 0),
        ("not by the day, since there are", None, STREAM, SINCE, None),
        ("no end", None, STREAM, None, None),
        ("another source", None, "https://www.binance.com/en/trade/BTC_USDT", BEFORE, None),
        ("no source", None, None, BEFORE, None),
        ("averaged, but over what", Config(True, None), STREAM, SINCE, None),
        ("averaged, by the stream's name", Config(True, None), f"{STREAM}-twap-60s-streams", SINCE, 60),
        ("odd words", Config("yes", "60"), STREAM, SINCE, None),
        ("an odd number", Config(True, -1), STREAM, SINCE, None),
    ],
)
def test_what_is_not_known_is_not_a_single_price(
    what: str, config: Config | None, source: str | None, end: datetime | None, seconds: int | None
) -> None:
    assert twap_s(config, source, end) == seconds


@pytest.mark.parametrize(
    ("name", "outcome", "at"),
    [
        ("market_resolved_btc5m_2026_08_10.json", "Up", datetime(2026, 8, 10, 8, 17, 34, 358000, UTC)),
        ("docs_like_market_resolved.json", "Yes", datetime(2025, 12, 26, 23, 6, 55, 550000, UTC)),
    ],
)
def test_a_recorded_push_names_who_won(recorded_dir: Path, name: str, outcome: str, at: datetime) -> None:
    said = (recorded_dir / "ws" / name).read_text()
    push = parse.resolved_push(said)
    wire = json.loads(said)
    assert (push.winning_outcome, push.winning_token_id) == (outcome, wire["winning_asset_id"])
    assert push.condition_id == wire["market"]
    assert push.venue_at == at


def test_a_push_without_a_winner_names_none() -> None:
    push = parse.resolved_push({"market": f"0x{1:064x}", "winning_asset_id": "", "winning_outcome": ""})
    assert (push.winning_token_id, push.winning_outcome, push.venue_at) == (None, None, None)


@pytest.mark.parametrize("said", ["{}", "PONG", '{"market": "0x1"}', f'{{"market": "0x{1:064x}", "winning_asset_id": "Yes"}}'])  # fmt: skip
def test_a_push_that_cannot_be_read_says_so(said: str) -> None:
    with pytest.raises(MalformedPayload):
        parse.resolved_push(said)
