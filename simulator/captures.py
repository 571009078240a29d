"""Recorded socket sessions, played to whoever subscribes: the same text, at the pace it was received at."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from simulator.ledger import Ledger
from simulator.recordings import NothingRecorded

# Single frames were recorded without a time: one follows the other so soon.
BETWEEN_SINGLES_S = 0.05
# Our own answers are not played back: we answer each PING ourselves.
_OURS = ("PONG",)


@dataclass(frozen=True)
class Capture:
    """One file: texts, each with seconds since the one before."""

    name: str
    began: float
    frames: tuple[tuple[float, str], ...]


def find(folder: Path) -> list[Capture]:
    """The captures under `folder/ws`, sessions in order of recording, single frames after them. Raises `NothingRecorded`."""
    files = sorted((folder / "ws").glob("**/*.json*"))
    found = [_session(file) if file.suffix == ".jsonl" else _single(file) for file in files]
    return sorted((c for c in found if c.frames), key=lambda capture: (capture.began, capture.name))


def _single(file: Path) -> Capture:
    return Capture(file.name, float("inf"), ((BETWEEN_SINGLES_S, file.read_text().strip("\n")),))


def _session(file: Path) -> Capture:
    try:
        rows = [msgspec.json.decode(line) for line in file.read_bytes().splitlines() if line.strip()]
        received = [pair for row in rows if (pair := _received(row)) is not None]
    except (msgspec.DecodeError, KeyError, ValueError) as e:
        raise NothingRecorded(f"{file} is no capture of a socket ({e!r}): mend or remove it") from e
    heard = [pair for pair in received if pair[1] not in _OURS]
    begins = [heard[0][0]] + [at for at, _ in heard] if heard else []
    frames = tuple((max(0.0, at - before), text) for before, (at, text) in zip(begins, heard, strict=False))
    return Capture(file.name, begins[0] if begins else 0.0, frames)


def _received(row: dict[str, str]) -> tuple[float, str] | None:
    """When and what was received; both known forms of a line."""
    if "payloadUtf8" in row:
        return datetime.fromisoformat(row["receivedAt"]).timestamp(), row["payloadUtf8"]
    if row["dir"] == "recv":
        return datetime.fromisoformat(row["t"]).timestamp(), row["data"]
    return None


class Player:
    """Serves captures on `/ws/market`."""

    def __init__(self, captures: list[Capture], ledger: Ledger, speed: float) -> None:
        if speed <= 0:
            raise ValueError(f"--speed {speed:g} is no speed: give a number above 0")
        self._captures, self._ledger, self._speed = captures, ledger, speed
        self._numbers = itertools.count(1)
        self.sockets: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Play everything once, from the first subscription on."""
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        number, playing = next(self._numbers), None
        self.sockets.add(ws)
        self._ledger.write("open", socket=number)
        try:
            async for message in ws:
                if message.type is not WSMsgType.TEXT:
                    continue
                if message.data == "PING":
                    await ws.send_str("PONG")
                elif playing is None:
                    playing = asyncio.create_task(self._play(ws, number))
        finally:
            if playing is not None:
                playing.cancel()
            self.sockets.discard(ws)
            self._ledger.write("close", socket=number, code=ws.close_code)
        return ws

    async def _play(self, ws: web.WebSocketResponse, number: int) -> None:
        for capture in self._captures:
            for pause, text in capture.frames:
                await asyncio.sleep(pause / self._speed)
                await ws.send_str(text)
                self._ledger.write("frames", type="replayed", capture=capture.name, count=1, sockets=[number])

    async def close_all(self) -> None:
        """Going away."""
        await asyncio.gather(*(ws.close(code=1001) for ws in list(self.sockets)))
