"""One run of who is measured: it connects, everything is said to it, it ends; what it took and whether all of it arrived."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.rows import Failed
from benchmarks.stream.lake import listing, recorded
from benchmarks.stream.processes import PROJECT, Measured, VenueProcess, wait_until
from polymarket_assets.lake.writing import Lake

# Connecting is staggered: two hundred sockets take ten seconds.
CONNECTED_S = 180.0
# What has been said is heard within this time after the last byte was taken, or something is wrong.
HEARD_S = 30.0
# A process that takes less than this between two looks is idle.
IDLE_S, LOOK_S = 0.02, 0.5
# A port of which nobody listens.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Load:
    """How a run is loaded; without `rate` as fast as messages are taken."""

    sockets: int
    messages: int
    rate: float | None = None


@dataclass
class Ran:
    """What a run took, from the first message to the last row."""

    load: Load
    messages: int
    cpu_s: float
    wall_s: float
    told: dict[str, Any]
    # Memory at instants since the first message, where it was sampled.
    resident_mb: list[tuple[float, float]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Messages for each CPU second."""
        return self.messages / self.cpu_s


def bare(venue: VenueProcess, load: Load, reader: str = "ours") -> Ran:
    """Receive and decode, nothing else. Raises `Failed`."""
    return _listener("benchmarks.stream.bare", venue, load, "--reader", reader)


def naive(venue: VenueProcess, load: Load) -> Ran:
    """The recorder of an afternoon. Raises `Failed`."""
    with tempfile.TemporaryDirectory() as folder:
        return _listener("benchmarks.stream.naive", venue, load, folder)


def _listener(module: str, venue: VenueProcess, load: Load, *more: str) -> Ran:
    command = ["-m", module, venue.url, str(venue.markets), str(load.sockets), *more]
    one = Measured(command)
    try:
        assert one.process.stdout is not None
        one.process.stdout.readline()
        venue.wait_for(load.sockets, 2 * venue.markets)
        before = _settled(one)
        venue.go(load.messages, load.rate)
        told = venue.done()
        wall_s = _taken(venue) - told["began_at"]
        _settled(one)
        took = one.stop(signal.SIGTERM) - before
        heard = int(one.process.stdout.readline())
        if heard != told["told"]["messages"] + told["first_messages"]:
            raise Failed(f"{module} heard {heard} messages of {told['told']['messages']}")
        venue.wait_empty()
        return Ran(load, told["told"]["messages"], took, wall_s, told)
    finally:
        one.kill()


def _settled(one: Measured) -> float:
    """CPU seconds once a process has nothing more to do but to look at its clock."""
    last = -1.0
    while (now := one.cpu_s()) - last > IDLE_S:
        last = now
        time.sleep(LOOK_S)
    return now


def _taken(venue: VenueProcess) -> float:
    """Until nothing lies in a socket's buffer any more; returns that instant. Raises `Failed`."""
    wait_until(lambda: not _queued(venue.port), "everything said is taken from the sockets", HEARD_S)
    return time.monotonic()


