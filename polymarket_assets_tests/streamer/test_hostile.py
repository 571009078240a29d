"""A socket that wants to harm us: what it says costs a bounded amount, is kept as it came, and the next good message is read."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets_tests.hostile import CONTROL, MARKUP, peak_mb, swollen
from polymarket_assets_tests.streamer.conftest import Streamer, list_markets, market_row
from polymarket_assets_tests.streamer.odd_venue import OddVenue, condition, tokens, trade, wait_until
from polymarket_assets_tests.streamer.test_sockets import fed, frame
from streamer import sockets
from streamer.entries import Heard, Listed
from streamer.recording import MOST_LEVELS, Recorder
from streamer.sockets import MAX_MESSAGE_BYTES, connect

AT_US = 1_764_000_000_000_000


@pytest.fixture
def recorder() -> Recorder:
    made = Recorder("s")
    made.know([Listed(f"pm:{condition(0)}", condition(0), tokens(0))])
    return made


def change(count: int) -> dict[str, object]:
    """Levels of the canonical token alone, each at a price of its own."""
    levels = [{"price": f"0.{n:06d}", "size": "1", "side": "BUY", "asset_id": tokens(0)[0]} for n in range(count)]  # fmt: skip
    return {"event_type": "price_change", "market": condition(0), "timestamp": "1", "price_changes": levels}


# What is kept in `rejects`, whole.
REJECTED: dict[str, bytes] = {
    "NaN for a size": json.dumps(trade(0, 1) | {"size": float("nan")}).encode(),
    "a size beyond 64 bits": json.dumps(trade(0, 1) | {"size": "9" * 40}).encode(),
    "a price of a million digits": json.dumps(trade(0, 1) | {"price": "0." + "1" * 1_000_000}).encode(),
    "an exponent of a billion": json.dumps(trade(0, 1) | {"size": "1e999999999"}).encode(),
    "a time that is none": json.dumps(trade(0, 1) | {"timestamp": "9" * 19}).encode(),
    "an integer of five thousand digits": b'{"event_type":"x","timestamp":' + b"9" * 5_000 + b"}",
    "nesting": b"[" * 200_000,
    "nesting in what nobody reads": b'{"event_type":"x","a":' + b"[" * 200_000,
    "a lone surrogate": b'{"event_type":"\\ud800 and more"}',
    "control characters": CONTROL.encode(),
    "markup": MARKUP.encode(),
    "a token nobody asked for": json.dumps(trade(7, 1)).encode(),
    "more levels in a change than a counter holds": json.dumps(change(40_000)).encode(),
    "more levels in a book than any": json.dumps(
        {"event_type": "book", "market": condition(0), "timestamp": "1", "asset_id": tokens(0)[0], "asks": [],
         "bids": [{"price": f"0.{n:06d}", "size": "1"} for n in range(MOST_LEVELS + 1)]}
    ).encode(),
    "a dump of more books than tokens": json.dumps([{"event_type": "x"}] * 10_001).encode(),
    "JSON that swells": swollen("rows of two bytes", 2_000_000),
}  # fmt: skip


@pytest.mark.parametrize("what", REJECTED)
def test_it_is_kept_as_it_came_and_the_next_message_is_read(what: str, recorder: Recorder) -> None:
    recorder.hear(Heard(AT_US, 0, REJECTED[what]))
    recorder.hear(Heard(AT_US + 1, 0, json.dumps(trade(0, 2)).encode()))
    (rejected,) = recorder.rows.arrow("rejects").to_pylist()
    assert rejected["payload"] == REJECTED[what].decode()
    assert rejected["reason"].isprintable()
    assert len(rejected["reason"]) < 1_000
    assert recorder.rows.count("trades_raw") == 1
    assert recorder.rows.count("book_changes") == 0


def test_as_many_levels_as_a_book_may_have_are_recorded(recorder: Recorder) -> None:
    recorder.hear(Heard(AT_US, 0, json.dumps(change(MOST_LEVELS)).encode()))
    assert recorder.rows.arrow("book_changes").num_rows == MOST_LEVELS


# What is no reject: known by its form, whatever its words.
TOLD = {
    "markup": {"event_type": "new_market", "market": condition(0), "question": MARKUP},
    "control characters": {"event_type": "new_market", "market": condition(0), "question": CONTROL},
    "a type that is markup": {"event_type": MARKUP + CONTROL},
}


@pytest.mark.parametrize("what", TOLD)
def test_words_are_recorded_as_they_came(what: str, recorder: Recorder) -> None:
    said = json.dumps(TOLD[what])
    recorder.hear(Heard(AT_US, 0, said.encode()))
    (event,) = recorder.rows.arrow("market_events").to_pylist()
    assert (event["payload"], event["kind"]) == (said, TOLD[what]["event_type"])


# --- frames ------------------------------------------------------------------------------------------------


def test_a_message_in_fragments_without_end_is_cut_off_at_the_limit() -> None:
    """The library gathers fragments for ever, and copies all it has for each."""
    began = time.process_time()
    piece = frame(b"x" * 60_000, opcode=0, fin=False)
    socket = fed([frame(b"x", fin=False), *([piece] * 400)])
    closed = None
    while closed is None:
        closed = socket.read(lambda: 1).closed
    assert closed == "a message is larger than any of the venue's"
    assert time.process_time() - began < 5


def test_tiny_fragments_cost_what_they_are() -> None:
    """Copied one by one, a megabyte in fragments of a byte would hold the loop up for minutes."""
    wire = frame(b"x", fin=False) + frame(b"x", opcode=0, fin=False) * 300_000 + frame(b"!", opcode=0)
    socket = fed([wire[at : at + 65_536] for at in range(0, len(wire), 65_536)])
    began = time.process_time()
    messages: list[bytes] = []
    while not messages:
        messages += [message for _, message in socket.read(lambda: 1).messages]
    assert messages == [b"x" * 300_001 + b"!"]
    assert time.process_time() - began < 10


@pytest.mark.parametrize("length", [MAX_MESSAGE_BYTES + 1, 2**40, 2**63 - 1])
def test_a_frame_that_announces_more_than_the_limit_ends_the_connection_before_it_came(length: int) -> None:  # fmt: skip
    socket = fed([b"\x81\x7f" + length.to_bytes(8, "big") + b"x" * 1_000])
    assert socket.read(lambda: 1).closed == "a message is larger than any of the venue's"


@pytest.mark.parametrize(
    "wire",
    [b"\xc1\x05hello", b"\x83\x00", b"\x80\x01x", b"\x89\x7e\x00\xff" + b"x" * 255],
    ids=["packed, which was not agreed", "an opcode that is none", "a fragment of nothing", "a ping too long"],
)  # fmt: skip
def test_a_frame_against_the_protocol_ends_the_connection(wire: bytes) -> None:
    read = fed([wire, b"|"]).read(lambda: 1)
    assert read.messages == []
    assert read.closed is not None


def test_the_reason_of_a_close_forges_no_line_of_the_log() -> None:
    closed = fed([frame((1008).to_bytes(2, "big") + CONTROL.encode()[:100], opcode=8)]).read(lambda: 1).closed
    assert closed is not None
    assert closed.isprintable()


# --- the upgrade --------------------------------------------------------------------------------------------


@contextmanager
def answering(answer: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """A server that reads a request and then sends what it is told, for as long as somebody takes it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                taken, _ = listening.accept()
            except OSError:
                return
            with taken:
                try:
                    taken.recv(65_536)
                    for piece in answer():
                        taken.sendall(piece)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"ws://127.0.0.1:{listening.getsockname()[1]}/ws/market"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def dripping() -> Iterator[bytes]:
    for piece in repeat(b"x"):
        time.sleep(0.05)
        yield piece


