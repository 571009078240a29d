"""Frames that come more than once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import COPIES, Fault
from simulator.faults.parameters import OfFrames


class Copies(OfFrames, frozen=True, kw_only=True):
    times: Annotated[int, Meta(ge=2, le=10, description="how often each is sent")] = 2


class Duplicate(Fault[Copies]):
    """Frames are sent more than once, one copy right behind the other."""

    name = "duplicate"
    takes = Copies
    stage = COPIES

    def rewrites(self, socket: Socket, message: Message) -> Iterable[Message]:
        if not self.speaks(message):
            return (message,)
        copy = self.altered_to(message, message.text)
        return (message, *(replace(copy, done=None) for _ in range(self.given.times - 1)))