def _queued(port: int) -> bool:
    """Whether bytes from or to a port wait to be sent or read, as the kernel tells."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = {int(end.split(":")[1], 16) for end in fields[1:3]}
        if port in ports and fields[4] != "00000000:00000000":
            return True
    return False


@dataclass
class Recording:
    """A streamer that listens to everything the venue has."""

    process: Measured
    lake: Lake
    state_dir: Path
    port: int
    environment: dict[str, str]

    def health(self) -> dict[str, Any]:
        """What it says of itself; `{}` where it does not answer yet."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=30) as answer:
                told: dict[str, Any] = json.load(answer)
                return told
        except OSError:
            return {}

    def seal(self) -> None:
        """Have everything heard so far published and sealed. Raises `Failed`."""
        command = [sys.executable, "-m", "streamer", "seal", "--until", "now"]
        done = subprocess.run(command, cwd=PROJECT, env={**os.environ, **self.environment}, capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            raise Failed(f"the hour cannot be sealed: {done.stderr[-500:]}")

    def serves(self, tokens: int) -> bool:
        """Whether so many tokens are subscribed and each has its first book."""
        if self.process.process.poll() is not None:
            raise Failed(f"the streamer ended: {self.process.said[-500:]}")
        held = self.health().get("tokens", {})
        return bool(held) and (held["subscribed"], held["without_book"]) == (tokens, 0)


@contextmanager
def streaming(venue: VenueProcess, sockets: int, *, launcher: tuple[str, ...] = ("-m", "streamer", "run")) -> Iterator[Recording]:  # fmt: skip
    """A streamer on a lake of its own that lists the venue's markets."""
    with tempfile.TemporaryDirectory(prefix="stream-") as folder:
        root = Path(folder)
        lake = listing(root / "lake", venue.markets)
        port = _free_port()
        environment = {
            "LAKE_ROOT": str(root / "lake"), "STATE_DIR": str(root / "state"), "POLYMARKET_WS_URL": venue.url,
            "STREAM_STATUS_PORT": str(port), "STREAM_MAX_CONNECTIONS": str(sockets), "STREAM_TIERS": "t2,t3,t4",
            "STREAM_MAX_TOKENS_PER_CONNECTION": str(-(-2 * venue.markets // sockets)),
            # Whatever it asks over HTTP nobody answers: a benchmark never calls the real venue.
            **{f"POLYMARKET_{name}_URL": NOWHERE for name in ("CLOB", "GAMMA", "DATA")},
        }  # fmt: skip
        process = Measured(launcher, environment, root / "streamer.log")
        try:
            yield Recording(process, lake, root / "state", port, environment)
        finally:
            process.kill()


def streamer(
    venue: VenueProcess,
    load: Load,
    *,
    beforehand: Callable[[Recording], None] | None = None,
    afterwards: Callable[[Recording], None] | None = None,
    launcher: tuple[str, ...] = ("-m", "streamer", "run"),
) -> Ran:
    """The streamer, whole; its CPU runs until the last row is published and the process has ended.

    Raises:
        Failed: a message, a row or a connection is missing.
    """
    with streaming(venue, load.sockets, launcher=launcher) as one:
        tokens = 2 * venue.markets
        wait_until(lambda: one.serves(tokens), f"{tokens} tokens are served", CONNECTED_S)
        venue.wait_for(load.sockets, tokens)
        # First books are work of the start: their rows are published before the clock begins.
        one.seal()
        if beforehand is not None:
            beforehand(one)
        before = _settled(one.process)
        venue.go(load.messages, load.rate)
        with _sampling(one.process) as samples:
            told = venue.done()
            wall_s = _taken(venue) - told["began_at"]
        _settled(one.process)
        took = one.process.stop(signal.SIGTERM) - before
        _complete(one.lake, told)
        if afterwards is not None:
            afterwards(one)
        venue.wait_empty()
        return Ran(load, told["told"]["messages"], took, wall_s, told, samples)


def _complete(lake: Lake, told: dict[str, Any]) -> None:
    """Everything said is in the lake, once. Raises `Failed`."""
    said = told["told"]
    wanted = {
        "changes": said["changes"],
        "levels": said["levels"] + told["first_levels"],
        "trades": said["trades"],
        "rejects": 0,
    }
    found = recorded(lake)
    if found != wanted:
        raise Failed(f"the lake holds {found}, the venue said {wanted}")


@contextmanager
def _sampling(process: Measured) -> Iterator[list[tuple[float, float]]]:
    """Memory of a process, twice a second, as seconds and MB."""
    samples: list[tuple[float, float]] = []
    over = threading.Event()
    began_at = time.monotonic()

    def sample() -> None:
        while not over.wait(LOOK_S):
            samples.append((time.monotonic() - began_at, process.resident_mb()))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
