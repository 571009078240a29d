"""Recorded payloads come back as they were: the same rows, the same bytes, the same frames in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from polymarket_assets_tests.simulator.conftest import walk
from simulator import captures
from simulator.running import Running, replay


@pytest.fixture(scope="module")
def venue(recorded_dir: Path) -> Iterator[Running]:
    with replay(recorded_dir, speed=50_000) as running:
        yield running


def load(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())


def test_recorded_markets_are_listed_open_or_closed_as_they_were(venue: Running, recorded_dir: Path) -> None:
    open_, closed = ({row["id"]: row for row in walk(venue, closed=flag)} for flag in ("false", "true"))
    row = load(recorded_dir, "gamma/markets_keyset_page_trimmed_to_1_2026_10_06.json")["markets"][0]
    assert open_[row["id"]] == row
    plain = load(recorded_dir, "gamma/markets_resolved_2024_plain60.json")
    assert all(closed[row["id"]] == row for row in plain)
    assert not open_.keys() & closed.keys()


def test_the_bytes_of_a_row_are_the_recorded_ones(venue: Running, recorded_dir: Path) -> None:
    """Numbers, blanks and key order too: nothing is decoded and written again."""
    recorded = (recorded_dir / "gamma" / "market_closed_binary_accepting_true.json").read_bytes().strip()
    market_id = json.loads(recorded)["id"]
    assert requests.get(f"{venue.gamma_url}/markets/{market_id}", timeout=10).content == recorded


def test_filters_work_on_recorded_rows(venue: Running) -> None:
    row = next(r for r in walk(venue, closed="true") if r.get("clobTokenIds"))
    token = json.loads(row["clobTokenIds"])[0]
    assert [r["id"] for r in walk(venue, closed="true", clob_token_ids=token)] == [row["id"]]


def test_recorded_books_and_quotes_are_served(venue: Running, recorded_dir: Path) -> None:
    recorded = load(recorded_dir, "clob/books_post_fed_june_2026.json")
    body = [{"token_id": book["asset_id"]} for book in recorded] + [{"token_id": "1"}]
    assert requests.post(f"{venue.clob_url}/books", json=body, timeout=10).json() == recorded
    line = (recorded_dir / "gamma" / "weather_negrisk_events_plus_clob_quotes_2026_06_16.ndjson").read_text().splitlines()[0]  # fmt: skip
    token, quotes = next(iter(json.loads(line)["clob_quotes"].items()))
    assert (
        requests.get(f"{venue.clob_url}/midpoint?token_id={token}", timeout=10).json() == quotes["midpoint"]
    )
    assert requests.get(f"{venue.clob_url}/price?token_id={token}&side=BUY", timeout=10).json() == quotes["price_buy"]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("clob-markets/{c}", "clob/clob_markets_compact_v2_canary_2026_10_05.json"),
        ("clob-markets/{c}", "clob/clob_markets_compact_v1_btc15m_2026_10_05.json"),
        ("markets/{condition_id}", "clob/market_closed_binary_accepting_false.json"),
    ],
)
def test_recorded_markets_of_the_order_book_service_are_served(venue: Running, recorded_dir: Path, path: str, file: str) -> None:  # fmt: skip
    recorded = load(recorded_dir, file)
    assert requests.get(f"{venue.clob_url}/{path.format(**recorded)}", timeout=10).json() == recorded
    assert requests.get(f"{venue.clob_url}/{path.format(c='0x0', condition_id='0x0')}", timeout=10).status_code == 404  # fmt: skip


def test_recorded_answers_of_the_data_api_are_served(venue: Running, recorded_dir: Path) -> None:
    page = load(recorded_dir, "data/v2_trades_btc15m_page1_redacted_2026_10_05.json")
    condition = page["data"][0]["condition_id"]
    first = requests.get(f"{venue.data_url}/v2/trades?condition={condition}&limit=1", timeout=10).json()
    assert first["data"] == page["data"][:1]
    rest = requests.get(f"{venue.data_url}/v2/trades", params={"condition": condition, "cursor": first["pagination"]["next_cursor"]}, timeout=10).json()  # fmt: skip
    assert rest["data"] == page["data"][1:]
    for version in ("v1", "v2"):
        recorded = load(recorded_dir, f"data/v2_resolutions_{version}_market_resolved_2026_10_05.json")
        condition = recorded["data"][0]["condition_id"]
        assert requests.get(f"{venue.data_url}/v2/resolutions?condition={condition}", timeout=10).json() == recorded  # fmt: skip
    prices = (recorded_dir / "data" / "v2_prices_history_page1_2026_10_05.json").read_bytes().strip()
    assert (
        requests.get(f"{venue.data_url}/v2/prices-history?token_id=1&start=1", timeout=10).content == prices
    )


def test_the_socket_plays_every_recorded_frame_verbatim_and_in_order(
    venue: Running, recorded_dir: Path
) -> None:
    expected = []
    session = recorded_dir / "ws" / "market_frames_btc15m_2026_09_30.jsonl"
    for line in session.read_text().splitlines():
        text = json.loads(line)["payloadUtf8"]
        if text != "PONG":
            expected.append(text)
    socket = websocket.create_connection(venue.ws_url, timeout=10)
    socket.send(json.dumps({"assets_ids": ["1"], "type": "market"}))
    heard = [
        socket.recv() for _ in range(sum(len(capture.frames) for capture in captures.find(recorded_dir)))
    ]
    at = heard.index(expected[0])
    assert heard[at : at + len(expected)] == expected
    assert (recorded_dir / "ws" / "market_resolved_btc5m_2026_08_10.json").read_text().strip() in heard
    socket.send("PING")
    assert socket.recv() == "PONG"
    socket.close()


def test_the_pace_is_the_recorded_one(recorded_dir: Path) -> None:
    session = next(
        c for c in captures.find(recorded_dir) if c.name == "market_frames_btc15m_2026_09_30.jsonl"
    )
    pauses = [pause for pause, _ in session.frames]
    assert pauses[:3] == pytest.approx([0.0, 1.478, 0.002], abs=1e-6)
    assert max(pauses) == pytest.approx(297.613, abs=1e-3)
