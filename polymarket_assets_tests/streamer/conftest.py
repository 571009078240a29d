"""What the streamer's tests share: a lake with markets, a venue of our own, and a streamer as a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.streamer.odd_venue import OddVenue, condition, tokens, wait_until

# Nobody answers there: what the streamer asks over REST must not leave the machine.
NOWHERE = "http://127.0.0.1:9"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def market_row(
    n: int, *, received_at: datetime | None = None, ends_in_h: float | None = 0.5, **changed: Any
) -> dict[str, Any]:
    """A row of `markets`: market number `n`, which ends in so many hours."""
    now = datetime.now(UTC)
    return {
        "market_id": f"pm:{condition(n)}", "received_at": received_at or now, "phase": "scheduled", "tier": "t4",
        "effective_close": None if ends_in_h is None else now + timedelta(hours=ends_in_h), "end_source": "end_date",
        "venue": "polymarket", "condition_id": condition(n), "outcomes": ["Yes", "No"], "token_ids": list(tokens(n)),
        "neg_risk": False, "tags": [], "accepting_orders": True, "volume_usd": 1000.0 + n, **changed,
    }  # fmt: skip


def list_markets(lake: Lake, rows: list[dict[str, Any]], part: str = "0") -> None:
    """Publish rows of `markets`, filed as discovery files them."""
    lake.publish_rows("markets", rows, part=part, at=rows[0]["received_at"])


@dataclass
class Streamer:
    """`python -m streamer run` on a lake, with everything of it under a folder."""

    lake: Lake
    state_dir: Path
    url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "LAKE_ROOT": self.lake.root, "STATE_DIR": str(self.state_dir), "POLYMARKET_WS_URL": self.url,
            "STREAM_STATUS_PORT": str(self.port), "POLYMARKET_CLOB_URL": NOWHERE, **self.settings,
        }  # fmt: skip
        return {**os.environ, **own}

    def start(self) -> None:
        self.log = (self.state_dir.parent / "streamer.log").open("a+")
        command = [sys.executable, "-m", "streamer", "run", "--refresh-s", "0.2"]
        self.process = subprocess.Popen(
            command, env=self.environment, cwd=PROJECT, stderr=self.log, text=True
        )
        wait_until(self._answers, f"the streamer answers; its log: {self.said}")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "streamer", *arguments]
        return subprocess.run(
            command, env=self.environment, cwd=PROJECT, capture_output=True, text=True, timeout=60
        )

    def health(self) -> dict[str, Any]:
        with urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
            return json.load(answer)

    def wait_for_books(self, count: int) -> None:
        def served() -> bool:
            of_tokens = self.health()["tokens"]
            return of_tokens["subscribed"] == count and not of_tokens["without_book"]

        wait_until(served, f"{count} tokens have their book")

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    @property
    def said(self) -> str:
        return (self.state_dir.parent / "streamer.log").read_text()

    def rows(self, table: str) -> list[dict[str, Any]]:
        return reading.rows(self.lake, table).to_pylist()

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the streamer ended: {self.said}")
        try:
            return self.health()["status"] != "starting"
        except OSError:
            return False


@pytest.fixture
def odd_venue() -> Iterator[OddVenue]:
    """A venue that does what the test says."""
    with OddVenue() as venue:
        yield venue


@pytest.fixture
def streamer(lake: Lake, tmp_path: Path) -> Iterator[Callable[..., Streamer]]:
    """Makes streamers on the test's lake and state; whatever still runs at the end is killed."""
    made: list[Streamer] = []

    def make(url: str, **settings: str) -> Streamer:
        made.append(Streamer(lake, tmp_path / "state", url, settings))
        return made[-1]

    yield make
    for one in made:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()
