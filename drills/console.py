"""`python -m drills.console`: the console of a demo that runs, in a real browser at two sizes, with a picture of every page.

The demo runs to its end; then all tiers are sampled for some minutes more, and the tests of `polymarket_assets_tests/console/test_demo.py`
look at the console meanwhile. `--up` looks at the demo that is up already.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from drills.platform import stop_cleanly
from drills.processes import PROJECT
from launch import simulated
from launch.narration import Narration
from launch.processes import LOOPBACK
from launch.recording import Recording
from launch.runs import Dagster
from launch.stages import START_S
from launch.supervisor import STOP_S
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import PolymarketError

PICTURES = PROJECT / "data" / "console"
TESTS = "polymarket_assets_tests/console/test_demo.py"
_STAYS = "Everything stays up"
# As long as the tests take on a busy machine.
_SAMPLED_S = 180


@contextmanager
def demo(told: Console) -> Iterator[subprocess.Popen[str]]:
    """The demo until the block ends; its exit code says whether all that it claims is so. Raises `RuntimeError` where it does not stay up."""
    command = [sys.executable, "-m", "launch", "demo"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                told.print(line.rstrip(), highlight=False, markup=False)
                if _STAYS in line:
                    yield process
                    return
            raise RuntimeError("the demo ended before it stayed up; its log is above")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=3 * STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def looked_at(settings: Settings, pictures: Path) -> bool:
    """Whether every test passes while markets are sampled."""
    is_over = threading.Event()
    sampling = threading.Thread(target=_sample, args=(settings, is_over), daemon=True)
    sampling.start()
    told = {"CONSOLE_AT": f"http://{LOOPBACK}:{settings.console_port}", "CONSOLE_PICTURES": str(pictures)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TESTS]
    try:
        return subprocess.run(command, cwd=PROJECT, env={**os.environ, **told}).returncode == 0
    finally:
        is_over.set()
        sampling.join(START_S)


def _sample(settings: Settings, is_over: threading.Event) -> None:
    """Windows of every tier, as `make up` has them all the time."""
    try:
        with Narration(Console(quiet=True)) as progress:
            recording = Recording(Dagster(settings.dagster_port, seconds=START_S), progress)
            recording.go_on(_SAMPLED_S)
            while not is_over.wait(1.0):
                recording.look()
    except PolymarketError as e:
        # The market that should change in front of the reader does not, which its test tells.
        print(f"nothing is sampled: {e}", file=sys.stderr)


def main() -> int:
    """Run the drill; 1 where a page is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m drills.console", description=__doc__)
    parser.add_argument("--up", action="store_true", help="look at the demo that is up, and leave it so")
    asked, told = parser.parse_args(), Console()
    stop_cleanly()
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    settings = simulated.settings()
    if asked.up:
        good = looked_at(settings, PICTURES)
    else:
        with demo(told) as process:
            good = looked_at(settings, PICTURES)
        good = process.returncode == 0 and good
    told.print(f"pictures of every page: {PICTURES.relative_to(PROJECT)}")
    told.print("every page is as it must be" if good else "a page is not as it must be", style="green" if good else "red")  # fmt: skip
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
