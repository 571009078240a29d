"""The market socket: subscriptions, dumps, keep-alive, and handing out frames (PROTOCOL section 8).

Each socket has a queue and a writer of its own, so that a slow reader holds up nobody; one that falls too far behind is closed with
1013 as the venue does. A trade's line in the ledger names the sockets whose writer handed it to the network.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from aiohttp import WSMsgType, web

from simulator.books import Snapshot
from simulator.ledger import Ledger

# Frames that may wait for one reader before it counts as too slow.
MOST_WAITING = 20_000
# Ids in one frame beyond which the venue hangs up, and how soon.
MOST_IDS_IN_A_FRAME, HANGS_UP_AFTER_S = 1_000, 0.1
# Books in one dump message: a client's buffer is finite.
BOOKS_IN_A_DUMP = 50
# Clients say PING every ten seconds; silence for this long ends the connection.
PING_TIMEOUT_S, LOOK_EVERY_S = 15.0, 1.0

Done = Callable[[bool], None]


class Books(Protocol):
    """Where dumps come from."""

    def book(self, token: str) -> Snapshot | None: ...


@dataclass(eq=False)
class Socket:
    """One connection."""

    number: int
    ws: web.WebSocketResponse
    heard_at: float
    tokens: set[str] = field(default_factory=set)
    custom: bool = False
    subscribed: bool = False
    waiting: asyncio.Queue[tuple[str, Done | None]] = field(default_factory=asyncio.Queue)

    def put(self, text: str, done: Done | None = None) -> None:
        self.waiting.put_nowait((text, done))


class Hub:
    """All connections, and who listens to what."""

    def __init__(self, books: Books, ledger: Ledger, clock: Callable[[], float], ping_timeout_s: float = PING_TIMEOUT_S) -> None:  # fmt: skip
        self._books, self._ledger, self._clock, self._patience = books, ledger, clock, ping_timeout_s
        self._numbers = itertools.count(1)
        self.sockets: set[Socket] = set()
        self._listeners: dict[str, set[Socket]] = {}

    # --- handing out ----------------------------------------------------------------------------------

    def hears(self, tokens: Iterable[str]) -> set[Socket]:
        """The sockets that listen to any of the tokens."""
        found: set[Socket] = set()
        for token in tokens:
            found |= self._listeners.get(token, set())
        return found

    def send(self, type_: str, tokens: Sequence[str], texts: Sequence[str], *, to: Iterable[Socket], condition_id: str) -> None:  # fmt: skip
        """Hand frames to sockets, and note it in one line."""
        sockets = sorted(to, key=lambda socket: socket.number)
        if not sockets or not texts:
            return
        for socket in sockets:
            for text in texts:
                socket.put(text)
            self._bound(socket)
        self._ledger.write("frames", type=type_, condition_id=condition_id, token_ids=list(tokens), count=len(texts), sockets=[socket.number for socket in sockets])  # fmt: skip

    def send_trade(self, text: str, token: str, line: dict[str, Any]) -> None:
        """Hand a trade to its listeners; its line follows when the last of them has it, or is gone."""
        at, sockets = self._clock(), sorted(self._listeners.get(token, ()), key=lambda socket: socket.number)
        handed: list[int] = []
        left = len(sockets)

        def done(socket: Socket, ok: bool) -> None:
            nonlocal left
            left -= 1
            if ok:
                handed.append(socket.number)
            if not left:
                self._ledger.write("trade", at, **line, sockets=sorted(handed))

        for socket in sockets:
            socket.put(text, lambda ok, socket=socket: done(socket, ok))  # type: ignore[misc]
            self._bound(socket)
        if not sockets:
            self._ledger.write("trade", at, **line, sockets=[])

    def _bound(self, socket: Socket) -> None:
        if socket.waiting.qsize() > MOST_WAITING:
            asyncio.ensure_future(self._close(socket, 1013, "slow consumer: send buffer full"))  # noqa: RUF006

    # --- one connection -------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """The handler of `/ws/market`."""
        ws = web.WebSocketResponse(compress=False, autoping=True, max_msg_size=8 << 20)
        await ws.prepare(request)
        socket = Socket(next(self._numbers), ws, self._clock())
        self.sockets.add(socket)
        self._ledger.write("open", socket=socket.number)
        writer = asyncio.create_task(self._write(socket))
        watcher = asyncio.create_task(self._watch(socket, request))
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    await self._said(socket, message.data)
        finally:
            writer.cancel()
            watcher.cancel()
            self._forget(socket)
        return ws

    async def _write(self, socket: Socket) -> None:
        while True:
            text, done = await socket.waiting.get()
            ok = False
            try:
                await socket.ws.send_str(text)
                ok = True
            except ConnectionError:
                return
            finally:
                if done:
                    done(ok)

    async def _watch(self, socket: Socket, request: web.Request) -> None:
        """Drop a client that stays silent, without a word, as the venue does."""
        while self._clock() - socket.heard_at < self._patience:
            await asyncio.sleep(min(LOOK_EVERY_S, self._patience / 4))
        self._ledger.write("dropped", socket=socket.number, why="no PING")
        if request.transport is not None:
            request.transport.close()

    def _forget(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        for token in socket.tokens:
            self._listeners.get(token, set()).discard(socket)
        while not socket.waiting.empty():
            _, done = socket.waiting.get_nowait()
            if done:
                done(False)
        self._ledger.write("close", socket=socket.number, code=socket.ws.close_code)

    async def _close(self, socket: Socket, code: int, reason: str) -> None:
        await socket.ws.close(code=code, message=reason.encode())

    async def close_all(self) -> None:
        """Going away."""
        await asyncio.gather(*(self._close(socket, 1001, "going away") for socket in list(self.sockets)))

    # --- what clients say -----------------------------------------------------------------------------

    async def _said(self, socket: Socket, text: str) -> None:
        if text == "PING":
            socket.heard_at = self._clock()
            socket.put("PONG")
            self._ledger.write("pong", socket=socket.number)
            return
        asked = _asked(text)
        if asked is None:
            socket.put("INVALID OPERATION")
            return
        socket.heard_at = self._clock()
        if len(asked["assets_ids"]) > MOST_IDS_IN_A_FRAME:
            await asyncio.sleep(HANGS_UP_AFTER_S)
            await self._close(socket, 1009, "message too big")
        elif asked.get("operation") == "unsubscribe":
            self._unsubscribe(socket, asked["assets_ids"])
        else:
            self._subscribe(socket, asked)

    def _subscribe(self, socket: Socket, asked: dict[str, Any]) -> None:
        # Applied before ids are looked at: a later frame without it switches it off.
        socket.custom = bool(asked.get("custom_feature_enabled", False))
        socket.subscribed = True
        new = [token for token in dict.fromkeys(asked["assets_ids"]) if token not in socket.tokens]
        socket.tokens.update(new)
        for token in new:
            self._listeners.setdefault(token, set()).add(socket)
        self._ledger.write("subscribe", socket=socket.number, token_ids=new, custom=socket.custom)
        if asked.get("initial_dump", True):
            self._dump(socket, new)

    def _dump(self, socket: Socket, tokens: list[str]) -> None:
        found = [(token, book) for token in tokens if (book := self._books.book(token)) is not None]
        for some in _batches(found, BOOKS_IN_A_DUMP):
            socket.put("[" + ",".join(book.dump() for _, book in some) + "]\n")
            self._ledger.write("frames", type="dump", token_ids=[token for token, _ in some], count=1, sockets=[socket.number])  # fmt: skip

    def _unsubscribe(self, socket: Socket, tokens: list[str]) -> None:
        for token in tokens:
            socket.tokens.discard(token)
            self._listeners.get(token, set()).discard(socket)
        self._ledger.write("unsubscribe", socket=socket.number, token_ids=tokens)


def _asked(text: str) -> dict[str, Any] | None:
    """A subscription as an object with a list of ids; None for anything else."""
    try:
        asked = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    if not isinstance(asked, dict) or not isinstance(asked.setdefault("assets_ids", []), list):
        return None
    asked["assets_ids"] = [str(token) for token in asked["assets_ids"]]
    return asked


def _batches(rows: list[Any], most: int) -> Iterable[list[Any]]:
    return (rows[i : i + most] for i in range(0, len(rows), most))
