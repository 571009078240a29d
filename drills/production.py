"""`python -m drills.production`: the services of `docker-compose.yml` as they run in production, against the simulator; then each is killed.

The image's build steps are replayed from what is committed, with every dependency by its hash; each service runs by its own
command and environment, none as root, with its history in a real Postgres. First the demo's checks: every slot accounted
for, every trade heard, every label right. Then kill -9 of each service, once, while whatever ends is started again as the
file's restart policy says; Postgres is killed in the midst of runs. After each: the seconds until it is well, and until the
nearest tier is sampled again; at the end, whether a slot has no account, and whether a partition that was there is lost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from drills.connections import counted
from drills.platform import stop_cleanly
from drills.processes import Simulator
from drills.production_demo import demo, variables
from drills.production_kills import kills
from launch import built, compose_check, simulated

MEMORY = Path("/dev/shm")
WIDTH = 140


def drill(folder: Path, console: Console, *, here: bool, without_demo: bool, seed: int) -> bool:
    """Build, run, check, kill."""
    began = time.monotonic()
    venue = Simulator(folder, ["--seed", str(seed), "--profile", simulated.PROFILE.name])
    try:
        made = compose_check.containers(folder / "image", compose_check.content(), variables(venue, watch=False), venv=Path(sys.prefix) if here else None)  # fmt: skip
        console.print(f"built after {time.monotonic() - began:.0f} s; {built.whose()}")
        try:
            took = made.up(made.services)
            console.print("well: " + ", ".join(f"{name} after {seconds:.0f} s" for name, seconds in took.items()))  # fmt: skip
            with counted(made) as connections:
                good = without_demo or demo(console, made, venue)
                console.print(f"after {time.monotonic() - began:.0f} s")
                healed = kills(console, made, venue)
            console.print(f"most connections at once: {connections.most}; by service: {dict(connections.of)}")
        finally:
            killed = made.stop()
        console.print(f"had to be killed at the end: {', '.join(killed) or 'none'}; took {time.monotonic() - began:.0f} s")  # fmt: skip
    finally:
        venue.stop()
    return good and healed


def main() -> int:
    """Run the drill; 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m drills.production", description=__doc__)
    parser.add_argument("--here", action="store_true", help="with this environment, not one that is installed anew")  # fmt: skip
    parser.add_argument("--without-demo", action="store_true", help="the kills alone")
    parser.add_argument("--seed", type=int, default=7, help="of the venue (default: %(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder to work in, which stays")
    asked = parser.parse_args()
    stop_cleanly()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    # Gigabytes of small files: in memory where there is one for it.
    with tempfile.TemporaryDirectory(prefix="drill-production-", dir=MEMORY if MEMORY.is_dir() else None) as name:  # fmt: skip
        folder = asked.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        good = drill(folder, console, here=asked.here, without_demo=asked.without_demo, seed=asked.seed)
    console.print("every promise was kept" if good else "broken")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
