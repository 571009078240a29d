"""The collecting half of the platform as a drill runs it: Dagster's daemon with its code server and window runs, and the streamer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from drills.processes import PATIENCE_S, PROJECT, Simulator, Streamer, wait_for
from launch import code as code_server
from launch import processes
from launch.instance import make as make_instance
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import hour_key
from polymarket_assets.settings import Settings

_TICK = os.sysconf("SC_CLK_TCK")
# What a process is there for, by a word of its command line.
_ROLES = (
    ("daemon", b"dagster-daemon"),
    ("code", b"grpc"),
    ("runs", b"multiprocessing.spawn"),
)
_MOST_RUNS = 10_000
REFUSED = "refused"


@dataclass(frozen=True)
class Load:
    """CPU-seconds so far and megabytes now, of some processes; what several of them share counts once."""

    cpu_s: float
    mb: float
    # Megabytes by what the processes are there for.
    of: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Platform:
    """One installation in a folder, against a simulator."""

    folder: Path
    venue: Simulator
    # Settings beside those that make it one of its own.
    more: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(init=False)
    streamer: Streamer = field(init=False)
    code: subprocess.Popen[bytes] | None = None
    daemon: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        places = {"lake_root": str(self.folder / "lake"), "state_dir": self.folder / "state", "dagster_home": self.folder / "dagster"}  # fmt: skip
        # The venue's limits are its own; we keep to the share that a user keeps to.
        self.settings = self.venue.settings.model_copy(update={**places, "rate_share": 0.5})
        for place in ("state", "dagster"):
            (self.folder / place).mkdir(parents=True, exist_ok=True)
        (self.home / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
        log = self.folder / "streamer.log"
        self.streamer = Streamer(self.folder / "lake", self.folder / "state", self.venue.url, log, more=self._told)  # fmt: skip
        make_instance(self.home, self.environment)

    @property
    def home(self) -> Path:
        """The folder of its Dagster instance."""
        return self.folder / "dagster"

    @property
    def lake(self) -> Lake:
        return Lake(str(self.folder / "lake"))

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        return {**os.environ, **self._told, "PYTHONUNBUFFERED": "1", "DAGSTER_DISABLE_TELEMETRY": "1"}

    @property
    def _told(self) -> dict[str, str]:
        names = ("lake_root", "state_dir", "dagster_home", "polymarket_gamma_url", "polymarket_clob_url", "polymarket_data_url", "min_volume_usd", "rate_share")  # fmt: skip
        return {**{name.upper(): str(getattr(self.settings, name)) for name in names}, "STREAM_MAX_CONNECTIONS": "64", **self.more}  # fmt: skip

    def start(self) -> None:
        """Begin to orchestrate, and to record."""
        self.start_code()
        self.start_daemon()
        self.streamer.start()

    def start_code(self) -> None:
        """The code server, as `make up` starts it."""
        self.code = self._start(processes.code(self.settings))

    def start_daemon(self) -> None:
        """Schedules, sensors and queue, as `make up` starts them."""
        self.daemon = self._start(processes.daemon(self.settings))

    def _start(self, process: processes.Process) -> subprocess.Popen[bytes]:
        """In a session of its own: killed, it takes nothing else along."""
        with (self.folder / f"{process.name}.log").open("ab") as log:
            return subprocess.Popen(process.command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True)  # fmt: skip

    def stop(self) -> None:
        """End everything, gently where it can be; what a killed daemon left behind too."""
        for process in (self.streamer.process, self.daemon, self.code):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
        for pid in self.members():
            os.kill(pid, signal.SIGKILL)

    def members(self) -> list[int]:
        """Processes of the platform's own, whoever their parent is by now: they carry its folder in their environment."""
        mark = f"DAGSTER_HOME={self.settings.dagster_home}".encode()
        own = os.getpid()
        return [pid for pid in _pids() if pid != own and mark in _read(pid, "environ")]

    @property
    def is_alive(self) -> bool:
        """Whether all of its processes are."""
        return all(process is not None and process.poll() is None for process in (self.code, self.daemon, self.streamer.process))  # fmt: skip

    def load(self) -> Load:
        """Of the daemon, its code server and the runs."""
        streaming = self.streamer.process.pid if self.streamer.process else 0
        return _load([pid for pid in self.members() if pid != streaming])

    def history_mb(self) -> float:
        """What Dagster keeps of its own."""
        files = (file for file in self.home.rglob("*") if file.is_file())
        return sum(file.stat().st_size for file in files) / 1e6

    def load_of_streamer(self) -> Load:
        """Of the streamer alone."""
        return _load([self.streamer.process.pid] if self.streamer.process else [])

    def runs(self) -> dict[str, dict[str, int]]:
        """How many runs of each job ended how; `refused` are those that failed with a sentence of ours, such as that the venue is down."""
        counted: dict[str, dict[str, int]] = {}
        with opened(self.home) as instance:
            for run in instance.get_runs(RunsFilter(), limit=_MOST_RUNS):
                ended = REFUSED if _is_refused(instance, run) else run.status.value
                of_job = counted.setdefault(run.job_name, {})
                of_job[ended] = of_job.get(ended, 0) + 1
        return counted

    def under_way(self, job: str) -> list[str]:
        """The runs of a job that are going."""
        with opened(self.home) as instance:
            return [run.run_id for run in instance.get_runs(RunsFilter(job_name=job, statuses=[DagsterRunStatus.STARTED]))]  # fmt: skip

    def discover(self) -> None:
        """Ask for a listing now, as a person does from a shell; it comes when its turn has come."""
        options = ["-w", str(code_server.workspace(self.home)), "-j", "discovery", "--partitions", hour_key(datetime.now(UTC)), "--noprompt"]  # fmt: skip
        self._start(processes.Process("discover", (sys.executable, "-m", "dagster", "job", "backfill", *options)))  # fmt: skip

    def wait_for_sampling(self, tiers: tuple[str, ...]) -> None:
        """Until each tier has an account of a slot. Raises `TimeoutError`."""
        store = self.lake.store
        wait_for(lambda: all(store.list(f"sweeps/tier={tier}") for tier in tiers), "sampling", 5 * PATIENCE_S)


