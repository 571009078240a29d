"""The doctor says which generation answers, what is lost without the other, and never takes long."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets.doctor import costs, probing
from polymarket_assets.doctor.verdict import Verdict, judge
from polymarket_assets.settings import Settings, load
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.venue.server import Server, serving, told
from polymarket_assets_tests.venue.test_gamma import row as listed
from polymarket_assets_tests.venue.test_parse import case

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RESOLVED = case("data/v2_resolutions_own.json")[0]
DUMP = case("ws/market_frames_own.jsonl")[0]


@contextmanager
def market_socket(message: str | None) -> Iterator[str]:
    """A socket that answers a subscription with one message, or with nothing."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        accepted, _ = listening.accept()
        with accepted:
            head = accepted.recv(65536).decode()
            key = head.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
            proof = base64.b64encode(
                hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
            )
            accepted.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + proof + b"\r\n\r\n")  # fmt: skip
            accepted.recv(65536)  # the subscription
            if message is not None:
                payload = message.encode()
                accepted.sendall(b"\x81\x7e" + struct.pack("!H", len(payload)) + payload)
            accepted.settimeout(10)
            while accepted.recv(65536):
                pass

    def quietly() -> None:
        try:
            serve()
        except OSError:
            return  # the other side is done

    threading.Thread(target=quietly, daemon=True).start()
    try:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/ws/market"
    finally:
        listening.close()


def healthy(server: Server) -> None:
    """Everything of today's venue, both generations of the Data API."""
    market = listed(1, enableOrderBook=True, clobTokenIds='["11","12"]', version="v1")
    condition = market["conditionId"]
    book = {**case("clob/books_pair_and_v2_empty.json")[0], "market": condition, "asset_id": "11"}
    trade = case("data/v2_trades_btc15m_page1_own.json")[0]
    server.on("/markets/keyset", told({"markets": [market, listed(2, version="v2", positionIds=["1", "2"])]}))
    server.on("/markets", told([market]))
    server.on("/ok", told(None, content_type="text/plain"))
    server.on("/time", told(int(NOW.timestamp())))
    server.on("/book", told(book))
    server.on("/books", told([book]))
    server.on(f"/clob-markets/{condition}", told({**case("clob/clob_markets_compact_v2.json")[0], "c": condition}))  # fmt: skip
    server.on(
        f"/markets/{condition}", told({**case("clob/market_full_closed.json")[0], "condition_id": condition})
    )
    server.on("/prices-history", told({"history": []}))
    server.on("/v2/status", told({"trades": {"lag_seconds": 4}}))
    server.on("/v2/trades", told({"data": [trade]}))
    server.on("/v2/prices-history", told({"data": []}))
    server.on("/v2/resolutions", told({"data": [{**RESOLVED, "condition_id": condition}]}))
    server.on("/trades", told(case("data/v1_activity_trades_own.json")))


def settings(server: Server, socket_url: str, **more: Any) -> Settings:
    return load(polymarket_gamma_url=server.url, polymarket_clob_url=server.url, polymarket_data_url=server.url, polymarket_ws_url=socket_url, **more)  # fmt: skip


def examined(server: Server, message: str | None = DUMP) -> tuple[dict[str, probing.Finding], Verdict]:
    with market_socket(message) as url:
        findings = list(probing.examine(probing.patient(settings(server, url), NOW)))
    return {finding.endpoint: finding for finding in findings}, judge(findings)


def test_a_healthy_venue(server: Server) -> None:
    healthy(server)
    findings, verdict = examined(server)
    assert {endpoint for endpoint, finding in findings.items() if not finding.answers} == set()
    assert (verdict.records, verdict.degraded, verdict.problem) == (True, (), "")
    assert findings["GET /markets/keyset"].note == "1 of v1, 1 of v2"
    assert findings["GET /v2/trades"].generation == "v2"
    assert findings["market channel"].note == "2 books in the first message"
    assert verdict.generations[-1] == "Data API: v2, and v1 still answers"
    assert all(finding.latency_ms is not None for finding in findings.values())
    assert {path: asked for path, asked in server.counts().items() if asked > 1} == {"/markets/keyset": 2}


def test_only_the_first_generation_of_the_data_api(server: Server) -> None:
    healthy(server)
    for path in ("/v2/status", "/v2/trades", "/v2/prices-history", "/v2/resolutions"):
        server.on(path, told({"error": "not found"}, 404))
    findings, verdict = examined(server)
    assert findings["GET /v2/trades"].note == "not there (404)"
    assert verdict.records
    assert verdict.generations[-1] == "Data API: v1 only"
    assert "no resolutions" in verdict.degraded[0]


def test_a_retired_first_generation_is_nothing_to_worry_about(server: Server) -> None:
    healthy(server)
    server.on("/trades", told({}, 410))
    server.on("/markets", told({}, 410))
    _, verdict = examined(server)
    assert (verdict.records, verdict.degraded) == (True, ())
    assert verdict.generations[-1] == "Data API: v2"


@pytest.mark.parametrize(
    ("path", "lost"),
    [
        ("/v2/resolutions", "disputes are not seen"),
        ("/v2/prices-history", "history_prices will fail"),
        ("/markets/{condition}", "labels wait for the Data API"),
    ],
)
def test_what_labels_and_history_rest_on_is_missed_by_name(server: Server, path: str, lost: str) -> None:
    healthy(server)
    server.on(path.format(condition=listed(1)["conditionId"]), told({"error": "gone"}, 404))
    _, verdict = examined(server)
    assert verdict.records
    (said,) = verdict.degraded
    assert lost in said


