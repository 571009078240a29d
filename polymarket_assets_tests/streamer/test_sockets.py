"""A socket gives everything that has come, in order, however it was cut up on its way."""

from __future__ import annotations

import asyncio
import json
import select
import shutil
import ssl
import struct
import subprocess
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
import websocket
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets_tests.streamer.odd_venue import PATIENCE_S, OddVenue
from streamer import sockets
from streamer.backoff import CEILING_S, pause_s
from streamer.sockets import IDS_A_FRAME, MarketSocket, connect, operations, subscription


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (100, [100]), (101, [100, 1]), (200, [100, 100]), (450, [100, 100, 100, 100, 50])],
)
def test_no_frame_asks_for_more_tokens_than_the_venue_takes(count: int, sizes: list[int]) -> None:
    ids = [str(n) for n in range(count)]
    frames = [json.loads(frame) for frame in subscription(ids)]
    assert [len(frame["assets_ids"]) for frame in frames] == sizes
    assert [token for frame in frames for token in frame["assets_ids"]] == ids
    assert frames[0] == {"assets_ids": ids[:IDS_A_FRAME], "type": "market", "custom_feature_enabled": True}
    assert all(frame["operation"] == "subscribe" and frame["custom_feature_enabled"] for frame in frames[1:])


def test_giving_up_nothing_sends_nothing() -> None:
    assert list(operations("unsubscribe", [])) == []


def read_all(socket: MarketSocket, done: int) -> list[bytes]:
    """Read until so many messages have come, only when the selector tells or something was left."""
    found: list[bytes] = []
    unfinished = False
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < done and time.monotonic() < deadline:
        if unfinished or select.select([socket], [], [], 1.0)[0]:
            read = socket.read(lambda: 1)
            found += [message for _, message in read.messages]
            unfinished = read.unfinished
            assert read.closed is None
    return found


def test_every_message_of_a_burst_is_read(odd_venue: OddVenue) -> None:
    socket = connect(odd_venue.url, ["10000", "10001"])
    read_all(socket, 1)
    messages = [f"{n}:" + "x" * (n * 37 % 90_000) for n in range(300)]
    talking = threading.Thread(target=odd_venue.say, args=messages)
    talking.start()
    assert [m.decode() for m in read_all(socket, 300)] == messages
    talking.join()


def test_what_came_before_a_close_is_kept_and_its_reason_told(odd_venue: OddVenue) -> None:
    socket = connect(odd_venue.url, ["10000", "10001"])
    read_all(socket, 1)
    odd_venue.say("last words")
    # The venue waits for our answer to its close, which we give when we read it.
    closing = threading.Thread(target=odd_venue.close)
    closing.start()
    time.sleep(0.3)
    read = socket.read(lambda: 1)
    assert [message for _, message in read.messages] == [b"last words"]
    assert read.closed == "closed by the venue: 1013 slow consumer"
    closing.join(PATIENCE_S)
    closing.join(PATIENCE_S)


def frame(payload: bytes, *, opcode: int = 1, fin: bool = True) -> bytes:
    """A frame as a server sends it."""
    head = bytes([(0x80 if fin else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 65_536:
        return head + b"\x7e" + struct.pack("!H", len(payload)) + payload
    return head + b"\x7f" + struct.pack("!Q", len(payload)) + payload


class _Pieces:
    """The network's edge: hands out given pieces, one a call, then nothing."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.sent = b""
        self._closed = False

    def recv(self, _: int) -> bytes:
        if not self.pieces:
            raise BlockingIOError
        piece = self.pieces.pop(0)
        if piece == b"|":
            raise BlockingIOError
        return piece

    def send(self, content: bytes) -> int:
        self.sent += content
        return len(content)

    def gettimeout(self) -> int:
        return 0

    def close(self) -> None:
        self._closed = True


def fed(pieces: list[bytes]) -> MarketSocket:
    ws = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    ws.sock = _Pieces(pieces)  # type: ignore[assignment]
    socket = MarketSocket(ws)
    socket._gives_in_parts = True  # it gives a piece a call, as TLS does
    return socket


@given(
    messages=st.lists(st.binary(min_size=0, max_size=400), max_size=8),
    cuts=st.sets(st.integers(1, 3500), max_size=12),
    waits=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_messages_come_whole_and_in_order_however_the_bytes_are_cut(
    messages: list[bytes], cuts: set[int], waits: bool
) -> None:
    """A frame begun in one read must be finished in another, also when its header is cut."""
    expected = [message for message in messages if message != b"PONG"]
    wire = b"".join(frame(message) for message in messages)
    edges = [0, *sorted(cut for cut in cuts if cut < len(wire)), len(wire)]
    pieces = [wire[a:b] for a, b in pairwise(edges) if a < b]
    socket = fed([part for piece in pieces for part in ((piece, b"|") if waits else (piece,))])
    found: list[bytes] = []
    for _ in range(len(pieces) + 1):
        found += [message for _, message in socket.read(lambda: 1).messages]
    assert found == expected


def test_a_message_in_fragments_is_one_message_and_a_ping_is_answered() -> None:
    pieces = [
        frame(b"one ", fin=False),
        frame(b"", opcode=9),
        frame(b"message", opcode=0),
        frame(b"PONG"),
        frame(b"two"),
    ]
    socket = fed(pieces)
    assert [message for _, message in socket.read(lambda: 1).messages] == [b"one message", b"two"]


def test_a_flood_on_one_socket_leaves_the_others_their_turn_and_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "TURN_BYTES", 100)
    socket = fed([frame(b"x" * 60) for _ in range(5)])
    counts = []
    while (read := socket.read(lambda: 1)).unfinished:
        counts.append(len(read.messages))
    assert counts == [2, 2]
    assert len(read.messages) == 1


def test_a_message_beyond_any_of_the_venues_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one wrong length takes all memory."""
    monkeypatch.setattr(sockets, "MAX_MESSAGE_BYTES", 1000)
    assert (
        fed([frame(b"x" * 70_000)[:1500]]).read(lambda: 1).closed
        == "a message is larger than any of the venue's"
    )


def test_every_message_is_read_through_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decrypted bytes that wait in TLS's own buffer are invisible to a selector."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is absent: it makes the certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(tmp_path / "cert.pem"))
    messages = [str(n) + "x" * 50_000 for n in range(60)]

    async def serve(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await answer.receive()
        for message in messages:
            await answer.send_str(message)
        await answer.receive()
        return answer

    async def start() -> int:
        app = web.Application()
        app.router.add_get("/ws", serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return int(runner.addresses[0][1])

    loop = asyncio.new_event_loop()
    port = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    socket = connect(f"wss://localhost:{port}/ws", ["1"])
    assert [message.decode() for message in read_all(socket, 60)] == messages
    socket.close()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE_S)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9/ws", "wss://nowhere.invalid/ws", "not an address"])
def test_a_venue_that_cannot_be_reached_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        connect(url, ["1"])


class _Dice:
    """Dice that always show the same share of what is possible."""

    def __init__(self, share: float) -> None:
        self.share = share

    def uniform(self, low: float, high: float) -> float:
        return low + self.share * (high - low)


@pytest.mark.parametrize(
    ("failures", "most"), [(0, 0.25), (1, 0.5), (2, 1.0), (6, 16.0), (7, 30.0), (10_000, 30.0)]
)
def test_pauses_double_up_to_a_ceiling_with_full_jitter(failures: int, most: float) -> None:
    assert [pause_s(failures, _Dice(share)) for share in (0.0, 0.5, 1.0)] == [0, most / 2, most]  # type: ignore[arg-type]
    assert most <= CEILING_S
