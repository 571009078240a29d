"""Starting together, staying up, stopping at once; and one sentence where that cannot be."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from launch import simulated, supervisor
from launch.narration import Narration
from launch.ports import PortBusy, require_free
from launch.processes import Process
from launch.up import require_venue
from polymarket_assets.settings import load
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets_tests.conftest import PROJECT


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield int(held.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_busy_port_is_named_with_the_setting_that_moves_it(taken: int) -> None:
    with pytest.raises(PortBusy, match=f"port {taken} is in use, mlflow needs it: .* set MLFLOW_PORT"):
        require_free([Process("mlflow", ("true",), (taken,))])


def test_two_processes_on_one_port_are_named() -> None:
    port = free_port()
    with pytest.raises(
        PortBusy, match=f"port {port} is meant for mlflow and for webserver: set DAGSTER_PORT"
    ):
        require_free([Process("mlflow", ("true",), (port,)), Process("webserver", ("true",), (port,))])


def test_an_unreachable_venue_is_named(taken: int) -> None:
    with pytest.raises(
        Unavailable, match=r"the venue does not answer at http://127\.0\.0\.1:1/time .*POLYMARKET_CLOB_URL"
    ):
        require_venue(load(polymarket_clob_url="http://127.0.0.1:1"))


def test_the_command_ends_in_one_sentence(taken: int, tmp_path: Path) -> None:
    free = {name: str(free_port()) for name in ("MLFLOW_PORT", "STREAM_STATUS_PORT")}
    environment = {**os.environ, **free, "DAGSTER_PORT": str(taken), "PYTHONPATH": str(PROJECT)}
    ran = subprocess.run(
        [sys.executable, "-m", "launch", "up"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"up: port {taken} is in use, webserver needs it")
    assert len(ran.stderr.splitlines()) == 1


def test_a_demo_that_cannot_start_leaves_the_one_that_runs_alone(taken: int, tmp_path: Path) -> None:
    kept = simulated.DATA / "kept-by-the-test"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.touch()
    try:
        environment = {**os.environ, "DAGSTER_PORT": str(taken)}
        ran = subprocess.run(
            [sys.executable, "-m", "launch", "demo", "--once"], env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=60
        )  # fmt: skip
        assert ran.returncode == 1
        assert kept.exists()
    finally:
        kept.unlink(missing_ok=True)


_SUPERVISED = """
import sys
from pathlib import Path
from launch.processes import Process
from launch.supervisor import Supervisor

folder = Path(sys.argv[1])
kept = Supervisor(folder)
kept.add_all([Process("first", ("sh", "-c", f"echo life >> {folder}/lives; echo said; sleep 60")), Process("second", ("sleep", "60"))], {"PATH": "/usr/bin:/bin"})
kept.loop()
"""


def _until(condition: object, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _children(of: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(None, 2) for line in found.splitlines()]
    mine = {of}
    for _ in range(4):
        mine |= {int(pid) for pid, parent, _ in rows if int(parent) in mine}
    return [
        int(pid) for pid, _, command in rows if int(pid) in mine and command.startswith(("sleep", "sh -c"))
    ]


@pytest.mark.slow
def test_a_process_that_dies_is_started_again_and_one_signal_stops_all(tmp_path: Path) -> None:
    """A recorder must outlive its own crashes; and nothing may stay behind after Ctrl-C."""
    lives = tmp_path / "lives"
    child = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISED, str(tmp_path)],
        cwd=PROJECT,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    )
    try:
        _until(lambda: lives.exists() and len(_children(child.pid)) >= 2)
        victim = next(
            pid for pid in _children(child.pid) if b"life" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.killpg(victim, signal.SIGKILL)
        _until(lambda: lives.read_text().count("life") == 2)
        left = _children(child.pid)
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=15) is not None
        _until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
        assert "first | ended with code -9, starting again" in (tmp_path / "first.log").read_text()
    finally:
        child.kill()


@pytest.mark.slow
def test_a_signal_while_processes_are_starting_stops_them_too(tmp_path: Path) -> None:
    """An impatient Ctrl-C: what has no process id yet cannot be told to stop."""
    for after_s in (0.0, 0.05, 0.15):
        child = subprocess.Popen([sys.executable, "-c", _SUPERVISED, str(tmp_path)], cwd=PROJECT, start_new_session=True, stdout=subprocess.DEVNULL)  # fmt: skip
        try:
            _until(lambda pid=child.pid: _forked(pid))  # type: ignore[misc]
            time.sleep(after_s)
            child.send_signal(signal.SIGTERM)
            child.wait(timeout=15)
            _until(lambda: not _named(tmp_path))
        finally:
            child.kill()


def _forked(pid: int) -> bool:
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def _named(folder: Path) -> list[str]:
    """What still runs with a folder on its command line."""
    found = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in found.stdout.splitlines() if str(folder) in line]


_TETHERED = """
import signal, threading
from launch import simulated

threading.Thread(target=simulated.end_with_input, daemon=True).start()
print("up", flush=True)
signal.pause()
"""


def test_the_platform_ends_with_whoever_holds_the_other_end(tmp_path: Path) -> None:
    """A demo killed without a word must not leave a platform behind; whatever tests before made this process ignore."""
    child = subprocess.Popen([sys.executable, "-c", _TETHERED], cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=supervisor._heed_signals)  # fmt: skip
    try:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == b"up\n"
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(timeout=15) == -signal.SIGTERM
    finally:
        child.kill()


@pytest.mark.parametrize(("terminal", "told"), [(False, "✓ Fetch (0 s)\n"), (True, "Fetch")])
def test_a_log_is_told_of_each_stage_once_and_a_terminal_sees_bars(terminal: bool, told: str) -> None:
    said = io.StringIO()
    with Narration(Console(file=said, force_terminal=terminal, width=80)) as progress:
        stage = progress.add_task("Fetch", total=2)
        progress.advance(stage)
        progress.update(stage, completed=2)
        progress.update(stage, completed=2)
    assert said.getvalue() == told if not terminal else told in said.getvalue()
