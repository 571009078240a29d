"""The console on a real port, as tests ask it.

with served(settings_of(lake)) as console:
    console.json("/api/monitoring/health")
    console.part("overview", "tiers")
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
import uvicorn

from console.app import made
from console.place import Place
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings

LOOPBACK = "127.0.0.1"
# What takes longer hangs.
_WITHIN_S = 20.0
# What an endpoint, and a part, say while it is looked at for the first time.
_NOT_YET = ("it is being looked at; the answer is here in a moment", "data-soon")


@dataclass(frozen=True)
class Console:
    """A console that answers at `address`; `place` is what it looks at."""

    address: str
    place: Place
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, path: str, method: str = "GET", **given: Any) -> requests.Response:
        """An answer, whatever its status; redirects are not followed."""
        return self.session.request(method, f"{self.address}{path}", timeout=_WITHIN_S, allow_redirects=False, **given)  # fmt: skip

    def json(self, path: str, status: int = 200, **params: Any) -> Any:
        """The JSON at a path, once what it is of was looked at; fails on another status."""
        answer = self._settled(path, params)
        assert answer.status_code == status, (answer.status_code, answer.text[:600])
        return answer.json()

    def page(self, path: str) -> str:
        """The HTML of a page, without its parts."""
        answer = self.ask(path)
        assert answer.status_code == 200, (answer.status_code, answer.text[:600])
        return answer.text

    def part(self, page: str, part: str, **params: Any) -> str:
        """The HTML of a part, once what it is of was looked at; what `of` a page is stands among the parameters."""
        answer = self._settled(f"/parts/{page}/{part}", params)
        assert answer.status_code == 200, (answer.status_code, answer.text[:600])
        return answer.text

    def _settled(self, path: str, params: dict[str, Any]) -> requests.Response:
        until = time.monotonic() + _WITHIN_S
        while True:
            answer = self.ask(path, params=params)
            if not any(words in answer.text for words in _NOT_YET) or time.monotonic() > until:
                return answer
            time.sleep(0.05)


def settings_of(lake: Lake | Path | None = None, **given: Any) -> Settings:
    """Settings that name a lake (None: none) and nothing else of this machine, unless it is given."""
    root = lake.root if isinstance(lake, Lake) else str(lake) if lake else None
    nobody = f"http://{LOOPBACK}:{free_port()}"
    venue = {f"polymarket_{service}_url": nobody for service in ("gamma", "clob", "data")}
    told = {"stream_status_urls": (nobody,), "mlflow_tracking_uri": nobody, "dagster_home": None, **venue, **given}  # fmt: skip
    return Settings(_env_file=None, lake_root=root, **told)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def served(settings: Settings, *, clock: Callable[[], datetime] | None = None) -> Iterator[Console]:
    """The console of an installation until the block ends, over a real socket."""
    place = Place(settings, clock=clock) if clock else Place(settings)
    with socket.socket() as listening:
        listening.bind((LOOPBACK, 0))
        config = uvicorn.Config(made(place), log_level="warning", access_log=False, server_header=False, lifespan="off", timeout_graceful_shutdown=1)  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        with contextlib.closing(requests.Session()) as session:
            session.trust_env = False
            _await(server, thread)
            try:
                yield Console(f"http://{LOOPBACK}:{listening.getsockname()[1]}", place, session)
            finally:
                server.should_exit = True
                thread.join(_WITHIN_S)


def _await(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + _WITHIN_S
    while not server.started:
        assert thread.is_alive(), "the console did not start"
        assert time.monotonic() < until, "the console did not start in time"
        time.sleep(0.01)