UPGRADES: dict[str, Callable[[], Iterator[bytes]]] = {
    "nothing": lambda: iter(()),
    "no HTTP": lambda: iter([b"\x00\xff\xfe\r\n\r\n"]),
    "no status": lambda: iter([b"HTTP/1.1\r\n\r\n"]),
    "a header without a colon": lambda: iter([b"HTTP/1.1 101 ok\r\nnonsense\r\n\r\n"]),
    "the wrong key": lambda: iter([b"HTTP/1.1 101 ok\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"]),
    "a body of a terabyte": lambda: chain([b"HTTP/1.1 403 no\r\nContent-Length: 1000000000000\r\n\r\n"], repeat(b"x" * 100_000)),
    "a negative length": lambda: iter([b"HTTP/1.1 403 no\r\nContent-Length: -5\r\n\r\n"]),
    "control characters": lambda: iter([b"HTTP/1.1 403 \x1b[2J\x1b[31m\r\nX: \x07\r\n\r\n"]),
    "cookies that are none": lambda: iter([b"HTTP/1.1 302 go\r\nLocation: x\r\nSet-Cookie: expires=1; path; =; \x01=\x02\r\n\r\n"]),
    "a line without end": lambda: chain([b"HTTP/1.1 101 "], repeat(b"x" * 1_000)),
    "headers without end": lambda: chain([b"HTTP/1.1 101 ok\r\n"], repeat(b"X: y\r\n" * 100)),
    "a drip": dripping,
}  # fmt: skip