def test_no_data_api_leaves_recording_possible(server: Server) -> None:
    healthy(server)
    for path in ("/v2/status", "/v2/trades", "/v2/prices-history", "/v2/resolutions", "/trades"):
        server.on(path, told({}, 503))
    _, verdict = examined(server)
    assert verdict.records
    assert "gaps are not healed" in verdict.degraded[0]


def test_without_books_nothing_can_be_recorded(server: Server) -> None:
    healthy(server)
    server.on("/books", told({"error": "moved"}, 404))
    _, verdict = examined(server)
    assert not verdict.records
    assert verdict.problem == "nothing can be recorded: POST /books of clob does not answer (not there (404)); check POLYMARKET_CLOB_URL"  # fmt: skip


def test_a_socket_that_says_nothing_is_found_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """PONGs without data are the venue's commonest defect."""
    monkeypatch.setattr("polymarket_assets.doctor.socket_dump.FIRST_BOOK_S", 0.3)
    healthy(server)
    findings, verdict = examined(server, None)
    assert not findings["market channel"].answers
    assert "no book came over the socket" in findings["market channel"].note
    assert "POLYMARKET_WS_URL" in verdict.problem


def test_rows_that_cannot_be_read_are_degradation(server: Server) -> None:
    """A new generation of markets shows here before it shows as an empty lake."""
    healthy(server)
    server.on("/markets/keyset", told({"markets": [listed(1, enableOrderBook=True, clobTokenIds='["11","12"]'), listed(2, version="v3")]}))  # fmt: skip
    _, verdict = examined(server)
    assert any("1 unreadable" in said and "v3" in said for said in verdict.degraded)


def test_a_clock_that_is_off_is_told(server: Server) -> None:
    healthy(server)
    server.on("/time", told(int(NOW.timestamp()) + 90))
    _, verdict = examined(server)
    assert any("our clock is 90 s behind" in said for said in verdict.degraded)


def test_a_silent_service_is_asked_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time-out for every endpoint one after the other are longer than anyone waits."""
    monkeypatch.setattr(probing, "TIMEOUTS_S", (0.2, 0.2))
    with serving() as silent:
        for path in ("/ok", "/time", "/books"):
            silent.on(path, told({}, before=lambda: time.sleep(0.5)))
        healthy(server)
        asked = settings(server, "ws://127.0.0.1:9").model_copy(update={"polymarket_clob_url": silent.url})
        findings = list(probing.examine(probing.patient(asked, NOW)))
        assert len(silent.asked) == 1
    assert [finding.note for finding in findings if finding.service == "clob"][1:] == [
        "not tried: silent"
    ] * 6


def test_cost_is_within_what_the_settings_allow() -> None:
    """The default settings must fit into half of the published limits, with room."""
    for cost in costs.estimate(load()):
        assert cost.allowed_a_s is None or cost.requests_a_s < cost.allowed_a_s / 10
        assert cost.gb_a_day > 0


def test_the_daily_walk_over_everything_is_a_cost() -> None:
    (census,) = [cost for cost in costs.estimate(load()) if cost.part.startswith("census")]
    assert (round(census.requests_a_s * 86_400), round(census.gb_a_day, 2)) == (800, 0.48)


def test_cost_follows_the_settings() -> None:
    few, many = (costs.estimate(load(max_markets_t4=n, rate_share=0.1)) for n in (500, 5_000))
    t4 = [next(cost for cost in found if "T4" in cost.part) for found in (few, many)]
    assert t4[1].gb_a_day == pytest.approx(10 * t4[0].gb_a_day)
    assert t4[0].gb_a_day == pytest.approx(500 * costs.BOOK_BYTES * 5760 / 1e9)
    assert t4[1].requests_a_s == pytest.approx(10 / 15)
    assert t4[0].allowed_a_s == pytest.approx(5.0)


def doctor(cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it, away from any `.env`."""
    plain = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return subprocess.run([sys.executable, "-m", "polymarket_assets.doctor"], cwd=cwd, env={**plain, "PYTHONPATH": str(PROJECT), **environment}, capture_output=True, text=True, timeout=60)  # fmt: skip


def addresses(url: str, socket_url: str) -> dict[str, str]:
    return {"POLYMARKET_GAMMA_URL": url, "POLYMARKET_CLOB_URL": url, "POLYMARKET_DATA_URL": url, "POLYMARKET_WS_URL": socket_url}  # fmt: skip


def test_the_command_on_a_healthy_venue(server: Server, tmp_path: Path) -> None:
    healthy(server)
    server.on("/time", lambda _: told(int(time.time())))
    with market_socket(DUMP) as url:
        found = doctor(tmp_path, **addresses(server.url, url))
    assert (found.returncode, found.stderr) == (0, "")
    assert "Nothing is degraded." in found.stdout
    assert "POST /books" in found.stdout
    assert "GB a day" in found.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_command_where_nobody_is_there(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    found = doctor(tmp_path, **addresses(f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"))
    assert found.returncode == 1
    (sentence,) = found.stderr.splitlines()
    assert sentence.startswith(
        "doctor: the venue cannot be reached: gamma did not answer at http://127.0.0.1"
    )
    assert "make demo" in sentence
    assert "Traceback" not in found.stdout


def test_the_command_with_a_bad_setting(tmp_path: Path) -> None:
    found = doctor(tmp_path, RATE_SHARE="lots")
    assert found.returncode == 2
    assert found.stderr.splitlines()[0].startswith("doctor: RATE_SHARE='lots' cannot be used")
    assert json.dumps(found.stdout) == '""'
