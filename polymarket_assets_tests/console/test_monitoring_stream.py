"""A streamer is shown as it tells of itself, and one that died says so in its place while what the lake knows still shows."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.streamer.conftest import (
    Streamer,
    free_port,
    list_markets,
    market_row,
    odd_venue,
    streamer,
)
from polymarket_assets_tests.streamer.odd_venue import OddVenue, trade, wait_until
from streamer import status

__all__ = ["odd_venue", "streamer"]

BASE = "/api/monitoring"
Make = Callable[..., Streamer]


def until(console: Console, path: str, holds: Callable[[Any], bool], what: str) -> Any:
    """What an endpoint says once it says so; looks are seconds old."""
    wait_until(lambda: holds(console.json(f"{BASE}/{path}")), what)
    return console.json(f"{BASE}/{path}")


def test_a_streamer_from_its_start_to_its_death(lake: Lake, odd_venue: OddVenue, streamer: Make, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    for module in ("streamers.EVERY_S", "streamers.TOKENS_EVERY_S", "heard.EVERY_S"):
        monkeypatch.setattr(f"console.monitoring.{module}", 0.2)
    list_markets(lake, [market_row(0), market_row(1, ends_in_h=2)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(4)
    odd_venue.say(trade(0, 1))
    wait_until(lambda: one.health()["frames"].get("last_trade_price", 0) >= 1, "the trade is heard")
    with served(settings_of(lake, stream_status_urls=(f"http://127.0.0.1:{one.port}",))) as console:
        _lives(console)
        assert one.stop(signal.SIGTERM) == 0
        _died(console)


def _lives(console: Console) -> None:
    found = until(console, "websocket-coverage", lambda it: len(it["found"]) == 2, "two tiers are told of")["found"]  # fmt: skip
    assert [(row["tier"], row["should_be"], row["heard"], row["pct"]) for row in found] == [("t3", 1, 1, 100.0), ("t4", 1, 1, 100.0)]  # fmt: skip
    (told,) = console.json(f"{BASE}/connections")["found"]["streamers"]
    assert sum(one["tokens"] for one in told["connections"]) == 4
    for socket in told["connections"]:
        assert (socket["state"], socket["subscribed"], socket["late"], socket["deaf_since"]) == ("listening", socket["tokens"], 0, None)  # fmt: skip
        assert socket["opened"] <= socket["last_data"]
    assert told["frames"]["last_trade_price"] >= 1
    assert console.json(f"{BASE}/subscription-health")["found"]["states"] == {"live": 4}
    assert console.json(f"{BASE}/state")["word"] == "LIVE"
    assert "listening" in console.part("stream", "sockets")
    assert "Every token is heard." in console.part("stream", "silent")


def _died(console: Console) -> None:
    until(console, "connections", lambda it: not it["found"]["streamers"][0]["answers"], "it is seen that it died")  # fmt: skip
    until(console, "trades-per-minute", lambda it: sum(one["trades"] for one in it["found"]) == 1, "its trade is counted")  # fmt: skip
    # What it published last is younger than two minutes: it may be one that cannot be asked from here.
    assert console.json(f"{BASE}/state")["word"] == "STALE"
    assert "python -m streamer run" in console.part("stream", "streamers")
    assert "connect" in console.part("stream", "gaps")


class Answering:
    """The status of a streamer over a real socket; its pages are what a test says."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.address, self._over, self._desk = (
            f"http://127.0.0.1:{(port := free_port())}",
            threading.Event(),
            status.Desk(),
        )
        self._server = status.serve(port, self._desk)
        self._said = said
        threading.Thread(target=self._turn, daemon=True).start()

    def _turn(self) -> None:
        while not self._over.wait(0.005):
            self._desk.answer(lambda: self._said)  # type: ignore[arg-type, return-value]

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Makes them; returns their address."""
    monkeypatch.setattr(status, "PAGES", {path: lambda said, path=path: said.get(path, {}) for path in status.PAGES})  # fmt: skip
    made: list[Answering] = []

    def make(**said: Any) -> str:
        made.append(Answering({f"/{name}": page for name, page in said.items()}))
        return made[-1].address

    yield make
    for one in made:
        one.close()


def test_tokens_that_are_not_heard_come_the_worst_first_with_their_market(lake: Lake, answering: Callable[..., str]) -> None:  # fmt: skip
    now = datetime.now(UTC)
    states = {"live": now, "quiet": now - timedelta(minutes=11), "awaited": None, "late": None, "stuck": None, "away": now}  # fmt: skip
    rows = [
        {"token": f"{n}", "market": f"pm:{name}", "connection": 0, "state": "live" if name == "quiet" else name, "last_data": at and at.isoformat(), "epoch": 1}
        for n, (name, at) in enumerate(states.items())
    ]  # fmt: skip
    with served(
        settings_of(lake, stream_status_urls=(answering(subscriptions={"tokens": rows}),))
    ) as console:
        found = console.json(f"{BASE}/subscription-health")["found"]
        assert found["wanted"] == 6
        assert [one["state"] for one in found["silent"]] == ["stuck", "late", "away", "awaited", "silent"]
        assert found["silent"][-1]["market"] == "pm:quiet"
        assert '<a href="/market/pm%3Aquiet">' in console.part("stream", "silent")


@pytest.mark.parametrize(
    "page",
    [{}, {"sockets": 5}, {"sockets": {"open": 1, "wanted": 1}, "since": "yesterday"}, {"connections": [1]}, {"status": "<script>alert(1)</script>", "tokens": {"<b>": 1}}],
    ids=["empty", "counts", "instants", "connections", "words"],
)  # fmt: skip
def test_whatever_answers_where_a_streamer_should_breaks_no_page(lake: Lake, answering: Callable[..., str], page: dict[str, Any]) -> None:  # fmt: skip
    address = answering(health=page, coverage={"tiers": {}}, critical={"reasons": []}, subscriptions={"tokens": [{"token": 1}]})  # fmt: skip
    with served(settings_of(lake, stream_status_urls=(address,))) as console:
        for path in ("connections", "websocket-coverage", "subscription-health", "state", "errors"):
            console.json(f"{BASE}/{path}")
        for part in ("streamers", "coverage", "sockets", "silent", "gaps"):
            html = console.part("stream", part)
            assert "could not be made" not in html
            assert "<script>alert" not in html
            assert "<b>" not in html


def test_of_two_streamers_one_that_is_away_is_told_alone(lake: Lake, answering: Callable[..., str]) -> None:
    well = answering(health={"status": "listening", "sockets": {"open": 1, "wanted": 1}, "session": "20261102T120000Z-0of2-0a1b2c"}, coverage={"tiers": {"t4": {"should_be": 80, "heard": 40}}})  # fmt: skip
    away = f"http://127.0.0.1:{free_port()}"
    with served(settings_of(lake, stream_status_urls=(well, away))) as console:
        first, second = console.json(f"{BASE}/connections")["found"]["streamers"]
        assert (first["answers"], first["shard"], second["answers"]) == (True, "0of2", False)
        assert console.json(f"{BASE}/websocket-coverage")["found"] == [{"streamer": first["name"], "shard": "0of2", "tier": "t4", "should_be": 80, "heard": 40, "pct": 50.0}]  # fmt: skip
        assert "50.0 %" in console.part("stream", "coverage")
        assert away.removeprefix("http://") in console.part("stream", "streamers")
