"""The market socket: subscriptions, dumps, keep-alive, and handing out frames (PROTOCOL section 8).

Each socket has a queue and a writer of its own, so that a slow reader holds up nobody; one that falls too far behind is closed with
1013 as the venue does. A trade's line in the ledger names the sockets whose writer handed it to the network. Every message passes
`Hub.hand`: there the faults that are on have their say.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec
from aiohttp import WSMsgType, web

from simulator.books import Snapshot
from simulator.connections import GONE, INVALID, PONG, Message, Socket
from simulator.faults.board import Board
from simulator.ledger import Ledger

# Frames that may wait for one reader before it counts as too slow.
MOST_WAITING = 20_000
SLOW = (1013, "slow consumer: send buffer full")
# Ids in one frame beyond which the venue hangs up, and how soon.
MOST_IDS_IN_A_FRAME, HANGS_UP_AFTER_S = 1_000, 0.1
# Books in one dump message: a client's buffer is finite.
BOOKS_IN_A_DUMP = 50
# Clients say PING every ten seconds; silence for this long ends the connection.
PING_TIMEOUT_S, LOOK_EVERY_S = 15.0, 1.0


class Books(Protocol):
    """Where dumps come from, and which market a token belongs to."""

    def book(self, token: str) -> Snapshot | None: ...

    def condition(self, token: str) -> str | None: ...


class Hub:
    """All connections, and who listens to what."""

    def __init__(self, books: Books, ledger: Ledger, clock: Callable[[], float], ping_timeout_s: float = PING_TIMEOUT_S, seed: int = 0) -> None:  # fmt: skip
        self.books, self.ledger, self.clock, self._patience = books, ledger, clock, ping_timeout_s
        self._numbers = itertools.count(1)
        self.sockets: set[Socket] = set()
        self._listeners: dict[str, set[Socket]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.faults = Board(self, seed)

    # --- handing out ----------------------------------------------------------------------------------

    def hears(self, tokens: Iterable[str]) -> set[Socket]:
        """The sockets that listen to any of the tokens."""
        found: set[Socket] = set()
        for token in tokens:
            found |= self._listeners.get(token, set())
        return found

    def send(self, type_: str, tokens: Sequence[str], texts: Sequence[str], *, to: Iterable[Socket], condition_id: str) -> None:  # fmt: skip
        """Hand frames to sockets, and note it in one line for all that got as many; faults note what they touched themselves."""
        messages = [Message(text, type_, tokens, condition_id) for text in texts]
        numbers: dict[int, list[int]] = {}
        for socket in sorted(to, key=lambda socket: socket.number):
            count = sum([self.hand(socket, message) for message in messages])
            numbers.setdefault(count, []).append(socket.number)
        numbers.pop(0, None)
        for count, handed in numbers.items():
            self.ledger.write("frames", type=type_, condition_id=condition_id, token_ids=list(tokens), count=count, sockets=handed)  # fmt: skip

    def send_trade(self, text: str, token: str, line: dict[str, Any]) -> None:
        """Hand a trade to its listeners; its line follows when the last of them has it, or will never have it."""
        at, sockets = self.clock(), sorted(self._listeners.get(token, ()), key=lambda socket: socket.number)
        handed: list[int] = []
        withheld: dict[str, str] = {}
        left = len(sockets)

        def done(socket: Socket, why: str | None) -> None:
            nonlocal left
            left -= 1
            if why is None:
                handed.append(socket.number)
            elif why != GONE:
                withheld[str(socket.number)] = why
            if not left:
                self.ledger.write("trade", at, **line, sockets=sorted(handed), **({"withheld": withheld} if withheld else {}))  # fmt: skip

        message = Message(text, "last_trade_price", (token,), line["condition_id"])
        for socket in sockets:
            self.hand(socket, replace(message, done=lambda why, socket=socket: done(socket, why)))  # type: ignore[misc]
        if not sockets:
            self.ledger.write("trade", at, **line, sockets=[])

    def hand(self, socket: Socket, message: Message) -> bool:
        """Queue a message, or do with it what the faults will; whether it was queued just so and at once."""
        if self.faults.on:
            return self.faults.hand(socket, message)
        return self.put(socket, message)

    def put(self, socket: Socket, message: Message) -> bool:
        """Queue a message past all faults; whether it was taken."""
        taken = socket.put(message)
        if socket.waiting.qsize() > MOST_WAITING:
            self._hang_up(socket, *SLOW)
        return taken

    # --- one connection -------------------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The handler of `/ws/market`."""
        if (status := self.faults.turns_away()) is not None:
            self.ledger.write("refused", status=status)
            return web.Response(status=status, text="unavailable")
        ws = web.WebSocketResponse(compress=False, autoping=True, max_msg_size=8 << 20)
        await ws.prepare(request)
        socket = Socket(next(self._numbers), ws, request, self.clock())
        self.sockets.add(socket)
        self.ledger.write("open", socket=socket.number)
        tasks = [asyncio.create_task(task) for task in (socket.write(), self._watch(socket))]
        try:
            self.faults.opened(socket)
            async for message in ws:
                if message.type is WSMsgType.TEXT and not socket.cut_off:
                    await self._said(socket, message.data)
        finally:
            for task in tasks:
                task.cancel()
            self._forget(socket)
        return ws

    async def _watch(self, socket: Socket) -> None:
        """Drop a client that stays silent, without a word, as the venue does; of one that is cut off nobody notices."""
        while socket.cut_off or self.clock() - socket.heard_at < self._patience:
            await asyncio.sleep(min(LOOK_EVERY_S, self._patience / 4))
        self.ledger.write("dropped", socket=socket.number, why="no PING")
        if socket.request.transport is not None:
            socket.request.transport.close()

    def _forget(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        for token in socket.tokens:
            self._listeners.get(token, set()).discard(socket)
        socket.forget()
        self.ledger.write("close", socket=socket.number, code=socket.ws.close_code)

    def close(self, socket: Socket, code: int, reason: str) -> None:
        """Say so and hang up, after what waits already."""
        socket.part(lambda: self._hang_up(socket, code, reason))

    def _hang_up(self, socket: Socket, code: int, reason: str) -> None:
        """At once; a client may take its time to answer, nobody waits for it."""
        socket.leaving = True
        task = asyncio.ensure_future(self._close(socket, code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, socket: Socket, code: int, reason: str) -> None:
        if not socket.cut_off:
            await socket.ws.close(code=code, message=reason.encode())

    async def close_all(self) -> None:
        """Going away; faults end first."""
        self.faults.end_all("stopped")
        await asyncio.gather(*(self._close(socket, 1001, "going away") for socket in list(self.sockets)))

    # --- what clients say -----------------------------------------------------------------------------

    async def _said(self, socket: Socket, text: str) -> None:
        if text == "PING":
            socket.heard_at = self.clock()
            if self.hand(socket, Message(PONG, PONG)):
                self.ledger.write("pong", socket=socket.number)
            return
        asked = _asked(text)
        if asked is None:
            self.hand(socket, Message(INVALID, INVALID))
            return
        socket.heard_at = self.clock()
        if len(asked["assets_ids"]) > MOST_IDS_IN_A_FRAME:
            await asyncio.sleep(HANGS_UP_AFTER_S)
            await self._close(socket, 1009, "message too big")
        elif self.faults.rejects(socket):
            self.ledger.write("rejected", socket=socket.number, token_ids=asked["assets_ids"])
            self.hand(socket, Message(INVALID, INVALID))
        elif asked.get("operation") == "unsubscribe":
            self._unsubscribe(socket, asked["assets_ids"])
        else:
            self._subscribe(socket, asked)

    def _subscribe(self, socket: Socket, asked: dict[str, Any]) -> None:
        # Applied before ids are looked at: a later frame without it switches it off.
        socket.custom = bool(asked.get("custom_feature_enabled", False))
        new = [token for token in dict.fromkeys(asked["assets_ids"]) if token not in socket.tokens]
        socket.tokens.update(dict.fromkeys(new))
        for token in new:
            self._listeners.setdefault(token, set()).add(socket)
        self.ledger.write("subscribe", socket=socket.number, token_ids=new, custom=socket.custom)
        self.faults.subscribed(socket, new)
        if asked.get("initial_dump", True):
            self._dump(socket, new)

    def _dump(self, socket: Socket, tokens: list[str]) -> None:
        found = [(token, book) for token in tokens if (book := self.books.book(token)) is not None]
        for some in _batches(found, BOOKS_IN_A_DUMP):
            told = [token for token, _ in some]
            text = "[" + ",".join(book.dump() for _, book in some) + "]\n"
            if self.hand(socket, Message(text, "dump", told)):
                self.ledger.write("frames", type="dump", token_ids=told, count=1, sockets=[socket.number])

    def _unsubscribe(self, socket: Socket, tokens: list[str]) -> None:
        for token in tokens:
            socket.tokens.pop(token, None)
            self._listeners.get(token, set()).discard(socket)
        self.ledger.write("unsubscribe", socket=socket.number, token_ids=tokens)
        self.faults.subscribed(socket, [])


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
