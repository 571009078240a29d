"""A recorder that was killed must be back at once, beside everything else on one small machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from polymarket_assets_tests.conftest import PROJECT

MODULES = sorted(
    f"streamer.{file.stem}" for file in (PROJECT / "streamer").glob("*.py") if file.stem[:2] != "__"
)
HEAVY = ("dagster", "duckdb", "pandas", "mlflow", "xgboost", "sklearn")

MEASURE = f"""
import sys, time
begin = time.perf_counter()
import {", ".join(["streamer", *MODULES])}
took = time.perf_counter() - begin
# Not `ru_maxrss`: that remembers the process which started this one.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
print(took, peak, *[name for name in {HEAVY!r} if name in sys.modules])
"""


def measured() -> tuple[float, float, list[str]]:
    said = subprocess.run(
        [sys.executable, "-c", MEASURE], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    took, peak, *heavy = said.stdout.split()
    return float(took), float(peak), heavy


def test_importing_the_streamer_is_cheap() -> None:
    """The best of several counts: another process on the machine is not the import's cost."""
    runs = [measured() for _ in range(5)]
    assert min(took for took, _, _ in runs) < 0.3
    assert min(peak for _, peak, _ in runs) < 90
    assert all(heavy == [] for _, _, heavy in runs)


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["seal", "--help"], ["replay", "--help"], ["status", "--help"]],
)
def test_every_command_explains_itself(arguments: list[str]) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "streamer", *arguments], cwd=PROJECT, capture_output=True, text=True
    )
    assert said.returncode == 0
    assert len(said.stdout) > 100


def test_replay_and_status_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "capture").write_text("[1]\nno capture\n")
    for arguments, wrong in (
        (["replay", str(tmp_path / "capture")], "capture:2 is no line of a capture"),
        (["replay", "/nowhere"], "/nowhere cannot be read"),
    ):
        said = subprocess.run(
            [sys.executable, "-m", "streamer", *arguments], cwd=PROJECT, capture_output=True, text=True
        )
        assert (said.returncode, wrong in said.stderr, len(said.stderr.splitlines())) == (1, True, 1)
