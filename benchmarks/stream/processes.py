"""Processes that are measured, and the venue they listen to: each on a core of its own where there are two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.rows import Failed

PROJECT = Path(__file__).parents[2]
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# A run that takes longer than this is broken, not slow.
LONGEST_S = 1200.0
# The process is asked this often whether it is ready.
LOOK_S = 0.1


def cores() -> tuple[int | None, int | None]:
    """A core for the venue and one for who is measured; None: they share what there is."""
    usable = sorted(os.sched_getaffinity(0))
    return (usable[0], usable[-1]) if len(usable) > 1 else (None, None)


def wait_until(holds: Callable[[], Any], what: str, seconds: float) -> Any:
    """Wait until something holds. Raises `Failed`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(LOOK_S)
    raise Failed(f"waited {seconds:.0f} s in vain: {what}")


class VenueProcess:
    """The venue as a process. Its commands are in `benchmarks.stream.venue`."""

    def __init__(self, markets: int, messages: int) -> None:
        core = cores()[0]
        command = [sys.executable, "-m", "benchmarks.stream.venue", "--markets", str(markets), "--messages", str(messages)]  # fmt: skip
        self.markets, self.messages = markets, messages
        self._process = subprocess.Popen(
            [*command, *(["--core", str(core)] if core is not None else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT, text=True,
        )  # fmt: skip
        self.port = int(self._heard("listening")["port"])

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/market"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(LONGEST_S)

    def status(self) -> dict[str, Any]:
        self._tell(do="status")
        return self._heard("status")

    def wait_for(self, sockets: int, tokens: int, seconds: float = 60.0) -> None:
        """Until so many sockets have subscribed so many tokens, and have taken their first books. Raises `Failed`."""

        def listening() -> bool:
            now = self.status()
            return (now["sockets"], now["tokens"], now["quiet"]) == (sockets, tokens, True)

        wait_until(listening, f"{sockets} sockets with {tokens} tokens at the venue", seconds)

    def wait_empty(self) -> None:
        """Until nobody listens any more, and forget them."""
        wait_until(lambda: not self.status()["sockets"], "everybody has left the venue", 30.0)
        self._tell(do="forget")

    def hum(self, every_s: float) -> None:
        """Say a book on each socket now and then: sockets that hear nothing are given up."""
        self._tell(do="hum", every_s=every_s)

    def go(self, messages: int, rate: float | None = None) -> None:
        """Begin to speak; `done` returns when everybody has heard everything."""
        self._tell(do="go", messages=messages, rate=rate)

    def done(self) -> dict[str, Any]:
        """What was said. Raises `Failed`: a connection was lost, so nobody knows what it heard."""
        told = self._heard("done")
        if told["lost"] or told["asked_twice"]:
            raise Failed(f"{told['lost']} connections were lost and {told['asked_twice']} tokens asked for again: the counts mean nothing")  # fmt: skip
        return told

    def _tell(self, **command: Any) -> None:
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)

    def _heard(self, event: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Failed("the venue ended")
        told: dict[str, Any] = json.loads(line)
        if told["event"] != event:
            raise Failed(f"the venue says {told['event']} where {event} was expected")
        return told


class Measured:
    """A process on the other core; CPU seconds are those of all its threads, not of its children."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None, log: Path | None = None) -> None:  # fmt: skip
        core = cores()[1]
        self._log = log
        self._error = log.open("a") if log is not None else None
        self.began_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *command], cwd=PROJECT, env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._error, text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if core is not None else None,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu_s(self) -> float:
        """User and system time so far; also of a process that has just ended and was not waited for."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * _TICK_S

    def resident_mb(self) -> float:
        """Memory it occupies now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 2**20

    def stop(self, number: int) -> float:
        """Send a signal, wait for the end; returns all the CPU seconds it ever took. Raises `Failed`."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> float:
        """Wait for the end; returns all the CPU seconds it ever took. Raises `Failed`."""
        deadline = time.monotonic() + LONGEST_S
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() > deadline:
                self.process.kill()
                raise Failed("a measured process does not end")
            time.sleep(0.02)
        took = self.cpu_s()
        if self.process.wait() != 0:
            raise Failed(f"a measured process ended with {self.process.returncode}: {self.said[-3000:]}")
        return took

    @property
    def said(self) -> str:
        return self._log.read_text() if self._log is not None else ""

    def kill(self) -> None:
        """Nothing of it may outlive a failed measurement."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._error is not None:
            self._error.close()
