"""The services of `docker-compose.yml` where no container engine is: each command under its own environment, and nothing of ours.

Paths of the image lie in a folder (`launch.built`), names of services are this machine, ports are free ones. As in a
container a process has no more than it is told, is not root where we are, and can write its volumes and `/tmp` alone.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from launch import built
from launch.built import Image
from launch.compose import Service
from launch.home import PROJECT
from launch.postgres import LOOPBACK, Postgres, free_port
from polymarket_assets.venue.errors import Unavailable

# The service that is not of our image.
POSTGRES = "postgres"
# Every port that a service listens on in its container.
PORTS = ("5432", "4000", "3000", "8081", "5000", "8000")
_LOOK_S = 1.0
# As `start_period` says, and the tries after it.
HEALTHY_WITHIN_S = 240.0
# An engine waits a tenth of a second before the first start, and twice as long before each that comes soon after.
RESTARTED_AFTER_S = 1.0
HEALTH_TAKES_S = 60.0


@dataclass
class Containers:
    """Services of one installation; `variables` are what stands in `.env`."""

    image: Image
    services: Mapping[str, Service]
    variables: Mapping[str, str]
    logs: Path
    # Beside what the file says: where code lies that is not installed.
    more: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=lambda: {port: free_port() for port in PORTS})
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    database: Postgres | None = None
    # Who was started again, in order; who is not to be, for a while.
    restarts: list[str] = field(default_factory=list)
    away: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        names = "|".join(self.services)
        self._host = re.compile(
            rf"(?<=//)(?:{names})(?=:)|\b(?:{names})(?=:\d)|\b(?:0\.0\.0\.0|127\.0\.0\.1)\b"
        )
        self.addresses = _addresses(self.services)
        self._port = re.compile(rf"(?<![\w.])(?:{'|'.join(PORTS)})(?![\w.])")

    def mapped(self, text: str, name: str = "") -> str:
        """A word of a command, or a value, of a service as it is here."""
        own = self.addresses.get(name, LOOPBACK)
        here = self._host.sub(lambda found: self.addresses.get(found[0], own), self.image.mapped(text))
        return self._port.sub(lambda found: str(self.ports[found[0]]), here)

    def environment(self, name: str) -> dict[str, str]:
        """Everything that a service is told."""
        service = self.services[name]
        given = self.variables if service.reads_env else {}
        # A value that is no more than the name of a service is its address.
        own = {key: self.addresses.get(value) or self.mapped(value, name) for key, value in service.environment.items()}  # fmt: skip
        # Postgres alone tells by it whose a connection is.
        return {**self.image.environment, **given, **own, **self.more, "PGAPPNAME": name}

    def start(self, name: str) -> None:
        """Begin one, and do not wait for it."""
        if name == POSTGRES:
            self._start_database()
            return
        self._mount(name)
        self.running[name] = self._spawn(name, [self.mapped(word, name) for word in self.services[name].command])  # fmt: skip

    def execute(self, name: str, *command: str) -> int:
        """As `docker compose exec`: a command in the environment of a service; returns its exit code."""
        return self._spawn(name, list(command)).wait()

    def is_healthy(self, name: str) -> bool:
        """What its own health check says."""
        command = [self.mapped(word, name) for word in self.services[name].health]
        if name == POSTGRES and self.database is not None:
            command[0] = str(self.database.tool(command[0]))
        try:
            return self._spawn(name, command, log="health").wait(HEALTH_TAKES_S) == 0
        except subprocess.TimeoutExpired:
            return False

    def wait(self, name: str, within_s: float = HEALTHY_WITHIN_S) -> float:
        """Until it is healthy; returns the seconds. Raises `Unavailable`, with the end of its log."""
        began = time.monotonic()
        while time.monotonic() - began < within_s and self.is_running(name):
            if self.is_healthy(name):
                return time.monotonic() - began
            time.sleep(_LOOK_S)
        raise Unavailable(f"{name} did not get well within {within_s:g} s: {self.said(name)[-2000:]}")

    def up(self, names: Iterable[str]) -> dict[str, float]:
        """Start services one after another, each once those before are well; returns the seconds of each."""
        took: dict[str, float] = {}
        for name in names:
            self.start(name)
            took[name] = self.wait(name)
        return took

    def is_running(self, name: str) -> bool:
        """Whether its process is there."""
        process = self.database.process if name == POSTGRES and self.database else self.running.get(name)
        return process is not None and process.poll() is None

    def said(self, name: str) -> str:
        """Its log so far."""
        file = self.image.root / "data" / "postgres" / "postgres.log" if name == POSTGRES else self.logs / f"{name}.log"  # fmt: skip
        return file.read_text(errors="replace") if file.exists() else ""

    def kill(self, name: str) -> None:
        """kill -9 of the container: whatever runs in it goes, as everything does with the first process of one."""
        if name == POSTGRES and self.database is not None:
            self.database.kill()
            return
        for pid in self._members(name):
            _signal(pid, signal.SIGKILL)
        self.running[name].wait()

    def stop(self) -> list[str]:
        """End everything in the order opposite to its start, gently for as long as the file says; returns who had to be killed."""
        killed = []
        for name, process in reversed(list(self.running.items())):
            # To all of a service where the first process of its container is told to pass it on, else to the command alone.
            whole = "TINI_KILL_PROCESS_GROUP" in self.services[name].environment
            _signal(-process.pid if whole else process.pid, signal.SIGTERM)
            try:
                process.wait(_seconds(str(self.services[name].told.get("stop_grace_period", "10s"))))
            except subprocess.TimeoutExpired:
                killed.append(name)
            for pid in self._members(name):
                _signal(pid, signal.SIGKILL)
            process.wait()
        self.running.clear()
        if self.database is not None:
            self.database.stop()
        return killed

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Start again what ends, as `restart: unless-stopped` does, for as long as this is entered."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(RESTARTED_AFTER_S):
                for name in {POSTGRES, *self.running} - self.away:
                    if not self.is_running(name) and not over.is_set():
                        self.restarts.append(name)
                        self.start(name)

        keeper = threading.Thread(target=look, daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _mount(self, name: str) -> None:
        """Files of the project in the place of the image's."""
        for source, target, *_ in (volume.split(":") for volume in self.services[name].told.get("volumes", ())):  # fmt: skip
            if source.startswith("./") and (PROJECT / source).is_file():
                shutil.copy(PROJECT / source, self.image.inside(target))

    def _start_database(self) -> None:
        """As the image's entry point: a cluster, a database and what `/docker-entrypoint-initdb.d` holds, at the first start."""
        if self.database is None:
            told = self.services[POSTGRES]
            options = [word for word in told.command[1:] if word != "-c"]
            initdb = told.environment.get("POSTGRES_INITDB_ARGS", "").split()
            own = told.environment
            self.database = Postgres(self.image.root / "data" / "postgres", options, initdb, own["POSTGRES_USER"], own["POSTGRES_PASSWORD"], self.ports["5432"])  # fmt: skip
            self.database.make()
            self.database.start()
            for statement in (f"create database {own['POSTGRES_DB']}", *self._scripts()):
                self.database.ask("postgres", statement)
        else:
            self.database.start(wait=False)

    def _scripts(self) -> list[str]:
        mounted = (volume.split(":")[:2] for volume in self.services[POSTGRES].told.get("volumes", ()))
        folders = [Path(source) for source, target in mounted if target == "/docker-entrypoint-initdb.d"]
        return [file.read_text(encoding="utf-8") for folder in folders for file in sorted((PROJECT / folder).glob("*.sql"))]  # fmt: skip

    def _spawn(self, name: str, command: list[str], log: str = "") -> subprocess.Popen[bytes]:
        who = built.user()
        environment = self.environment(name)
        found = _which(command[0], environment["PATH"])
        with (self.logs / f"{log or name}.log").open("ab") as output:
            return subprocess.Popen(
                [found, *command[1:]], cwd=self.image.inside(""), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, user=who, group=who, extra_groups=None if who is None else [],
            )  # fmt: skip

    def _members(self, name: str) -> list[int]:
        """Processes of a service, whoever their parent is by now: they carry its name, and this installation's, in their environment."""
        marks = (f"PGAPPNAME={name}\0".encode(), f"{self.image.root}/".encode())
        return [pid for pid in _pids() if pid != os.getpid() and all(mark in _told(pid) for mark in marks)]


def _addresses(services: Mapping[str, Service]) -> dict[str, str]:
    """Names to addresses: the loopback interface; of services with one command, which take the same port, each further one the next of it."""
    before: Counter[tuple[str, ...]] = Counter()
    found = {}
    for name in sorted(services):
        command = services[name].command
        found[name] = str(ip_address(LOOPBACK) + before[command])
        before[command] += 1
    return found


def _seconds(said: str) -> float:
    """A duration of the file, as `30s`."""
    return float(said.removesuffix("s"))


def _which(tool: str, path: str) -> str:
    found = shutil.which(tool, path=path)
    if found is None:
        raise Unavailable(f"there is no {tool} in the image")
    return found


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _told(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
