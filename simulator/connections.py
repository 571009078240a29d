"""One client's connection: what it listens to, and what waits to be written to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aiohttp import web

PONG, INVALID = "PONG", "INVALID OPERATION"
# Why a message was not handed over, beside the name of a fault: its reader went away.
GONE = "gone"
# Told once of each message that asks for it: None when it was handed to the network, otherwise why not.
Done = Callable[[str | None], None]


@dataclass(eq=False)
class Message:
    """What one WebSocket frame says, and of which tokens; `faults` are those that changed it or held it back."""

    text: str
    type: str
    tokens: Sequence[str] = ()
    condition_id: str = ""
    done: Done | None = None
    faults: tuple[str, ...] = ()

    @property
    def is_frame(self) -> bool:
        """Whether it is data rather than a bare word."""
        return self.type not in (PONG, INVALID)


@dataclass(frozen=True)
class Farewell:
    """The last thing that waits: what to do when everything before it was handed over."""

    say: Callable[[], None]


@dataclass(eq=False)
class Socket:
    """One connection. `tokens` are in order of subscription; one that is `leaving` takes nothing more; through one that is `cut_off` nothing passes either way."""

    number: int
    ws: web.WebSocketResponse
    request: web.Request
    heard_at: float
    tokens: dict[str, None] = field(default_factory=dict)
    custom: bool = False
    cut_off: bool = False
    leaving: bool = False
    waiting: asyncio.Queue[Message | Farewell] = field(default_factory=asyncio.Queue)

    def put(self, message: Message) -> bool:
        """Queue a message; whether it was taken."""
        if self.leaving:
            if message.done:
                message.done(GONE)
            return False
        self.waiting.put_nowait(message)
        return True

    def part(self, say: Callable[[], None]) -> None:
        """Take nothing more, and say farewell after what waits."""
        if not self.leaving:
            self.leaving = True
            self.waiting.put_nowait(Farewell(say))

    async def write(self) -> None:
        """Hand over what waits, in order, for as long as the connection lasts."""
        while True:
            message = await self.waiting.get()
            if isinstance(message, Farewell):
                message.say()
                return
            why: str | None = GONE
            try:
                await self.ws.send_str(message.text)
                why = None
            except ConnectionError:
                return
            finally:
                if message.done:
                    message.done(why)

    def forget(self) -> None:
        """The connection is gone, and with it what still waited."""
        self.leaving = True
        while not self.waiting.empty():
            message = self.waiting.get_nowait()
            if isinstance(message, Message) and message.done:
                message.done(GONE)

    def drop(self) -> None:
        """End the connection without a word."""
        self.leaving = True
        if self.request.transport is not None:
            self.request.transport.abort()

    def cut(self) -> None:
        """Read nothing more; the other side is not told."""
        self.cut_off = True
        if self.request.transport is not None:
            self.request.transport.pause_reading()
