"""A limit of tokens per socket that nobody is told of."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Annotated, Any

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.parameters import OfSockets
from simulator.faults.silence import Silence


class Cap(OfSockets, frozen=True, kw_only=True):
    tokens: Annotated[int, Meta(ge=0, description="the first so many tokens of a socket are served")] = 500
    dump: Annotated[bool, Meta(description="the others still get their first book")] = False


class SilentCap(Silence[Cap]):
    """Subscriptions beyond so many tokens per socket are accepted and not served; unsubscribing makes room."""

    name = "silent_cap"
    takes = Cap

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._unserved: dict[int, set[str]] = {}

    def tokens_of(self, socket: Socket) -> Iterable[str]:
        """Those beyond, in order of subscription; asked again whenever that changes."""
        self._unserved[socket.number] = set(islice(socket.tokens, self.given.tokens, None))
        return self._unserved[socket.number]

    def silent(self, socket: Socket, token: str) -> bool:
        return token in self._unserved.get(socket.number, ())

    def spares(self, message: Message) -> bool:
        return self.given.dump and message.type == "dump"
