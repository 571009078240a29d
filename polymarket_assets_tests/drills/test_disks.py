"""Small disks are full when told to be, also of what others free, and nothing of them is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drills.disks import enter_namespace
from polymarket_assets_tests.conftest import PROJECT


def attempts(folder: Path) -> list[str]:
    """What a script says that fills a disk, frees space behind its back, empties it and makes it read-only."""
    done = subprocess.run(
        [sys.executable, "-m", "polymarket_assets_tests.drills.on_a_disk", str(folder)], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )  # fmt: skip
    if done.returncode == 2:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_disk_is_full_until_it_is_emptied(tmp_path: Path) -> None:
    assert attempts(tmp_path / "disk") == ["written", "No space left on device", "No space left on device", "written", "Read-only file system", "written"]  # fmt: skip
    assert list((tmp_path / "disk").iterdir()) == [], "it was mounted for that process alone"


def test_inside_the_namespace_nothing_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRILL_NAMESPACE", "1")
    assert enter_namespace("no.such.module", []) is None
