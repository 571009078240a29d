"""Against the simulator, over real sockets: what its ledger says we were handed is what the lake holds."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from polymarket_assets import venue
from polymarket_assets.collecting import discovery
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.streamer.conftest import Streamer
from polymarket_assets_tests.streamer.odd_venue import wait_until

# Handed over in the last moment before the streamer was told to stop: still in the machine's buffers.
IN_FLIGHT = timedelta(seconds=0.5)
# The simulated markets trade about twice a second, together.
TRADES = 12
PATIENCE_S = 60.0


@dataclass
class Simulated:
    """A running simulator."""

    port: int
    socket_port: int
    ledger_file: Path

    @property
    def settings(self) -> Settings:
        base = f"http://127.0.0.1:{self.port}"
        return Settings(
            polymarket_gamma_url=f"{base}/gamma", polymarket_clob_url=f"{base}/clob", polymarket_data_url=f"{base}/data",
            min_volume_usd=0.0, rate_share=1.0,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.socket_port}/ws/market"

    def discover(self, lake: Lake) -> None:
        connected = venue.connect(self.settings)
        try:
            discovery.discover(lake, connected.gamma, self.settings, clock=lambda: datetime.now(UTC))
        finally:
            connected.close()

    def handed(self) -> list[tuple[datetime, tuple[str, str], int]]:
        """Trades that sockets were handed: when, which, and to how many."""
        lines = [
            json.loads(line)
            for line in self.ledger_file.read_text().splitlines(keepends=True)
            if line.endswith("\n")
        ]
        return [
            (datetime.fromisoformat(line["at"]), (line["tx_hash"], line["token_id"]), len(line["sockets"]))
            for line in lines
            if line["kind"] == "trade" and line["sockets"]
        ]


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulated]:
    """The simulator with its usual universe, on free ports."""
    ledger, log = tmp_path / "ledger.jsonl", tmp_path / "simulator.log"
    command = [
        sys.executable,
        "-m",
        "simulator",
        "serve",
        "--seed",
        "7",
        "--ledger",
        str(ledger),
        "--port",
        "0",
    ]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=output)
    try:
        said = wait_until(
            lambda: re.search(r"http://127.0.0.1:(\d+)/.*ws://127.0.0.1:(\d+)/", log.read_text()),
            "the simulator starts",
            60,
        )
        yield Simulated(int(said[1]), int(said[2]), ledger)
    finally:
        process.terminate()
        process.wait(timeout=10)


def heard(streamer: Streamer) -> Counter[tuple[str, str]]:
    rows: list[dict[str, Any]] = streamer.rows("trades_raw")
    return Counter((f"0x{row['tx_hash'].hex()}", row["token_id"]) for row in rows)


def listen(simulated: Simulated, one: Streamer, trades: int) -> None:
    """Look for new markets until so many more trades were handed to us."""
    until = len(simulated.handed()) + trades

    def enough() -> bool:
        simulated.discover(one.lake)
        time.sleep(0.5)
        return len(simulated.handed()) >= until

    wait_until(enough, f"{trades} trades", PATIENCE_S)


@pytest.mark.slow
def test_what_the_ledger_says_we_were_handed_is_what_the_lake_holds(
    simulated: Simulated, lake: Lake, streamer: Callable[..., Streamer]
) -> None:
    simulated.discover(lake)
    one = streamer(simulated.url)
    one.start()
    listen(simulated, one, TRADES)
    ended_at = datetime.now(UTC)
    assert one.stop() == 0
    handed = simulated.handed()
    due = Counter({which: count for at, which, count in handed if at < ended_at - IN_FLIGHT})
    known = Counter({which: count for _, which, count in handed})
    found = heard(one)
    assert not due - found, "handed to us, not in the lake"
    assert not found - known, "in the lake, never handed to us"
    assert one.rows("rejects") == []
    assert len(one.rows("book_changes")) > sum(due.values())
    assert {row["cause"] for row in one.rows("stream_gaps")} <= {"connect", "subscribe"}


@pytest.mark.slow
def test_a_kill_loses_only_what_was_handed_over_while_we_were_dead(
    simulated: Simulated, lake: Lake, streamer: Callable[..., Streamer]
) -> None:
    """Every trade the ledger knows for our sockets is in the lake or lies within a gap."""
    simulated.discover(lake)
    one = streamer(simulated.url)
    one.start()
    listen(simulated, one, TRADES // 2)
    one.stop(signal.SIGKILL)
    one.start()
    listen(simulated, one, TRADES // 2)
    ended_at = datetime.now(UTC)
    one.stop()
    found = heard(one)
    gaps = [(row["from_at"], row["to_at"]) for row in one.rows("stream_gaps")]
    missing = [
        at for at, which, count in simulated.handed() if found[which] < count and at < ended_at - IN_FLIGHT
    ]
    assert [at for at in missing if not any(start <= at <= end for start, end in gaps)] == []
    assert sum(found.values()) >= TRADES // 2
    keys = [(row["session_id"], row["connection"], row["sequence"]) for row in one.rows("trades_raw")]
    assert len(keys) == len(set(keys))
    assert max(found.values()) == 1, "each token is on one socket"
