"""One market socket, in a form that a selector loop can read: everything that has come, never waiting.

`websocket-client` makes the connection and speaks the protocol. Its frame reader is fed from bytes that we
take from the socket in large pieces, because by itself it asks the operating system three times a frame,
and what lay in its own or in TLS's buffers would be invisible to the selector. Whole text frames of ordinary
size, which nearly all are, are cut out of those bytes before it sees them: that costs a fifth.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.cookies import CookieError
from itertools import islice
from typing import Any

import websocket

from polymarket_assets.masking import masked
from polymarket_assets.venue.errors import Unavailable, printable

# Each piece of TCP, TLS and the upgrade; and what a blocking send of subscriptions may take.
CONNECT_TIMEOUT_S = 10.0
# All of the upgrade: one that drips in would hold one of the few threads that dial for ever.
HANDSHAKE_WITHIN_S = 30.0
# What is told of an answer that was no upgrade, or of a good-bye.
TOLD_CHARACTERS = 300
# One subscribe frame of thousands of ids is answered by a close (PROTOCOL 8.5).
IDS_A_FRAME = 100
# Most bytes taken from a socket before the others get their turn.
TURN_BYTES = 1024 * 1024
PIECE_BYTES = 64 * 1024
# A dump of 100 books of 2,000 levels is 8 MB; a longer message is not the venue speaking.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
# Named, because the venue's edge refuses anonymous clients.
USER_AGENT = "polymarket-assets-streamer/0.1"

_PONG = b"PONG"
_TOO_LONG = "a message is larger than any of the venue's"
# The first byte of a text frame that is a whole message, and the second of one whose length follows in two bytes.
_TEXT, _LONG = 0x81, 126


class _Starved(Exception):
    """The rest of a frame has not come yet."""


@dataclass(slots=True)
class Read:
    """What one turn brought: text messages with the instant they were taken, and whether the socket is over."""

    messages: list[tuple[int, bytes]] = field(default_factory=list)
    closed: str | None = None
    # PING was answered.
    pong: bool = False
    # There may be more that no selector tells of.
    unfinished: bool = False


class MarketSocket:
    """A connected, subscribed, non-blocking socket."""

    def __init__(self, connected: Any) -> None:
        self._ws = connected
        self._inbox, self._at = b"", 0
        # The library holds a part of a frame, and must have the rest.
        self._midway = False
        # TLS hands out a record at a time and may hold more; a plain socket that gives less than asked is empty.
        self._gives_in_parts = isinstance(self._ws.sock, ssl.SSLSocket)
        self._ws.frame_buffer = websocket.frame_buffer(self._take, skip_utf8_validation=True)
        self._ws.cont_frame = _Fragments(False, skip_utf8_validation=True)

    def fileno(self) -> int:
        """For the selector."""
        return int(self._ws.fileno())

    def read(self, clock_us: Callable[[], int]) -> Read:
        """Everything that has come, up to `TURN_BYTES`; PONG is left out, since it says nothing of data."""
        read, taken = Read(), 0
        try:
            while taken < TURN_BYTES:
                piece = self._ws.sock.recv(PIECE_BYTES)
                at_us = clock_us()
                if not piece:
                    read.closed = "the connection was closed without a word"
                    return read
                taken += len(piece)
                self._inbox, self._at = self._inbox[self._at :] + piece, 0
                for message in self._messages():
                    if message == _PONG:
                        read.pong = True
                    else:
                        read.messages.append((at_us, message))
                if len(piece) < PIECE_BYTES and not self._gives_in_parts:
                    return read
            read.unfinished = True
        # Of a plain socket and of TLS: all has been read.
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except _Closed as e:
            read.closed = str(e)
        except (OSError, websocket.WebSocketException) as e:
            read.closed = f"{type(e).__name__}: {e}"
        return read

    def _messages(self) -> Iterator[bytes]:
        """The whole messages in the inbox; what is left of it stays there, or with the library."""
        while True:
            while not self._midway and (span := _text_frame(self._inbox, self._at)) is not None:
                start, end = span
                if end > len(self._inbox):
                    return
                self._at = end
                yield self._inbox[start:end]
            if self._at == len(self._inbox):
                return
            message = self._other()
            if message is None:
                return
            yield message

    def _other(self) -> bytes | None:
        """The next message by way of the library; None where the rest of it has not come. Raises `_Closed`."""
        try:
            self._midway = True
            opcode, frame = self._ws.recv_data_frame()
            self._midway = False
        except _Starved:
            if (self._ws.frame_buffer.length or 0) > MAX_MESSAGE_BYTES:
                raise _Closed(_TOO_LONG) from None
            return None
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            raise _Closed(_closing(frame.data))
        return bytes(frame.data)

    def _take(self, count: int) -> bytes:
        """For the frame reader: up to `count` bytes of the inbox."""
        taken = self._inbox[self._at : self._at + count]
        if not taken:
            raise _Starved
        self._at += len(taken)
        return taken

    def ping(self) -> None:
        """The text PING that keeps the venue from closing. Raises `Unavailable`: the socket is lost."""
        self._send("PING")

    def subscribe(self, token_ids: Iterable[str]) -> None:
        """Subscribe more tokens. Raises `Unavailable`."""
        for message in operations("subscribe", token_ids):
            self._send(message)

    def unsubscribe(self, token_ids: Iterable[str]) -> None:
        """Give tokens up. Raises `Unavailable`."""
        for message in operations("unsubscribe", token_ids):
            self._send(message)

    def close(self) -> None:
        """Say good-bye where the socket still takes it, and drop it."""
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._ws.send_close()
        self._ws.shutdown()

    def _send(self, message: str) -> None:
        try:
            self._ws.send(message)
        except (OSError, websocket.WebSocketException) as e:
            # Part of a frame may be out: nothing sensible can follow it on this socket.
            raise Unavailable(f"it takes no more messages ({e})") from e


class _Closed(Exception):
    """The other side ended the connection, or must be ended."""


class _Fragments(websocket.continuous_frame):
    """A message in fragments: gathered in place, where the library copies all of it for each, and bounded, which it is not there."""

    def add(self, frame: Any) -> None:
        if self.cont_data is None:
            super().add(frame)
            self.cont_data = [frame.opcode, bytearray(frame.data)]
            return
        self.cont_data[1] += frame.data
        if len(self.cont_data[1]) > MAX_MESSAGE_BYTES:
            raise _Closed(_TOO_LONG)
        if frame.fin:
            self.recving_frames = None


def connect(url: str, token_ids: Iterable[str]) -> MarketSocket:
    """Connect and subscribe, blocking: the loop has this done in a thread, since names and handshakes take time.

    Raises:
        Unavailable: the venue cannot be reached or does not take the subscription.
    """
    ws: Any = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    try:
        with _hung_up_after(HANDSHAKE_WITHIN_S, ws):
            # Where else to ask is for the settings to say, not for whoever answers.
            ws.connect(url, timeout=CONNECT_TIMEOUT_S, redirect_limit=0, header=[f"User-Agent: {USER_AGENT}"])
    # Cookies that cannot be read are the library's own kind of error.
    except (OSError, websocket.WebSocketException, ValueError, CookieError) as e:
        raise Unavailable(f"{masked(url)} cannot be reached: {printable(str(e), TOLD_CHARACTERS)}") from e
    connected = MarketSocket(ws)
    try:
        for message in subscription(token_ids):
            connected._send(message)
    except Unavailable:
        ws.shutdown()
        raise
    ws.settimeout(0)
    return connected


@contextlib.contextmanager
def _hung_up_after(seconds: float, ws: Any) -> Iterator[None]:
    """A socket that is shut down, so that whoever reads it is told of its end, unless the block is over before."""

    def hang_up() -> None:
        with contextlib.suppress(OSError, AttributeError):
            ws.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def subscription(token_ids: Iterable[str]) -> Iterator[str]:
    """The frames that open a connection's subscriptions: the initial form once, then increments."""
    ids = list(token_ids)
    yield json.dumps({"assets_ids": ids[:IDS_A_FRAME], "type": "market", "custom_feature_enabled": True})
    yield from operations("subscribe", ids[IDS_A_FRAME:])


def operations(operation: str, token_ids: Iterable[str]) -> Iterator[str]:
    """Frames of at most `IDS_A_FRAME` ids. Each carries the feature flag: one without it would switch it off."""
    ids = iter(token_ids)
    while chunk := list(islice(ids, IDS_A_FRAME)):
        yield json.dumps({"operation": operation, "assets_ids": chunk, "custom_feature_enabled": True})


def _text_frame(inbox: bytes, at: int) -> tuple[int, int] | None:
    """Where the payload of the text frame at `at` lies (its end may be yet to come); None: it is of another kind, or too short to tell."""
    if len(inbox) - at < 4 or inbox[at] != _TEXT:
        return None
    length = inbox[at + 1]
    if length < _LONG:
        return at + 2, at + 2 + length
    if length == _LONG:
        return at + 4, at + 4 + (inbox[at + 2] << 8 | inbox[at + 3])
    return None


def _closing(data: bytes) -> str:
    """What a close frame says."""
    if len(data) < 2:
        return "closed by the venue"
    (code,) = struct.unpack("!H", data[:2])
    return f"closed by the venue: {code} {printable(data[2:].decode(errors='replace'), TOLD_CHARACTERS)}".rstrip()
