"""Small disks of a drill's own: file systems in memory that can be filled, emptied and made read-only.

They are mounted in a namespace of the process (`unshare`), so that nothing of them is left when it ends, and nobody
needs to be the administrator where the machine lets users do this.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

_INSIDE = "DRILL_NAMESPACE"
# Space that somebody else frees is taken again this often.
_REFILL_S = 0.1
_CHUNK = b"\0" * 65_536
_PAGE = b"\0" * 4096


def enter_namespace(module: str, arguments: list[str]) -> int | None:
    """Run a module again where disks may be mounted; its exit code, or None where we are there already.

    Raises `PermissionError` where the machine lets us mount nothing.
    """
    if os.environ.get(_INSIDE):
        return None
    # The administrator needs no users of its own, among which servers that run as another would find themselves unknown.
    inside = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*inside, "true"], capture_output=True).returncode:
        raise PermissionError("this machine lets us mount no small file system (unshare is refused)")
    command = [*inside, sys.executable, "-m", module, *arguments]
    return subprocess.run(command, env={**os.environ, _INSIDE: "1"}).returncode


class Disk:
    """A file system of so many megabytes on a folder."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        folder.mkdir()
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
        self._full = threading.Event()
        self._filling: threading.Thread | None = None

    @property
    def _ballast(self) -> Path:
        return self.folder / ".ballast"

    def fill(self) -> None:
        """Leave no space, and go on leaving none."""
        self._full.set()
        self._top_up()
        self._filling = threading.Thread(target=self._keep_full, daemon=True)
        self._filling.start()

    def empty(self) -> None:
        """Give the space back."""
        self._full.clear()
        if self._filling is not None:
            self._filling.join()
        self._ballast.unlink()

    def read_only(self, on: bool) -> None:
        """Let nobody write, or everybody again."""
        _mount("-o", f"remount,{'ro' if on else 'rw'}", str(self.folder))

    def _keep_full(self) -> None:
        while self._full.is_set():
            self._top_up()
            threading.Event().wait(_REFILL_S)

    def _top_up(self) -> None:
        with self._ballast.open("ab", buffering=0) as ballast:
            for piece in (_CHUNK, _PAGE):
                try:
                    while ballast.write(piece) == len(piece):
                        pass
                except OSError:
                    continue


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
