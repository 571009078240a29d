"""Captures, heard again: recorded socket messages through the real reading and recording, with exact counts.

A capture is a file of JSON lines, `{"receivedAt", "payloadUtf8"}` or `{"t", "dir", "data"}` (only what was
received counts), or of the messages themselves; a file that is one JSON value is one message. A capture does
not say which outcome a token stands for: the first one heard of a market is taken as canonical.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import MalformedPayload, Refused
from polymarket_assets.venue.records import BookFrame, Frame, PriceChangeFrame
from streamer.entries import Heard, Listed
from streamer.recording import Recorder, microseconds

# Sent instants are not always recorded; a capture without them is dated to this.
_UNDATED_US = 0


@dataclass(frozen=True)
class Counts:
    """What a capture holds."""

    messages: int
    frames: dict[str, int]
    rows: dict[str, int]


def replay(files: Iterable[Path]) -> Counts:
    """Hear captures one after the other. Raises `Refused` for a file that is no capture, or where nothing was received."""
    recorder = Recorder("replay")
    messages = 0
    tokens: dict[str, list[str]] = {}
    for file in files:
        for heard in _heard(file):
            messages += 1
            recorder.know(_learn(tokens, heard.payload))
            recorder.hear(heard)
    if not messages:
        raise Refused("no message was received in these files: nothing to replay")
    return Counts(messages, dict(+Counter(recorder.heard)), recorder.rows.counts())


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
    """Markets whose tokens this message shows for the first time, in order of appearance."""
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
    token = getattr(frame, "token_id", None)
    return [(str(frame.condition_id), token)] if token else []