@contextmanager
def opened(home: Path) -> Iterator[DagsterInstance]:
    """The instance that lives in a folder: its event log looks for itself in the environment (`polymarket_assets.instance`)."""
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        instance = DagsterInstance.get()
    finally:
        os.environ.pop("DAGSTER_HOME")
        os.environ.update({} if before is None else {"DAGSTER_HOME": before})
    with instance:
        yield instance


def stop_cleanly() -> None:
    """Have a signal end the drill as Ctrl-C does: nothing that it started stays behind.

    A shell has what it begins in the background ignore Ctrl-C, and so would what the drill starts and stops by it.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _is_refused(opened: DagsterInstance, run: DagsterRun) -> bool:
    if run.status is not DagsterRunStatus.FAILURE:
        return False
    steps = opened.all_logs(run.run_id, of_type=DagsterEventType.STEP_FAILURE)
    told = [entry.dagster_event.step_failure_data.user_failure_data for entry in steps if entry.dagster_event]
    return bool(told) and all(data is not None for data in told)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _load(pids: Iterable[int]) -> Load:
    of: dict[str, float] = {}
    cpu_s = 0.0
    for pid in pids:
        role = _role(pid)
        of[role] = of.get(role, 0.0) + _own_mb(pid)
        cpu_s += _cpu_s(pid)
    return Load(cpu_s, sum(of.values()), of)


def _role(pid: int) -> str:
    said = _read(pid, "cmdline")
    return next((role for role, word in _ROLES if word in said), "others")


def _cpu_s(pid: int) -> float:
    """CPU-seconds, those of ended children included."""
    said = _read(pid, "stat").rpartition(b")")[2].split()
    return sum(map(int, said[11:15])) / _TICK if said else 0.0


def _own_mb(pid: int) -> float:
    """Resident megabytes; of pages that several processes share, this one's part (PSS)."""
    found = re.search(rb"^Pss:\s+(\d+) kB", _read(pid, "smaps_rollup"), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def _read(pid: int, name: str) -> bytes:
    """Nothing where the process has ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
