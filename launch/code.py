"""The code server: one process that holds the platform's definitions for webserver and daemon, and is the parent of runs.

Left to themselves both start one of their own, and the daemon another every minute while the one before lives as long
as its runs: a twentieth of a core, and hundreds of megabytes that come and go.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from polymarket_assets.settings import NotConfigured

MODULE = "polymarket_assets.definitions"
# It answers within seconds; started beside everything else on a busy machine, later.
ANSWERS_WITHIN_S = 120.0
_LOOK_S = 0.1


def address(dagster_home: Path) -> Path:
    """The socket of an installation's code server: always the same, and short, since a path of a socket may have 107 bytes.

    Raises:
        NotConfigured: the folder of such sockets is somebody else's, who could answer in our place.
    """
    name = hashlib.sha256(str(dagster_home.resolve()).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"polymarket-assets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise NotConfigured(f"{folder} belongs to somebody else: name another folder for temporary files in TMPDIR")  # fmt: skip
    return folder / f"{name}.sock"


def workspace(dagster_home: Path) -> Path:
    """Write the workspace that names the code server, as JSON, which is YAML; returns the file."""
    server = {"socket": str(address(dagster_home)), "location_name": MODULE}
    file = dagster_home / "workspace.yaml"
    file.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))
    return file


def wait(path: Path, within_s: float = ANSWERS_WITHIN_S) -> bool:
    """Whether somebody listens on a socket before the time is over."""
    until = time.monotonic() + within_s
    while not (answers := _answers(path)) and time.monotonic() < until:
        time.sleep(_LOOK_S)
    return answers


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def main(arguments: list[str]) -> int:
    """`python -m launch.code SOCKET COMMAND…`: become the command once the code server answers."""
    path, *command = arguments
    if not wait(Path(path)):
        print(f"the code server did not answer within {ANSWERS_WITHIN_S:g} s: see its log", file=sys.stderr)
        return 1
    os.execv(command[0], command)
    raise AssertionError("this process is another program now")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
