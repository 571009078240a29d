"""Each streamer is told of alone: what it says, that it is dead, that it is well again; and all are asked within a look."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from drills.forced.rows import row
from polymarket_assets import health
from polymarket_assets.alerting import incidents
from polymarket_assets.doctor import live
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.watching import asking, streamers
from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Watched
from polymarket_assets_tests.streamer.conftest import free_port
from streamer import status

NOW = datetime(2026, 11, 2, 13, 40, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SOURCE = [one for one in health.SOURCES if one.name == "stream"]


class Streaming:
    """The status of a streamer of a shard, over a real socket; its pages are what a test says."""

    def __init__(self, shard: str) -> None:
        self.port, self.shard = free_port(), shard
        self.reasons: list[str] = []
        self.heard, self.turns = 80, True
        self.start()

    def start(self) -> None:
        self._over, self._desk = threading.Event(), status.Desk()
        self._server = status.serve(self.port, self._desk)
        threading.Thread(target=self._turn, args=(self._over, self._desk), daemon=True).start()

    def die(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _turn(self, over: threading.Event, desk: status.Desk) -> None:
        while not over.wait(0.005):
            if self.turns:
                desk.answer(lambda: self)  # type: ignore[arg-type, return-value]


PAGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "/health": lambda one: {"status": "listening", "session": f"20261102T120000Z-{one.shard}-0a1b2c", "sockets": {"open": 3}},
    "/critical": lambda one: {"status": "critical" if one.reasons else "ok", "reasons": one.reasons},
    "/coverage": lambda one: {"tiers": {"t4": {"should_be": 80, "heard": one.heard}}},
}  # fmt: skip


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Streaming]]:
    """Two streamers that share the markets."""
    monkeypatch.setattr(status, "PAGES", PAGES)
    made = [Streaming("0of2"), Streaming("1of2")]
    yield made
    for one in made:
        one.die()


def wrote(lake: Lake, shard: str, at: datetime) -> None:
    """A change that a streamer of a shard heard, in the lake."""
    row = {
        "session_id": f"20261102T120000Z-{shard}-0a1b2c", "connection": 0, "sequence": 1, "row": 0, "market_id": "pm:a", "received_at": at, "venue_at": at, "kind": "price_change",
        "is_bid": True, "price_e6": 1, "size_e6": 1, "epoch": 1,
    }  # fmt: skip
    lake.publish_rows("book_changes", [row], part=f"{shard}-{at:%H%M%S}", at=at)


def looked(lake: Lake, asked: list[Streaming], now: datetime = NOW) -> Looked:
    settings = Settings(
        lake_root=lake.root, stream_status_urls=",".join(f"http://{one.name}" for one in asked)
    )  # type: ignore[call-arg]
    (said,) = asking.look(Watched(settings, now, lambda: lake), SOURCE)
    return said


def keys(said: Looked) -> list[str]:
    return [one.key for one in said.findings]


def test_one_of_two_that_dies_is_one_alert_and_one_recovery_while_the_other_is_well(lake: Lake, two: list[Streaming]) -> None:  # fmt: skip
    """Through the minutes in which what it wrote last could still be of one that lives elsewhere."""
    first, second = two
    held: dict[str, incidents.Incident] = {}
    told = []
    for minute in range(20):
        now = NOW + minute * MINUTE
        if minute == 3:
            second.die()
        if minute == 12:
            second.start()
        for one in two if not 3 <= minute < 12 else [first]:
            wrote(lake, one.shard, now - timedelta(seconds=20))
        held, changes = incidents.step(held, [looked(lake, two, now)], now)
        told += [(change.value, one.key) for change, one in changes]
    assert told == [("opened", f"stream_dead:{second.name}"), ("recovered", f"stream_dead:{second.name}")]


# The second lies in the hour before.
@pytest.mark.parametrize(("ago", "told"), [(7 * MINUTE, "13:33:00"), (50 * MINUTE, "12:50:00")])
def test_who_is_dead_is_said_with_the_shard_that_nobody_hears(lake: Lake, two: list[Streaming], ago: timedelta, told: str) -> None:  # fmt: skip
    two[1].die()
    wrote(lake, "1of2", NOW - ago)
    wrote(lake, "0of2", NOW)
    said = looked(lake, two)
    (dead,) = said.findings
    assert (dead.key, dead.since) == (f"stream_dead:{two[1].name}", NOW - ago)
    assert f"what shard 1of2 heard last is of {told} UTC" in dead.text
    up = {one.labels["streamer"]: one.value for one in said.figures if one.name == "stream_up"}
    assert up == {two[0].name: 1, two[1].name: 0}
    covered = {(one.labels["shard"], one.value) for one in said.figures if one.name == "stream_coverage_ratio"}  # fmt: skip
    assert covered == {("0of2", 1.0)}
    two[1].start()


@pytest.mark.parametrize(
    ("wrong", "key"),
    [({"reasons": ["nothing was heard for 200 s"]}, "stream_critical"), ({"heard": 40}, "stream_coverage:t4")],
)  # fmt: skip
def test_what_is_wrong_with_one_of_two_names_it_alone(lake: Lake, two: list[Streaming], wrong: dict[str, Any], key: str) -> None:  # fmt: skip
    vars(two[1]).update(wrong)
    assert keys(looked(lake, two)) == [f"{key}:{two[1].name}"]
    assert keys(looked(lake, two[1:])) == [key], "the only one needs no name"


@pytest.mark.parametrize(("heard", "stands", "is_told"), [(73, False, False), (73, True, True), (74, True, False)])  # fmt: skip
def test_what_is_told_as_not_heard_is_over_when_more_than_enough_is(lake: Lake, two: list[Streaming], heard: int, stands: bool, is_told: bool) -> None:  # fmt: skip
    """Of 80 markets, of which 90 % must be heard."""
    two[0].heard = heard
    settings = Settings(lake_root=lake.root, stream_status_urls=f"http://{two[0].name}")  # type: ignore[call-arg]
    standing = frozenset({"stream_coverage:t4"} if stands else ())
    (said,) = asking.look(Watched(settings, NOW, lambda: lake, standing=standing), SOURCE)
    assert keys(said) == (["stream_coverage:t4"] if is_told else [])


def test_one_that_cannot_be_asked_hides_nothing_of_the_other(lake: Lake, two: list[Streaming]) -> None:
    """It writes, so that it is not dead; and what is known to be wrong is told."""
    two[0].reasons = ["the lake cannot be written"]
    two[1].die()
    wrote(lake, "1of2", NOW - MINUTE)
    said = looked(lake, two)
    assert keys(said) == [f"stream_critical:{two[0].name}", "unknown:stream"]
    assert "a streamer records (1of2)" in str(said.unknown)
    two[1].start()


@pytest.mark.parametrize(
    ("minutes_ago", "said"), [(7, "since 13:33 UTC,"), (200, "since 13:34 UTC at least,")]
)
def test_since_when_no_trade_was_heard_is_said_as_far_as_it_is_known(lake: Lake, two: list[Streaming], minutes_ago: int, said: str) -> None:  # fmt: skip
    """Hours further back are not looked at: that nothing was heard for six minutes is all that is known then."""
    heard = NOW - minutes_ago * MINUTE
    lake.publish_rows("trades_raw", [row("trades_raw", received_at=heard, market_id="pm:a")], part="0", at=heard)  # fmt: skip
    for back in range(6):
        slot = NOW - back * MINUTE
        rows = [row("snapshots", market_id=f"pm:{n}", slot_at=slot, received_at=slot, tier="t4", last_trade=0.4 + back / 100) for n in range(3)]  # fmt: skip
        lake.publish_rows("snapshots", rows, part=f"{back}", at=slot, tier="t4")
    (silent,) = looked(lake, two[:1]).findings
    assert said in silent.text


def test_all_are_asked_within_a_look_whatever_hangs(lake: Lake, two: list[Streaming]) -> None:
    """A loop that does not turn, and addresses that take a connection and say nothing."""
    two[1].turns = False
    with socket.socket() as first, socket.socket() as second:
        for deaf in (first, second):
            deaf.bind(("127.0.0.1", 0))
            deaf.listen()
        names = [f"127.0.0.1:{deaf.getsockname()[1]}" for deaf in (first, second)]
        addresses = [f"http://{name}" for name in (two[0].name, two[1].name, *names)]
        began = time.monotonic()
        said = streamers.asked(Settings(stream_status_urls=",".join(addresses)))  # type: ignore[call-arg]
        assert time.monotonic() - began < streamers.ALL_WITHIN_S + 1 < asking.LOOK_WITHIN_S
    assert [one.why is None for one in said] == [True, True, False, False]
    assert "the loop did not turn" in said[1].pages["critical"]["reasons"][0]


def test_something_else_that_answers_is_no_streamer_and_not_dead(lake: Lake, two: list[Streaming], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setitem(PAGES, "/critical", lambda one: "<html>" if one is two[1] else {"reasons": []})  # type: ignore[arg-type, return-value]
    assert keys(looked(lake, two)) == ["unknown:stream"]


def test_the_doctor_shows_which_one_is_dead(lake: Lake, two: list[Streaming], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(health.findings, "__defaults__", (SOURCE,))
    two[1].die()
    console = Console(width=300, file=io.StringIO(), record=True)
    urls = ",".join(f"http://{one.name}" for one in two)
    code = live.show(console, Settings(lake_root=lake.root, stream_status_urls=urls))  # type: ignore[call-arg]
    assert (code, f"stream_dead:{two[1].name}" in console.export_text()) == (2, True)
    code = live.show(
        console, Settings(lake_root=lake.root, stream_status_urls=urls, alert_muted="stream_dead")
    )  # type: ignore[call-arg]
    assert (code, "critical (muted)" in console.export_text()) == (0, True)
    two[1].start()
