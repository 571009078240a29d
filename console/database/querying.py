"""SQL: one SELECT, answered by a process of its own, which is killed when its time is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.database import answering, gate
from console.database.asked import bounds
from console.place import Place
from polymarket_assets.lake.objects import is_object
from polymarket_assets.venue.errors import Refused, Unavailable

WITHIN_S = 10.0
MOST_ROWS = 10_000
# Each has a processor, and its memory.
_AT_ONCE = 2
# Who waits holds a thread that pages are made by: few, and briefly.
_WAITING, _WAIT_S = 2, 2.0
_running = threading.BoundedSemaphore(_AT_ONCE)
_waiting = threading.BoundedSemaphore(_AT_ONCE + _WAITING)
# The credentials of an object store are read there by the SDK; nothing of the environment can be read from SQL.
_KEPT = ("AWS_", "PATH", "LANG", "TZ", "STATE_DIR", "TMPDIR")


@dataclass(frozen=True)
class ColumnOf:
    """A column of a result, with its type in DuckDB's words."""

    name: str
    type: str


@dataclass(frozen=True)
class Answer:
    """Rows in the order of the columns. `truncated`: there are more, and they were not looked at. `ms`: what DuckDB took, and all in all."""

    columns: list[ColumnOf]
    rows: list[list[Any]]
    truncated: bool
    ms: float
    total_ms: float


def answer(
    place: Place, sql: str, *, limit: int = 1_000, since: str | None = None, until: str | None = None
) -> Answer:
    """What a SELECT gives, of files of a span where both its bounds are named.

    Raises:
        Refused: it is no single SELECT, names what is not there, fails, or takes more time or memory than it may.
        Unavailable: others are being answered.
    """
    if not sql.strip():
        raise Refused("there is no query: ask one SELECT, such as `select * from trades limit 10`")
    if len(sql) > gate.MOST_CHARACTERS:
        raise Refused(f"a query has {gate.MOST_CHARACTERS:,} characters at the most")
    start, end = bounds(since, until)
    asked = {"root": place.lake().root, "sql": sql, "limit": limit, "from": _text(start), "to": _text(end)}
    began = time.perf_counter()
    with _turn():
        said = _answered(asked)
    if "said" in said:
        raise (Unavailable if said["kind"] == "unavailable" else Refused)(said["said"])
    columns = [ColumnOf(**column) for column in said["columns"]]
    return Answer(columns, said["rows"], said["truncated"], said["ms"], round(1000 * (time.perf_counter() - began), 1))  # fmt: skip


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@contextmanager
def _turn() -> Iterator[None]:
    if not _waiting.acquire(blocking=False):
        raise Unavailable("other queries are being answered; ask again in a moment")
    try:
        if not _running.acquire(timeout=_WAIT_S):
            raise Unavailable("other queries are being answered; ask again in a moment")
        try:
            yield
        finally:
            _running.release()
    finally:
        _waiting.release()


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", answering.__name__]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=_environment(str(asked["root"])), start_new_session=True,
    )  # fmt: skip
    try:
        told, _ = process.communicate(json.dumps(asked).encode(), timeout=WITHIN_S)
    except subprocess.TimeoutExpired as e:
        raise Refused(f"the query took longer than the {WITHIN_S:g} seconds it may have: read less, or a shorter span with from and to") from e  # fmt: skip
    finally:
        _kill(process)
    return _read(told, process.returncode)


def _read(told: bytes, status: int) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(told)
    except ValueError as e:
        raise Refused(f"the query took more memory than the {answering.MEMORY} it may have, and its process ended ({status}): read less") from e  # fmt: skip
    return read


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Whatever it is doing, and what it may have begun; its pipes are closed."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _environment(root: str) -> dict[str, str]:
    kept = _KEPT if is_object(root) else _KEPT[1:]
    found = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    return {**found, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1"}  # fmt: skip
