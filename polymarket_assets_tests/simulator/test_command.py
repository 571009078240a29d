"""The command line: it serves, says where, ends cleanly, and says in one sentence why it cannot."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from polymarket_assets_tests.conftest import PROJECT
from simulator.running import start
from simulator.server import PortBusy

PATIENCE_S = 20


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on, with two free ones before it: not of those that are given to whoever asks for any."""
    for port in range(20_002 + os.getpid() % 8_000, 32_000, 3):
        with socket.socket() as held, contextlib.suppress(OSError):
            held.bind(("127.0.0.1", port))
            held.listen()
            yield port
            return


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_leaves_a_whole_ledger(sign: signal.Signals, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with run("serve", "--seed", "4", "--profile", "small", "--port", "0", "--ledger", str(ledger)) as child:
        assert child.stdout is not None
        control = child.stdout.readline().split(" · ")[-1].strip()
        assert requests.get(control, timeout=10).json()["seed"] == 4
        time.sleep(0.2)
        child.send_signal(sign)
        assert child.wait(PATIENCE_S) == 0
    text = ledger.read_text()
    assert text.endswith("\n")
    assert json.loads(text.splitlines()[0])["kind"] == "universe"


@pytest.mark.parametrize("offset", [0, 1, 2])
def test_a_busy_port_ends_in_one_sentence_that_names_it(taken: int, offset: int) -> None:
    with run("serve", "--profile", "small", "--port", str(taken - offset)) as child:
        _, said = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 1
    assert said.strip().splitlines() == [f"simulator: port {taken} is busy: stop what listens there, or choose another with --port"]  # fmt: skip


@pytest.mark.parametrize(("option", "value"), [("--port", "65534"), ("--port", "-1"), ("--edge", "nan")])
def test_an_option_that_cannot_be_is_named(option: str, value: str) -> None:
    with run("serve", option, value) as child:
        _, said = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 2
    assert f"argument {option}: " in said.splitlines()[-1]


def test_a_busy_port_is_told_to_tests_too(taken: int) -> None:
    with pytest.raises(PortBusy, match=str(taken)):
        start(port=taken)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (None, "is not a folder"),
        ({}, "holds no recorded payloads"),
        ({"gamma/market.json": "{"}, "is not JSON"),
        ({"ws/session.jsonl": '{"what": 1}\n'}, "is no capture of a socket"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_one_sentence(tmp_path: Path, files: dict[str, str] | None, sentence: str) -> None:  # fmt: skip
    folder = tmp_path / "recorded"
    if files is not None:
        folder.mkdir()
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir()
        (folder / name).write_text(text)
    with run("replay", str(folder), "--port", "0") as child:
        _, said = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 1
    assert len(said.strip().splitlines()) == 1
    assert sentence in said


def test_the_first_version_of_the_data_api_answers_when_switched_on() -> None:
    with start(v1_data=True) as venue:
        rows = requests.get(f"{venue.data_url}/trades?limit=3", timeout=10).json()
        assert isinstance(rows, list)
        assert requests.get(f"{venue.data_url}/activity", timeout=10).status_code == 410
        markets = requests.get(f"{venue.gamma_url}/markets?closed=true&limit=5", timeout=10).json()
        condition = next(
            row["conditionId"] for row in markets if row["version"] == "v1" and row.get("volumeNum")
        )
        row = requests.get(f"{venue.data_url}/trades", params={"market": condition}, timeout=10).json()[0]
        assert {"proxyWallet", "asset", "conditionId", "outcomeIndex", "transactionHash", "profileImageOptimized"} <= set(row)  # fmt: skip
