"""Ports and processes of it: three listeners on loopback, and the tasks that keep the venue going."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.errors import answer, clob
from simulator.ledger import Ledger

HOST = "127.0.0.1"
# Clients that keep a connection open must not hold up the end.
SHUTDOWN_S = 0.5
# A hundred ids of 66 characters, each with its parameter's name, are one request line.
LONGEST_LINE = 64 << 10

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PortBusy(Exception):
    """Somebody else listens there."""


@dataclass(frozen=True)
class Ports:
    """Where everything is served."""

    http: int
    socket: int
    control: int

    def base(self, service: str) -> str:
        return f"http://{HOST}:{self.http}/{service}"

    @property
    def ws(self) -> str:
        return f"ws://{HOST}:{self.socket}/ws/market"

    @property
    def control_url(self) -> str:
        return f"http://{HOST}:{self.control}"


@dataclass
class Venue:
    """What is served: routes by service, the socket's handler, tasks, and what the control port tells and does."""

    services: dict[str, list[web.RouteDef]]
    socket: Handler
    loops: list[Coroutine[Any, Any, None]]
    summary: Callable[[], dict[str, Any]]
    ledger: Ledger
    close: Callable[[], Awaitable[None]]
    control: Sequence[web.RouteDef] = ()
    # What stands between a request and its handler; it names the faults that happened to it.
    faults: Callable[[web.Request, Handler], Awaitable[tuple[web.StreamResponse, list[str]]]] | None = None


class Server:
    """Serves a venue until told to stop."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, port: int) -> Ports:
        """Listen on `port` and the two after it, or on three free ones if it is 0. Raises `PortBusy`."""
        apps = (self._http(), self._socket(), self._control())
        try:
            ports = [await self._listen(app, port + i if port else 0) for i, app in enumerate(apps)]
        except PortBusy:
            await self.stop()
            raise
        self._tasks = [asyncio.create_task(loop) for loop in self._venue.loops]
        return Ports(*ports)

    async def until(self, ended: asyncio.Event) -> None:
        """Serve until `ended`; raises what a task of the venue raised, should one fail."""
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait([waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for task in self._tasks:
            if task.done():
                task.result()

    async def stop(self) -> None:
        """Close everything; the ledger is whole."""
        for loop in self._venue.loops if not self._tasks else []:
            loop.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._venue.close()
        for runner in self._runners:
            await runner.cleanup()
        self._venue.ledger.close()

    async def _listen(self, app: web.Application, port: int) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, max_line_size=LONGEST_LINE)
        self._runners.append(runner)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise
            raise PortBusy(f"port {port} is busy: stop what listens there, or choose another with --port") from e  # fmt: skip
        return int(runner.addresses[0][1])

    def _http(self) -> web.Application:
        app = web.Application(middlewares=[self._noted], client_max_size=64 << 20)
        for service, routes in self._venue.services.items():
            app.add_routes([web.route(r.method, f"/{service}{r.path}", r.handler) for r in routes])
        return app

    @web.middleware
    async def _noted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Every answer is in the ledger; nameless clients are turned away."""
        if request.headers.get("User-Agent", "").startswith("Python-urllib"):
            response: web.StreamResponse = web.Response(status=403, text="<html>error code: 1010</html>", content_type="text/html")  # fmt: skip
            faults: list[str] = []
        else:
            response, faults = await self._served(request, handler)
        size = len(response.body) if isinstance(response, web.Response) and isinstance(response.body, bytes) else 0  # fmt: skip
        self._venue.ledger.write("response", method=request.method, path=request.path_qs, status=response.status, bytes=size, faults=faults)  # fmt: skip
        return response

    async def _served(self, request: web.Request, handler: Handler) -> tuple[web.StreamResponse, list[str]]:
        async def known(asked: web.Request) -> web.StreamResponse:
            return await _known(asked, handler)

        if self._venue.faults is None:
            return await known(request), []
        return await self._venue.faults(request, known)

    def _socket(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/ws/market", self._venue.socket)
        return app

    def _control(self) -> web.Application:
        async def health(request: web.Request) -> web.Response:
            return answer({"status": "ok"})

        async def summary(request: web.Request) -> web.Response:
            return answer(self._venue.summary())

        app = web.Application()
        app.add_routes([web.get("/health", health), web.get("/summary", summary), *self._venue.control])
        return app


async def _known(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return clob("not found", 404)
    except web.HTTPMethodNotAllowed:
        return clob("method not allowed", 405)
