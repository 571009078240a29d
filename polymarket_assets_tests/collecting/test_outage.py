"""An outage of the WebSocket alone, over real sockets: the hour's trades are the ledger's, none lost and none doubled."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import simulator
from polymarket_assets import venue
from polymarket_assets.collecting import comparing, discovery, healing, trade_hours
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets_tests.streamer.conftest import Streamer
from simulator.exchange import BLOCK_AFTER_S

# A simulated market trades about twice a minute, all of them about twice a second.
BEFORE_S, OUTAGE_S, AFTER_S = 6.0, 6.0, 5.0
# Backing off, dialling and first books: seconds, and on a machine busy with everything else many more.
BACK_WITHIN_S = 90.0
# Handed over in the last moments before the streamer was stopped: on a busy machine a simulator is that late.
IN_FLIGHT = timedelta(seconds=2)


class Line:
    """A line to the socket's server that can be cut: connections break, and new ones are refused."""

    def __init__(self, url: str) -> None:
        there = urlsplit(url)
        self._there = (there.hostname or "", there.port or 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self._listening.getsockname()[1]}{there.path}"
        self._pairs: list[socket.socket] = []
        self.is_cut = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.is_cut = True
        for one in self._pairs:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.is_cut:
                    near.close()
                    continue
                far = socket.create_connection(self._there)
                self._pairs += [near, far]
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(65_536):
                sink.sendall(content)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[simulator.running.Running, Path]]:
    ledger = tmp_path / "ledger.jsonl"
    with simulator.start(seed=11, ledger=ledger) as venue_:
        yield venue_, ledger


def trades_of(ledger: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in ledger.read_text().splitlines(keepends=True) if line.endswith("\n")]
    return [{**line, "at": datetime.fromisoformat(line["at"])} for line in lines if line["kind"] == "trade"]


@pytest.mark.slow
def test_after_an_outage_of_the_socket_trades_equal_the_ledger(
    running: tuple[simulator.running.Running, Path], lake: Lake, tmp_path: Path
) -> None:
    there, ledger = running
    settings = Settings(
        _env_file=None, state_dir=tmp_path / "state", polymarket_gamma_url=there.gamma_url, min_volume_usd=0.0,
        polymarket_clob_url=there.clob_url, polymarket_data_url=there.data_url, rate_share=1.0,
    )  # fmt: skip
    connected, line = venue.connect(settings), Line(there.ws_url)
    try:
        discovery.discover(lake, connected.gamma, settings, clock=lambda: datetime.now(UTC))
        began, cut, ended = _listen(Streamer(lake, tmp_path / "state", line.url), line)
        time.sleep(2 * BLOCK_AFTER_S)
        hours = list(Span(began, ended).hours())
        # As if it were later: nothing here keeps answers for minutes.
        late = ended + timedelta(hours=2)
        reports = [healing.build_trades(lake, connected.data, hour, clock=lambda: late) for hour in hours]
    finally:
        line.close()
        connected.close()
    rows = reading.rows(lake, "trades").to_pylist()
    streamed = {row["market_id"] for row in reading.rows(lake, "book_changes").select(["market_id"]).to_pylist()}  # fmt: skip
    truth = [t for t in trades_of(ledger) if f"pm:{t['condition_id']}" in streamed and began < t["at"] < ended - IN_FLIGHT]  # fmt: skip
    stood = Counter((f"0x{row['tx_hash'].hex()}", row["token_id"], row["size_e6"], row["price_e6"]) for row in rows)  # fmt: skip
    due = Counter((t["tx_hash"], t["token_id"], round(t["size"] * 1e6), round(t["price"] * 1e6)) for t in truth)  # fmt: skip
    assert max(stood.values()) == 1, "doubled"
    assert due - stood == Counter(), "lost"
    missed = [t for t in truth if cut[0] < t["at"] < cut[1]]
    assert missed, "nobody traded while the line was cut"
    assert sum(report.recovered for report in reports) >= len(missed)
    assert sum(report.unexplained + report.unhealed for report in reports) == 0
    assert all(comparing.standing(lake, Span.hour(hour)).holds for hour in hours)
    assert all(comparing.agreement(lake, Span.hour(hour)).prices_differ == 0 for hour in hours)
    assert [h for h in trade_hours.unsettled(lake, now=late + timedelta(hours=1)) if h.hour in hours] == []


def _listen(one: Streamer, line: Line) -> tuple[datetime, tuple[datetime, datetime], datetime]:
    """Listen, lose the line, listen again, stop; returns when it was served, cut from and to, and stopped."""
    one.start()
    try:
        began = datetime.now(UTC)
        time.sleep(BEFORE_S)
        cut = datetime.now(UTC)
        line.cut()
        time.sleep(OUTAGE_S)
        line.is_cut = False
        again = datetime.now(UTC)
        until = time.monotonic() + BACK_WITHIN_S
        while one.health()["tokens"]["without_book"] or datetime.now(UTC) - again < timedelta(
            seconds=AFTER_S
        ):
            assert time.monotonic() < until, "the books do not come back"
            time.sleep(0.2)
        ended = datetime.now(UTC)
        assert one.stop() == 0
    finally:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait()
    return began, (cut, again), ended
