"""The streamer accounts for itself: what it hears, what it should hear, and whether a person is needed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from polymarket_assets_tests.streamer.conftest import Streamer, free_port, list_markets, market_row
from polymarket_assets_tests.streamer.odd_venue import OddVenue, tokens, trade, wait_until
from streamer import pages, status
from streamer.pages import View

Make = Callable[..., Streamer]


def asked(port: int, path: str) -> tuple[int, Any]:
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            text = answer.read().decode()
            return answer.status, text if path == "/metrics" else json.loads(text)
    except HTTPError as e:
        return e.code, json.loads(e.read())


def test_the_pages_of_a_running_streamer(lake: Any, odd_venue: OddVenue, streamer: Make) -> None:
    list_markets(lake, [market_row(0), market_row(1, ends_in_h=2)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(4)
    odd_venue.say(trade(0, 1))
    wait_until(lambda: one.health()["frames"].get("last_trade_price", 0) >= 1, "the trade is heard")
    assert asked(one.port, "/critical") == (200, {"status": "ok", "reasons": []})
    code, covered = asked(one.port, "/coverage")
    assert (code, covered["missing_count"], covered["missing"]) == (200, 0, [])
    assert covered["tiers"] == {tier: {"should_be": 1, "heard": 1} for tier in ("t3", "t4")}
    _, subscribed = asked(one.port, "/subscriptions")
    rows = {row["token"]: row for row in subscribed["tokens"]}
    assert set(rows) == {*tokens(0), *tokens(1)}
    assert {row["state"] for row in rows.values()} == {"live"}
    assert rows[tokens(0)[0]]["last_data"] > rows[tokens(1)[0]]["last_data"]
    code, text = asked(one.port, "/metrics")
    assert code == 200
    assert re.search(r'^polymarket_stream_frames_total\{kind="last_trade_price"\} [1-9]', text, re.M)
    for line in text.splitlines():
        assert re.fullmatch(r'# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? -?[0-9.e+]+', line), line
    assert asked(one.port, "/nothing") == (404, {"pages": sorted(status.PAGES)})
    assert one.command("status", "coverage").stdout == json.dumps(covered, indent=2) + "\n"


def test_the_command_asks_every_streamer_that_is_named_and_fails_where_one_is_away(
    lake: Any, odd_venue: OddVenue, streamer: Make
) -> None:
    list_markets(lake, [market_row(0)])
    one, away = streamer(odd_venue.url), free_port()
    one.start()
    one.wait_for_books(2)
    one.settings["STREAM_STATUS_URLS"] = f"http://127.0.0.1:{one.port},http://127.0.0.1:{away}"
    both = one.command("status", "critical")
    assert (both.returncode, both.stdout.count("# http://"), both.stdout.count('"status": "ok"')) == (1, 2, 1)
    assert f"no streamer answers at http://127.0.0.1:{away}" in both.stderr
    alone = one.command("status", "critical", "--at", f"http://127.0.0.1:{one.port}/")
    assert (alone.returncode, json.loads(alone.stdout)["status"]) == (0, "ok")
    assert one.command("status", "--at", "streamer").returncode == 2


def test_a_market_whose_book_does_not_come_is_named_as_missing(
    lake: Any, odd_venue: OddVenue, streamer: Make
) -> None:
    odd_venue.dumps = False
    list_markets(lake, [market_row(0)])
    one = streamer(odd_venue.url)
    one.start()
    wait_until(lambda: one.health()["tokens"]["subscribed"] == 2, "it is subscribed")
    _, covered = asked(one.port, "/coverage")
    assert covered["tiers"] == {"t4": {"should_be": 1, "heard": 0}}
    assert covered["missing"] == [{"market": market_row(0)["market_id"], "tier": "t4"}]


@pytest.fixture
def desk_and_port() -> Any:
    desk, port = status.Desk(), free_port()
    server = status.serve(port, desk)
    yield desk, port
    server.shutdown()
    server.server_close()


def test_a_loop_that_does_not_turn_is_critical_and_says_why(
    desk_and_port: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, port = desk_and_port
    monkeypatch.setattr(status, "TURN_WITHIN_S", 0.1)
    desk.trouble = lambda: "the journal cannot be written: No space left on device"
    code, page = asked(port, "/health")
    assert (code, page["status"]) == (503, "critical")
    assert "No space left on device" in page["reasons"][0]


class _Quiet:
    """A view in which nothing was heard for a while."""

    troubles = ("the lake cannot be written",)
    began_us = now_us = 0


def test_troubles_are_critical_from_the_first_moment(desk_and_port: Any) -> None:
    desk, port = desk_and_port
    view: View = _Quiet()  # type: ignore[assignment]
    stopping = threading.Event()

    def turn() -> None:
        while not stopping.wait(0.01):
            desk.answer(lambda: view)

    turning = threading.Thread(target=turn)
    turning.start()
    try:
        assert asked(port, "/critical") == (503, pages.critical(view))
        assert pages.critical(view)["reasons"] == ["the lake cannot be written"]
    finally:
        stopping.set()
        turning.join()
