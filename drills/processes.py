"""The processes of a drill: the simulator that keeps the truth, and the streamer that is hurt."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import requests

from polymarket_assets import venue
from polymarket_assets.collecting import discovery, healing
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
# Everything a simulator has is near enough to be listened to.
ALL_TIERS = {"STREAM_TIERS": "t0,t1,t2,t3,t4"}
# Longer than anything takes on a busy machine.
PATIENCE_S = 60.0
_LOOK_S = 0.02
# A trade is known to the Data API, and dated, some seconds after the match.
BLOCK = timedelta(seconds=5)
_SAID = re.compile(r"http://127.0.0.1:(\d+)/.*ws://127.0.0.1:(\d+)/.*http://127.0.0.1:(\d+)/")

Found = TypeVar("Found")


def wait_for(look: Callable[[], Found], what: str, within_s: float = PATIENCE_S) -> Found:
    """The first answer that is something. Raises `TimeoutError` that says what did not come about."""
    until = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > until:
            raise TimeoutError(f"{what} did not come about within {within_s:g} s")
        time.sleep(_LOOK_S)
    return found


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def busy(seed: int, rate: float) -> list[str]:
    """The simulator's options for so many messages a second."""
    return ["--seed", str(seed), "--profile", "busy", "--rate", str(rate)]


class Simulator:
    """`python -m simulator serve` on free ports, with a ledger."""

    def __init__(self, folder: Path, options: list[str]) -> None:
        self.ledger = folder / "ledger.jsonl"
        log = folder / "simulator.log"
        command = [
            sys.executable,
            "-m",
            "simulator",
            "serve",
            "--ledger",
            str(self.ledger),
            "--port",
            "0",
            *options,
        ]
        with log.open("w") as output:
            self._process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output)
        said = wait_for(lambda: _SAID.search(log.read_text()) or self._ended(log), "the simulator")
        self.url, self._base = f"ws://127.0.0.1:{said[2]}/ws/market", f"http://127.0.0.1:{said[1]}"
        self._control = f"http://127.0.0.1:{said[3]}"

    @property
    def settings(self) -> Settings:
        """Those of a collector that asks this venue."""
        base = self._base
        return Settings(
            polymarket_gamma_url=f"{base}/gamma", polymarket_clob_url=f"{base}/clob", polymarket_data_url=f"{base}/data",
            min_volume_usd=0.0, rate_share=1.0,
        )  # fmt: skip

    def discover(self, lake: Lake) -> None:
        """Publish what is listed now as `markets`."""
        connected = venue.connect(self.settings)
        try:
            discovery.discover(lake, connected.gamma, self.settings, clock=lambda: datetime.now(UTC))
        finally:
            connected.close()

    def build_trades(self, lake: Lake, span: Span) -> None:
        """Build the hours of `trades`, and so heal from its Data API what was not heard."""
        time.sleep(BLOCK.total_seconds())
        connected = venue.connect(self.settings)
        try:
            for hour in span.hours():
                healing.build_trades(lake, connected.data, hour, clock=lambda: datetime.now(UTC))
        finally:
            connected.close()

    def control(self, method: str, path: str, given: dict[str, Any]) -> Any:
        """Ask something of the control port."""
        answer = requests.request(method, self._control + path, json=given, timeout=PATIENCE_S)
        answer.raise_for_status()
        return answer.json()

    def stop(self) -> None:
        """The ledger is whole afterwards."""
        self._process.terminate()
        self._process.wait(PATIENCE_S)

    def _ended(self, log: Path) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the simulator ended: {log.read_text()}")


@dataclass
class Streamer:
    """`python -m streamer` on a lake and a state folder."""

    lake_root: Path
    state_dir: Path
    url: str
    log: Path
    more: dict[str, str] = field(default_factory=lambda: dict(ALL_TIERS))
    # Put before the command: limits that a process inherits, another user, …
    before: Callable[[], None] | None = None
    process: subprocess.Popen[bytes] | None = None
    port: int = field(default_factory=free_port)

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        own = {
            "LAKE_ROOT": str(self.lake_root), "STATE_DIR": str(self.state_dir), "POLYMARKET_WS_URL": self.url,
            "STREAM_STATUS_PORT": str(self.port), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        return {**os.environ, **own, **self.more}

    def spawn(self, *arguments: str) -> subprocess.Popen[bytes]:
        """One of its commands, begun; what it says goes to the log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "streamer", *arguments], cwd=PROJECT, env=self.environment, stdout=log, stderr=log,
                preexec_fn=self.before,
            )  # fmt: skip

    def start(self) -> None:
        """Begin to record."""
        self.process = self.spawn("run", "--refresh-s", "5")

    def run(self, *arguments: str) -> int:
        """One of its commands to its end; returns the exit code."""
        return self.spawn(*arguments).wait(PATIENCE_S * 5)

    def health(self) -> dict[str, Any]:
        """What it says of itself; nothing while it does not answer."""
        return self.page("health")

    def page(self, name: str) -> dict[str, Any]:
        """One of its pages, also where it says by its status that all is not well; nothing while it does not answer."""
        try:
            return dict(requests.get(f"http://127.0.0.1:{self.port}/{name}", timeout=5).json())
        except requests.RequestException:
            return {}

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def is_hearing(self) -> bool:
        """Whether data came since it was started."""
        return bool(self.health().get("last_data"))

    @property
    def is_recovered(self) -> bool:
        """Whether nothing of earlier sessions is left to publish or to account for."""
        own = self.health().get("session")
        found = [
            path.name
            for path in (self.state_dir / "stream").iterdir()
            if path.is_dir() and not path.name.startswith(".")
        ]
        return own is not None and found == [own]

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    @property
    def resident_mb(self) -> float:
        """Memory of the recording process, MB."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024