@pytest.mark.parametrize("what", UPGRADES)
def test_an_answer_that_is_no_upgrade_is_unavailable_in_one_line_and_in_time(what: str, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The thread that dials has no other way to say that it is done: any other error would cost one of four places for ever."""
    monkeypatch.setattr(sockets, "HANDSHAKE_WITHIN_S", 1.0)
    began = time.monotonic()
    with answering(UPGRADES[what]) as url, pytest.raises(Unavailable, match="cannot be reached") as raised:
        connect(url, ["1"])
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 2_000
    assert time.monotonic() - began < 5


def test_an_upgrade_that_leads_elsewhere_is_not_followed() -> None:
    """A venue could make the recorder knock at any address that only this machine can reach."""
    knocked: list[bytes] = []

    def elsewhere() -> Iterator[bytes]:
        knocked.append(b"here")
        return iter(())

    with answering(elsewhere) as other:
        told = f"HTTP/1.1 302 go\r\nLocation: {other}\r\n\r\n".encode()
        with answering(lambda: iter([told])) as url, pytest.raises(Unavailable, match="Redirect"):
            connect(url, ["1"])
    assert knocked == []


# --- all of it together ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_streamer_that_was_told_all_of_this_records_on(lake: Lake, odd_venue: OddVenue, streamer: Callable[..., Streamer]) -> None:  # fmt: skip
    list_markets(lake, [market_row(0)])
    one = streamer(odd_venue.url)
    one.start()
    one.wait_for_books(2)
    for message in REJECTED.values():
        odd_venue.say(message.decode())
    odd_venue.say(*TOLD.values(), trade(0, 99))
    wait_until(lambda: one.health()["frames"].get("last_trade_price") == 2, "the good trade is heard")
    assert one.stop() == 0
    assert {row["payload"] for row in one.rows("rejects")} == {m.decode() for m in REJECTED.values()}
    assert len(one.rows("market_events")) == len(TOLD)
    assert len(one.rows("trades_raw")) == 1
    assert "Traceback" not in one.said
    assert all(line.isprintable() for line in one.said.splitlines())


def test_batches_of_rejects_take_a_bounded_amount_of_memory() -> None:
    """They wait as text, of which one character beyond the usual makes four bytes a character."""
    code = """
from streamer.entries import Heard
from streamer.keeping import PUBLISH_BYTES
from streamer.publisher import BATCHES_HELD
from streamer.recording import Recorder
message = "\\N{PILE OF POO}".encode() + b"x" * 1_000_000
held = []
for batch in range(BATCHES_HELD + 1):
    recorder, heard = Recorder("s"), 0
    while heard < PUBLISH_BYTES:
        recorder.hear(Heard(0, 0, message))
        heard += len(message)
    held.append(recorder.take())
held[0].arrow("rejects")
"""
    assert peak_mb(code) < 1_200
