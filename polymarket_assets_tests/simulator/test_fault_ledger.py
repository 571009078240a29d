"""Whatever goes wrong, the ledger tells what was really handed to whom: the drills' counts rest on it."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets_tests.simulator.conftest import BUSY, lines
from polymarket_assets_tests.simulator.listening import Client, begin, live_tokens
from simulator.connections import Message, Socket
from simulator.faults import FAULTS
from simulator.faults.board import Board, fitting
from simulator.faults.parameters import OfSockets
from simulator.ledger import Ledger
from simulator.running import start
from simulator.sockets import Hub

# One victim each, all in the same few seconds; "" is nobody's.
AT_ONCE: dict[str, dict[str, Any]] = {
    "": {},
    "freeze_socket": {"for_s": 2},
    "freeze_tokens": {"share": 0.5},
    "silent_cap": {"tokens": 60},
    "no_pong": {},
    "duplicate": {"times": 3, "chance": 0.4},
    "reorder": {},
    "delay": {"delay_s": 0.7, "jitter_s": 0.3},
    "burst": {"every_s": 1.2},
    "old_forms": {"form": "flat"},
    "torn_json": {"chance": 0.3},
    "clock_skew": {},
    "wrong_book": {"changes": 5},
    "close": {"code": 1012},
}
# Pings this far apart, at least so many; more until everybody has heard a trade, which on a busy machine may take longer.
PING_EVERY_S, LEAST_PINGS, MOST_PINGS = 1.5, 4, 20
TRADE = '"event_type":"last_trade_price"'


class Session:
    """What every victim heard, and the ledger of it."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger
        self._lines: dict[str, list[dict[str, Any]]] = {}
        with start(seed=2, profile=BUSY, ledger=ledger) as venue:
            self.clients = {name: Client(venue) for name in AT_ONCE}
            # Fourteen listeners in one process with the venue: a busy machine must keep up with all of them.
            self.ids = live_tokens(venue)[:120]
            for client in self.clients.values():
                client.subscribe(self.ids)
                client.waits_to_hear()
            for name, parameters in AT_ONCE.items():
                if name:
                    begin(venue, name, sockets=[self.clients[name].number], **parameters)
            lasting = [client for name, client in self.clients.items() if name != "close"]
            for pinged in range(MOST_PINGS):
                if pinged >= LEAST_PINGS and all(map(_whole_trades, lasting)):
                    break
                time.sleep(PING_EVERY_S)
                for client in lasting:
                    client.say("PING")
        for client in self.clients.values():
            client.waits_for_the_end()

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Lines of a kind; the ledger is whole by now."""
        if kind not in self._lines:
            self._lines[kind] = lines(self.ledger, kind)
        return self._lines[kind]


def _whole_trades(client: Client) -> list[str]:
    return [text for text in client.texts if TRADE in text and text[-1] == "}"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return Session(tmp_path_factory.mktemp("faults") / "ledger.jsonl")


@pytest.mark.parametrize("name", AT_ONCE)
def test_trades_of_the_ledger_are_those_that_came_whole(session: Session, name: str) -> None:
    client = session.clients[name]
    heard = {json.loads(text)["transaction_hash"] for text in _whole_trades(client)}
    told = [line["tx_hash"] for line in session.told("trade") if client.number in line["sockets"]]
    assert heard or name == "close"
    assert sorted(told) == sorted(heard)


@pytest.mark.parametrize("name", AT_ONCE)
def test_every_other_message_is_told_of_once(session: Session, name: str) -> None:
    client = session.clients[name]
    told = sum(line["count"] for line in session.told("frames") if client.number in line["sockets"])
    told += sum(client.number in line["sockets"] for line in session.told("trade"))
    told += sum(line["socket"] == client.number for line in session.told("pong"))
    assert len(client.heard) == told
    assert told > 20 or name == "close"


@pytest.mark.parametrize("name", ["freeze_socket", "freeze_tokens", "silent_cap", "torn_json"])
def test_a_trade_that_was_kept_from_a_socket_says_by_what(session: Session, name: str) -> None:
    number = str(session.clients[name].number)
    kept = [line["withheld"][number] for line in session.told("trade") if number in line.get("withheld", {})]  # fmt: skip
    assert kept
    assert set(kept) == {name}


def test_every_fault_has_a_begin_and_an_end_with_its_victim(session: Session) -> None:
    begun = {line["fault"]: line for line in session.told("fault_begin")}
    ended = {line["fault"]: line for line in session.told("fault_end")}
    assert set(begun) == set(ended) == set(AT_ONCE) - {""}
    for name, line in begun.items():
        assert line["sockets"] == ended[name]["sockets"] == [session.clients[name].number]
        assert line["id"] == ended[name]["id"]
        assert AT_ONCE[name].items() <= line["parameters"].items()
        assert line["at"] <= ended[name]["at"]
        assert len(ended[name]["condition_ids"]) * 2 >= len(ended[name]["token_ids"]) >= len(line["token_ids"])  # fmt: skip
    assert {line["why"] for line in ended.values()} == {"for_s", "stopped", "done"}
    assert ended["torn_json"]["altered"] > 0
    assert ended["wrong_book"]["withheld"] == 5
    assert len(ended["wrong_book"]["condition_ids"]) == 1


def test_who_has_no_fault_hears_what_anybody_would(session: Session) -> None:
    """Everything that a victim of mere doubling heard, and nothing twice."""
    spared, doubled = (set(session.clients[name].data) for name in ("", "duplicate"))
    assert len(spared) == len(session.clients[""].data)
    common = [text for text in session.clients[""].data if text in doubled]
    assert len(common) > 0.9 * len(spared)


# --- property: without a fault nothing differs --------------------------------------------------------


class Quiet:
    """Books that nobody has."""

    def book(self, token: str) -> None:
        return None

    def condition(self, token: str) -> str:
        return f"0x{token}"


def venue_of_two() -> tuple[Hub, Socket, Socket]:
    hub = Hub(Quiet(), Ledger(None), lambda: 0.0)
    transport = SimpleNamespace(abort=lambda: None, pause_reading=lambda: None)
    spared, other = (
        Socket(n, cast(Any, None), cast(Any, SimpleNamespace(transport=transport)), 0.0) for n in (1, 2)
    )
    for socket in (spared, other):
        socket.tokens = dict.fromkeys("abcd")
        hub.sockets.add(socket)
    return hub, spared, other


def queued(socket: Socket) -> list[Message]:
    return [socket.waiting.get_nowait() for _ in range(socket.waiting.qsize())]


MESSAGES = st.lists(st.sampled_from(["book", "price_change", "dump", "last_trade_price"]).flatmap(
    lambda type_: st.sampled_from("abcd").map(lambda token: Message(f'{{"{token}":1}}', type_, (token,), f"0x{token}"))
), max_size=12)  # fmt: skip
NARROWED = [name for name, fault in FAULTS.items() if name not in ("refuse", "close", "freeze_tokens") and issubclass(fault.takes, OfSockets)]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(MESSAGES, st.lists(st.sampled_from(NARROWED), max_size=4), st.booleans())
def test_what_no_fault_concerns_is_queued_as_it_is(messages: list[Message], names: list[str], ended: bool) -> None:  # fmt: skip
    """Whether others have faults, or had: the same objects in the same order, and nothing else."""

    async def go() -> None:
        hub, spared, _ = venue_of_two()
        board: Board = hub.faults
        for name in names:
            board.begin(name, fitting(name, {"sockets": [2]}))
        if ended:
            board.end_all("deleted")
        assert all(hub.hand(spared, message) for message in messages)
        assert not board.rejects(spared)
        assert board.turns_away() is None
        assert not spared.cut_off
        assert queued(spared) == messages
        board.end_all("deleted")
        assert not queued(spared)

    asyncio.run(go())


@settings(max_examples=40, deadline=None)
@given(MESSAGES)
def test_what_is_only_held_back_comes_in_the_end(messages: list[Message]) -> None:
    """Ending a delay, bursts or a shuffle loses nothing, and a trade is told of once."""

    async def go() -> None:
        for name in ("delay", "burst", "reorder"):
            hub, _, other = venue_of_two()
            hub.faults.begin(name, fitting(name, {}))
            assert not any(hub.hand(other, message) for message in messages)
            assert not queued(other)
            hub.faults.end_all("deleted")
            came = queued(other)
            assert Counter(m.text for m in came) == Counter(m.text for m in messages)
            assert name == "reorder" or [m.text for m in came] == [m.text for m in messages]
            assert all(message.faults == (name,) for message in came)

    asyncio.run(go())
