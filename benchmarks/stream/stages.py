"""`python -m benchmarks.stream.stages`: what each step of the streamer costs alone, as microseconds a message.

Steps are called in a process of their own, warm and in one piece, so that they cost a little less here than between
others. They are the streamer's functions as they are named today: one that was renamed is told as such,
and the others are measured all the same.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.stream.books import Said, condition, tokens
from benchmarks.stream.traffic import traffic

MARKETS, MESSAGES = 500, 60_000
# What a round of the loop brings when there is much to hear.
AT_ONCE = 100
ROUNDS = 3


def unframed(said: Said) -> list[bytes]:
    """The messages of what was said, as a reader of frames gives them."""
    found, payload, at = [], said.payload, 0
    while at < len(payload):
        size = payload[at + 1]
        wide = {126: 2, 127: 8}.get(size, 0)
        if wide:
            size = int.from_bytes(payload[at + 2 : at + 2 + wide])
        at += 2 + wide
        found.append(payload[at : at + size])
        at += size
    return found


def decoding(messages: list[bytes]) -> None:
    """Typed JSON into structs."""
    from benchmarks.stream.bare import decode

    for message in messages:
        decode(message)


def parsing(messages: list[bytes]) -> None:
    """JSON into the venue layer's frames: numbers, identities and instants are read."""
    from polymarket_assets.venue import frames

    for message in messages:
        frames.parse(message)


def recording(messages: list[bytes]) -> Any:
    """Parsing, and rows of the frames."""
    from streamer.entries import Heard, Listed
    from streamer.recording import Recorder

    recorder = Recorder("bench")
    recorder.know([Listed(f"pm:{condition(n)}", condition(n), tokens(n)) for n in range(MARKETS)])
    for at, message in enumerate(messages):
        recorder.hear(Heard(1_793_000_000_000_000 + 100 * at, 0, message))
    return recorder.take()


def journalling(messages: list[bytes]) -> None:
    """Records with length and checksum, to the operating system."""
    from streamer.entries import Heard, encode
    from streamer.journal import Segment

    with tempfile.TemporaryDirectory() as folder:
        segment = Segment(Path(folder), 1, datetime.now(UTC))
        for at in range(0, len(messages), AT_ONCE):
            segment.append([encode(Heard(0, 0, message)) for message in messages[at : at + AT_ONCE]])
        segment.close()


def publishing(rows: Any) -> Callable[[list[bytes]], None]:
    """Rows into Arrow, and Arrow into part files of the lake."""
    from polymarket_assets.lake.writing import Lake
    from streamer.publishing import publish

    def call(_: list[bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            segment = Path(folder) / "000001-20261102T13.journal"
            segment.touch()
            publish(Lake(Path(folder) / "lake"), "bench", segment, rows)

    return call


STAGES: dict[str, Callable[[list[bytes]], object]] = {
    "typed decode (msgspec)": decoding,
    "parse (venue.frames)": parsing,
    "parse and record (Recorder.hear)": recording,
    "journal (Segment.append, close)": journalling,
    "publish (Arrow, Parquet, rename)": lambda messages: publishing(recording(messages))(messages),
}
# Stages that contain another one: its time is taken off.
CONTAINS = {"publish (Arrow, Parquet, rename)": "parse and record (Recorder.hear)"}


def main() -> None:
    """Print microseconds of CPU a message by stage, or why a stage could not be measured, as JSON."""
    messages = [message for said in traffic(MARKETS, MESSAGES).said for message in unframed(said)]
    found: dict[str, float | str] = {}
    for name, stage in STAGES.items():
        try:
            found[name] = min(_took(stage, messages) for _ in range(ROUNDS)) / len(messages) * 1e6
        except (ImportError, AttributeError, TypeError) as e:
            found[name] = f"not measured, its functions have changed: {e}"
    for name, part in CONTAINS.items():
        whole, less = found[name], found[part]
        if isinstance(whole, float) and isinstance(less, float):
            found[name] = whole - less
    print(json.dumps(found))


def _took(stage: Callable[[list[bytes]], object], messages: list[bytes]) -> float:
    began = time.process_time()
    stage(messages)
    return time.process_time() - began


if __name__ == "__main__":
    main()
