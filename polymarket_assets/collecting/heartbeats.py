"""Signs of life of runs, in `STATE_DIR/heartbeats`, for whoever watches over them: `<tier>/<run id>` of windows, `runs/<run id>` of all.

A window leaves one at each step, and a thread of its own while a step takes long: a sweep that waits for a slow venue is
no dead one. A step that takes longer than any patience of ours leaves none any more. What a run of any job leaves says
no more than that its process is there. Operating state, never data: a heartbeat that cannot be written is logged, and
the work goes on.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

EVERY_S = 15.0
# Longer than any sweep: it gives up after four minutes (`sweeping.SWEEP_WITHIN`), and its rows are published in seconds.
LONGEST_STEP_S = 300.0
# Of runs of whatever job, beside the folders of the tiers.
RUNS = "runs"
# Signs of runs that nobody watched over, and that are long over.
KEPT_S = 86_400.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# In `/proc/<pid>/stat` after the name: when a process was born, in ticks since the boot.
_BORN = 19


class Process(msgspec.Struct, frozen=True):
    """A process of a boot of a machine; `boot` and `born` are empty where the system does not tell."""

    host: str
    boot: str
    pid: int
    born: str

    @property
    def is_here(self) -> bool:
        """Whether this machine can tell if it lives."""
        return self.host == socket.gethostname()

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended: of an earlier boot, no such process, or another under its number."""
        return self.is_here and (self.boot != _boot() or self.born != _born(self.pid))

    def kill(self) -> None:
        """End it, if it is one of this machine and still itself."""
        if self.is_here and not self.is_gone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def this_process() -> Process:
    """The one that asks."""
    return Process(socket.gethostname(), _boot(), os.getpid(), _born(os.getpid()))


def _boot() -> str:
    with contextlib.suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return ""


def _born(pid: int) -> str:
    """When a process was born; `gone` where there is none, or only what its parent has not yet noticed."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "gone" if state == "Z" else rest[_BORN - 1]
    except OSError:
        # Where there is no /proc the number alone must do.
        return "" if not Path("/proc").exists() and _is_running(pid) else "gone"


def is_there(pid: int) -> bool:
    """Whether this machine has a process of that number, whoever it is."""
    return _born(pid) != "gone"


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


class Heartbeat(msgspec.Struct, frozen=True):
    """The last sign of life of a run."""

    run_id: str
    at: datetime
    # The slot the run waits for or sweeps; None before its first.
    slot_at: datetime | None
    process: Process


@dataclass
class Pulse:
    """The signs of life of one run; without a state folder it leaves none."""

    state_dir: Path | None
    tier: str
    run_id: str
    clock: Callable[[], datetime]
    # How long a step may take until it leaves no more signs.
    patience_s: float = field(default_factory=lambda: LONGEST_STEP_S)
    # Whether the signs go when the run is done; otherwise whoever watches over it takes them away.
    ends: bool = True
    _slot_at: datetime | None = None
    _stepped_s: float = field(default_factory=time.monotonic)
    _process: Process = field(default_factory=this_process)

    def step(self, slot_at: datetime | None) -> None:
        """The run got on: it waits for this slot, or sweeps it."""
        self._slot_at, self._stepped_s = slot_at, time.monotonic()
        self._beat()

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Leave signs while a step takes long; none is left behind at the end."""
        over = threading.Event()
        thread = threading.Thread(target=self._keep, args=(over,), name="heartbeat", daemon=True)
        self.step(None)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            self._end()

    def _keep(self, over: threading.Event) -> None:
        while not over.wait(EVERY_S):
            if time.monotonic() - self._stepped_s < self.patience_s:
                self._beat()

    def _beat(self) -> None:
        if self.state_dir is None:
            return
        target = path_of(self.state_dir, self.tier, self.run_id)
        draft = target.with_name(f".{target.name}.{threading.get_ident()}")
        said = Heartbeat(self.run_id, self.clock(), self._slot_at, self._process)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.encode(said))
            os.replace(draft, target)
        except OSError as e:
            log.warning("the heartbeat of %s could not be written: %s", self.tier, e)

    def _end(self) -> None:
        if self.state_dir is not None and self.ends:
            forget(self.state_dir, self.tier, self.run_id)


def present(
    state_dir: Path | None, run_id: str, clock: Callable[[], datetime]
) -> contextlib.AbstractContextManager[None]:
    """Leave signs that the process of a run is there, however long it works.

    The last one stays: the run is not over before its end is recorded, and until then it is known by its process.
    """
    if state_dir is None:
        return contextlib.nullcontext()
    _forget_old(state_dir)
    return Pulse(state_dir, RUNS, run_id, clock, patience_s=math.inf, ends=False).beating()


def _forget_old(state_dir: Path) -> None:
    """With the watchdog switched off nobody else would."""
    before = time.time() - KEPT_S
    for run_id in of(state_dir, RUNS):
        with contextlib.suppress(FileNotFoundError):
            if path_of(state_dir, RUNS, run_id).stat().st_mtime < before:
                forget(state_dir, RUNS, run_id)


def path_of(state_dir: Path, tier: str, run_id: str) -> Path:
    """Where the heartbeat of a run lies."""
    return state_dir / "heartbeats" / tier / run_id


def read(state_dir: Path, tier: str, run_id: str) -> Heartbeat | None:
    """The last heartbeat of a run; None where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path_of(state_dir, tier, run_id).read_bytes(), type=Heartbeat)
    except (OSError, msgspec.MsgspecError):
        return None


def newest(state_dir: Path, run_id: str) -> Heartbeat | None:
    """The last sign of a run, wherever it left it; None where there is none."""
    folders = [path.parent.name for path in (state_dir / "heartbeats").glob(f"*/{run_id}")]
    found = [beat for folder in folders if (beat := read(state_dir, folder, run_id)) is not None]
    return max(found, key=lambda beat: beat.at, default=None)


def of(state_dir: Path, tier: str) -> list[str]:
    """The runs of a tier that left signs and were not forgotten."""
    folder = state_dir / "heartbeats" / tier
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return [name for name in os.listdir(folder) if not name.startswith(".")]
    return []


def forget(state_dir: Path, tier: str, run_id: str) -> None:
    """A run is over: nobody looks for its signs any more."""
    with contextlib.suppress(OSError):
        path_of(state_dir, tier, run_id).unlink(missing_ok=True)
