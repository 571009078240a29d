"""A market socket that does what it is told: it serves dumps, says what a test says, falls silent, closes."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web

# A test that waits longer than this waits in vain.
PATIENCE_S = 15.0


def wait_until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError(f"in vain: {what}")


def condition(n: int) -> str:
    return f"0x{n:064x}"


def tokens(n: int) -> tuple[str, str]:
    return (f"{10_000 + 2 * n}", f"{10_001 + 2 * n}")


def now_ms() -> str:
    return str(int(time.time() * 1000))


def book(token: str) -> dict[str, Any]:
    n, second = divmod(int(token) - 10_000, 2)
    bid, ask = ("0.5", "0.52") if second else ("0.48", "0.5")
    return {
        "market": condition(n), "asset_id": token, "timestamp": now_ms(), "hash": "h",
        "bids": [{"price": bid, "size": "10"}], "asks": [{"price": ask, "size": "20"}],
        "tick_size": "0.01", "event_type": "book", "last_trade_price": "",
    }  # fmt: skip


def trade(n: int, tx: int) -> dict[str, Any]:
    return {
        "market": condition(n), "asset_id": tokens(n)[0], "price": "0.5", "size": "12.5", "fee_rate_bps": "0",
        "side": "BUY", "timestamp": now_ms(), "event_type": "last_trade_price", "transaction_hash": f"0x{tx:064x}",
    }  # fmt: skip


class OddVenue:
    """One aiohttp server in a thread; every method may be called from the test's own."""

    def __init__(self) -> None:
        self.sockets: list[web.WebSocketResponse] = []
        # Every message of every connection, by connection in order of arrival.
        self.received: list[list[str]] = []
        self.dumps = True
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(PATIENCE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/market"

    @property
    def open(self) -> list[web.WebSocketResponse]:
        return [socket for socket in self.sockets if not socket.closed]

    @property
    def subscribed(self) -> set[str]:
        """The tokens of all connections ever made, less those unsubscribed."""
        held: set[str] = set()
        for said in self.received:
            for message in said:
                if message != "PING":
                    asked = json.loads(message)
                    ids = set(asked["assets_ids"])
                    held = held - ids if asked.get("operation") == "unsubscribe" else held | ids
        return held

    def say(self, *messages: object) -> None:
        """Send messages on every open connection; text goes out as it is."""
        for message in messages:
            text = message if isinstance(message, str) else json.dumps(message)
            self._do(self._say(text))

    def close(self, code: int = 1013, reason: bytes = b"slow consumer") -> None:
        """Close every connection."""
        self._do(self._close(code, reason))

    def _do(self, what: Any) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE_S)

    async def _say(self, text: str) -> None:
        for socket in self.open:
            await socket.send_str(text)

    async def _close(self, code: int, reason: bytes) -> None:
        for socket in self.open:
            await socket.close(code=code, message=reason)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/ws/market", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        said: list[str] = []
        self.sockets.append(socket)
        self.received.append(said)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                said.append(message.data)
                await self._answer(socket, message.data)
        return socket

    async def _answer(self, socket: web.WebSocketResponse, text: str) -> None:
        if text == "PING":
            await socket.send_str("PONG")
        elif self.dumps and (asked := json.loads(text)).get("operation") != "unsubscribe":
            await socket.send_str(json.dumps([book(token) for token in asked["assets_ids"]]) + "\n")
