"""Webserver and daemon share one code server, and begin when it answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from dagster._core.workspace.load_target import WorkspaceFileTarget

from launch import code
from polymarket_assets.settings import NotConfigured
from polymarket_assets_tests.conftest import PROJECT

# A path of a socket, its closing zero included.
LONGEST = 108


def test_an_address_is_always_the_same_and_short_however_deep_the_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 200)
    assert code.address(deep) == code.address(deep) != code.address(tmp_path)
    assert len(str(code.address(deep))) < LONGEST
    assert code.address(deep).parent.stat().st_mode & 0o077 == 0, "nobody else's"


def test_the_workspace_is_one_that_dagster_reads(tmp_path: Path) -> None:
    (origin,) = WorkspaceFileTarget([str(code.workspace(tmp_path))]).create_origins()
    assert (origin.socket, origin.location_name) == (str(code.address(tmp_path)), code.MODULE)


def test_a_command_begins_once_the_code_server_answers(tmp_path: Path) -> None:
    path = tmp_path / "s"
    command = [sys.executable, "-m", "launch.code", str(path), sys.executable, "-c", "print('begun')"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as waiting, socket.socket(socket.AF_UNIX) as server:  # fmt: skip
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        server.bind(str(path))
        server.listen()
        out, _ = waiting.communicate(timeout=20)
    assert out == "begun\n"


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine = code.address(tmp_path).parent
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    mine.rename(tmp_path / "polymarket-assets-12345")
    with pytest.raises(NotConfigured, match=r"belongs to somebody else: .* TMPDIR"):
        code.address(tmp_path)


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    assert not code.wait(tmp_path / "nobody", within_s=0.2)


def test_a_socket_that_a_killed_server_left_behind_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    assert path.exists()
    assert not code.wait(path, within_s=0.2)
