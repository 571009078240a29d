"""The venue in a thread of another process: what tests use."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulator import DEFAULT_SEED
from simulator.generated import venue
from simulator.profiles import Profile
from simulator.server import Ports, Server, Venue

# Longer than this no start or stop takes.
PATIENCE_S = 30.0


class Running:
    """A venue that serves until `stop()`; also a context manager."""

    def __init__(self, make: Any, port: int) -> None:
        self._make, self._port = make, port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self.ports: Ports | None = None
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._thread.start()
        if not self._ready.wait(PATIENCE_S):
            raise TimeoutError(f"the simulator did not start within {PATIENCE_S:g} s")
        if self._failed is not None:
            raise self._failed

    @property
    def gamma_url(self) -> str:
        return self._where.base("gamma")

    @property
    def clob_url(self) -> str:
        return self._where.base("clob")

    @property
    def data_url(self) -> str:
        return self._where.base("data")

    @property
    def ws_url(self) -> str:
        return self._where.ws

    @property
    def control_url(self) -> str:
        return self._where.control_url

    def stop(self) -> None:
        """Stop serving; the ledger is whole afterwards."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:  # fmt: skip
        self.stop()

    @property
    def _where(self) -> Ports:
        assert self.ports is not None
        return self.ports

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as e:  # noqa: BLE001 - handed to whoever started us
            self._failed = e
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        made: Venue = self._make()
        server = Server(made)
        self.ports = await server.start(self._port)
        self._ready.set()
        try:
            await server.until(self._ended)
        finally:
            await server.stop()


def replay(folder: Path, *, ledger: Path | None = None, port: int = 0, speed: float = 1.0) -> Running:
    """Serve recorded payloads; `speed` is how many times faster than recorded the socket plays."""
    from simulator.replayed import venue as recorded_venue

    return Running(lambda: recorded_venue(folder, ledger=ledger, speed=speed), port)


def start(*, seed: int = DEFAULT_SEED, ledger: Path | None = None, port: int = 0, profile: str | Profile = "small", **options: Any) -> Running:  # fmt: skip
    """Serve a generated venue on free ports; `options` are those of `generated.venue`."""
    return Running(lambda: venue(seed=seed, ledger=ledger, profile=profile, **options), port)
