"""A process that tries to write on a small disk in each of its states, and prints what came of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from drills.disks import Disk, enter_namespace


def main(folder: Path) -> int:
    """Try; 2 where no disk can be mounted."""
    try:
        if (code := enter_namespace("polymarket_assets_tests.drills.on_a_disk", [str(folder)])) is not None:
            return code
    except PermissionError as e:
        print(e, file=sys.stderr)
        return 2
    disk = Disk(folder, 2)
    held = folder / "held"
    _try(held)
    disk.fill()
    _try(folder / "other")
    held.unlink()
    time.sleep(0.5)
    _try(folder / "other")
    disk.empty()
    _try(held)
    disk.read_only(True)
    _try(folder / "other")
    disk.read_only(False)
    _try(folder / "other")
    return 0


def _try(file: Path) -> None:
    try:
        file.write_bytes(b"x" * 500_000)
    except OSError as e:
        print(e.strerror)
    else:
        print("written")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
