"""Faults by a timed script: JSON lines of `{"after_s": 10, "fault": "freeze_socket", "for_s": 30, …}`, read whole before anything is served."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from simulator.faults.board import Board, fitting
from simulator.faults.parameters import Parameters, Unfit


@dataclass(frozen=True)
class Line:
    """A fault, and how long after the start it begins."""

    after_s: float
    fault: str
    given: Parameters


def read(file: Path) -> list[Line]:
    """The lines of a script in order of time; blank ones are let off. Raises `Unfit` with the number of a line that does not fit."""
    found = []
    for number, text in enumerate(file.read_bytes().splitlines(), 1):
        if not text.strip():
            continue
        try:
            found.append(_line(text))
        except (msgspec.MsgspecError, Unfit) as e:
            raise Unfit(f"{file} line {number}: {e}") from e
    return sorted(found, key=lambda line: line.after_s)


def _line(text: bytes) -> Line:
    said: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    after_s, fault = said.pop("after_s", None), said.pop("fault", None)
    if isinstance(after_s, bool) or not isinstance(after_s, int | float) or after_s < 0:
        raise Unfit("after_s is missing or no number of seconds")
    if not isinstance(fault, str):
        raise Unfit("fault is missing: name one")
    return Line(float(after_s), fault, fitting(fault, said))


async def follow(script: Sequence[Line], board: Board) -> None:
    """Begin each fault at its time, counted from now; ends only with the venue."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for line in script:
        await asyncio.sleep(start + line.after_s - loop.time())
        board.begin(line.fault, line.given)
    await asyncio.Event().wait()
