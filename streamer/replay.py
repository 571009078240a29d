"""Captures, heard again: recorded socket messages through the loop that listens to the venue, with exact counts.

A capture is a file of JSON lines, `{"receivedAt", "payloadUtf8"}` or `{"t", "dir", "data"}` (only what was
received counts), or of the messages themselves; a file that is one JSON value is one message. A capture does
not say which outcome a token stands for: the first one heard of a market is taken as canonical.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import websocket

from polymarket_assets.shards import Shard
from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import MalformedPayload, Refused
from polymarket_assets.venue.records import BookFrame, Frame, PriceChangeFrame, UnreadableFrame
from streamer import sessions
from streamer.entries import Heard, Listed
from streamer.keeping import Keeper
from streamer.loop import Loop
from streamer.placing import Plan
from streamer.publisher import Publisher
from streamer.recording import microseconds
from streamer.rounds import wall_us
from streamer.rows import TABLES
from streamer.sockets import MarketSocket

# Sent instants are not always recorded; a capture without them is dated to this.
_UNDATED_US = 0
# A disk that takes longer is none to replay on.
PUBLISHED_WITHIN_S = 60.0


@dataclass(frozen=True)
class Counts:
    """What a capture holds."""

    messages: int
    frames: dict[str, int]
    rows: dict[str, int]


def replay(files: Sequence[Path]) -> Counts:
    """Hear captures one after the other, through the loop that listens to the venue, into a lake that is thrown away.

    Raises:
        Refused: a file is no capture, or nothing was received.
    """
    markets, messages = _markets(files)
    if not messages:
        raise Refused("no message was received in these files: nothing to replay")
    with TemporaryDirectory() as folder:
        return _through_the_loop(Path(folder), files, markets, messages)


def _markets(files: Sequence[Path]) -> tuple[list[Listed], int]:
    """The markets that captures speak of, and how many messages they hold."""
    tokens: dict[str, list[str]] = {}
    messages = 0
    for file in files:
        for heard in _heard(file):
            messages += 1
            _learn(tokens, heard.payload)
    return [Listed(f"pm:{id_}", id_, tuple(known)) for id_, known in tokens.items()], messages


def _through_the_loop(folder: Path, files: Sequence[Path], markets: list[Listed], messages: int) -> Counts:
    from polymarket_assets.lake import reading
    from polymarket_assets.lake.writing import Lake
    from polymarket_assets.settings import load

    stopping, now_us = threading.Event(), wall_us()
    session = sessions.begin(folder, Shard(), datetime.now(UTC))
    lake = Lake(folder / "lake")
    publisher = Publisher(lake, session)
    keeper = Keeper(session, publisher, now_us, stopping)
    ours, theirs = socket.socketpair()
    loop = Loop(
        load(), keeper, stopping, dice=random.Random(0), began_us=now_us, connect=lambda *_: _connected(ours), compares=False
    )  # fmt: skip
    # Without a token there is nothing to subscribe, and yet there is something to hear.
    loop.follow(Plan(((*markets, *_NOBODY),), {}, {}))
    talking = threading.Thread(target=_say, args=(theirs, files), daemon=True)
    talking.start()
    loop.run(lambda: stopping.set() if loop.reconnects else None)
    keeper.end(wall_us())
    publisher.stop(PUBLISHED_WITHIN_S)
    session.lock.release()
    # Our own deafness while nobody spoke is none of the capture's.
    rows = {table: reading.rows(lake, table).num_rows for table in TABLES if table != "stream_gaps"}
    return Counts(messages, dict(+Counter(keeper.recorder.heard)), rows)


_NOBODY = (Listed("pm:nobody", "", ("0",)),)


def _connected(ours: socket.socket) -> MarketSocket:
    ours.setblocking(False)
    ws = websocket.WebSocket(skip_utf8_validation=True, enable_multithread=False)
    ws.sock, ws.connected = ours, True
    return MarketSocket(ws)


def _say(theirs: socket.socket, files: Sequence[Path]) -> None:
    """Thread: the venue's side of the socket, which says what was captured and closes."""
    with theirs:
        for file in files:
            for heard in _heard(file):
                theirs.sendall(_frame(heard.payload))


def _frame(payload: bytes) -> bytes:
    """A text frame as a server sends it (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes([0x81, size]) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def _heard(file: Path) -> Iterator[Heard]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise Refused(f"{file} cannot be read as a capture: {e}") from e
    if _is_one_message(text):
        yield Heard(_UNDATED_US, 0, text.strip().encode())
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield from _of_line(file, number, line)


def _is_one_message(text: str) -> bool:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return False
    return not (isinstance(value, dict) and ("payloadUtf8" in value or "dir" in value))


def _of_line(file: Path, number: int, line: str) -> Iterator[Heard]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as e:
        raise Refused(f"{file}:{number} is no line of a capture: {e}") from e
    if isinstance(found, dict) and "payloadUtf8" in found:
        yield Heard(_at_us(found["receivedAt"]), 0, found["payloadUtf8"].encode())
    elif isinstance(found, dict) and "dir" in found:
        if found["dir"] == "recv":
            yield Heard(_at_us(found["t"]), 0, found["data"].encode())
    else:
        yield Heard(_UNDATED_US, 0, line.encode())


def _at_us(text: str) -> int:
    return microseconds(datetime.fromisoformat(text))


def _learn(tokens: dict[str, list[str]], payload: bytes) -> list[Listed]:
    """Take the tokens that a message shows for the first time; returns their markets, in order of appearance."""
    news = {}
    try:
        found = frames.parse(payload)
    except MalformedPayload:
        return []
    for frame in found:
        for condition_id, token in _tokens(frame):
            known = tokens.setdefault(condition_id, [])
            if token not in known:
                known.append(token)
                news[condition_id] = Listed(f"pm:{condition_id}", condition_id, tuple(known))
    return list(news.values())


def _tokens(frame: Frame) -> list[tuple[str, str]]:
    if isinstance(frame, BookFrame):
        return [(frame.book.condition_id, frame.book.token_id)]
    if isinstance(frame, PriceChangeFrame):
        return [(frame.condition_id, change.token_id) for change in frame.changes]
    if isinstance(frame, UnreadableFrame):
        return []
    token = getattr(frame, "token_id", None)
    return [(str(frame.condition_id), token)] if token else []
