"""What faults share that make single tokens of a socket silent: frames about several tokens go out without those."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from simulator.connections import Message, Socket
from simulator.faults.fault import CONTENT, Fault
from simulator.faults.parameters import OfSockets

# Live frames have a blank after commas, none after colons.
LIVE = (", ", ":")

P = TypeVar("P", bound=OfSockets)


class Silence(Fault[P]):
    """A fault by which tokens fall silent."""

    stage = CONTENT

    def silent(self, socket: Socket, token: str) -> bool:
        """Whether nothing is said of a token on a socket."""
        raise NotImplementedError

    def spares(self, message: Message) -> bool:
        """Whether a frame comes all the same."""
        return False

    def rewrites(self, socket: Socket, message: Message) -> Iterable[Message]:
        if message.type not in WITHOUT or self.spares(message):
            return (message,)
        left = [token for token in message.tokens if not self.silent(socket, token)]
        if not left or len(left) == len(message.tokens):
            return (message,)
        told = self.altered_to(message, WITHOUT[message.type](message.text, set(left)))
        told.tokens = left
        return (told,)

    def withholds(self, socket: Socket, message: Message) -> bool:
        wanted = [token for token in message.tokens if token in socket.tokens]
        return bool(wanted) and not self.spares(message) and all(self.silent(socket, token) for token in wanted)  # fmt: skip


def _change(text: str, left: set[str]) -> str:
    said = json.loads(text)
    said["price_changes"] = [entry for entry in said["price_changes"] if entry["asset_id"] in left]
    return json.dumps(said, separators=LIVE)


class _Named(msgspec.Struct):
    asset_id: str


def _dump(text: str, left: set[str]) -> str:
    books = msgspec.json.decode(text, type=list[msgspec.Raw])
    kept = [bytes(book) for book in books if msgspec.json.decode(book, type=_Named).asset_id in left]
    return f"[{b','.join(kept).decode()}]\n"


# How each type of frame reads without some of its tokens.
WITHOUT = {"price_change": _change, "dump": _dump}
