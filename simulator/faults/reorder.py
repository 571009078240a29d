"""Frames that overtake one another."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import TIME, Fault
from simulator.faults.holding import Held
from simulator.faults.parameters import OfFrames, Seconds


class Shuffling(OfFrames, frozen=True, kw_only=True):
    within_s: Annotated[Seconds, Meta(description="frames of so long a time are gathered and sent in any order")] = 0.2  # fmt: skip


class Reorder(Fault[Shuffling]):
    """Frames of a short while are sent out of order."""

    name = "reorder"
    takes = Shuffling
    stage = TIME

    def begin(self) -> None:
        self._held = Held(lambda socket, message: self.onward(self, socket, message))

    def holds(self, socket: Socket, message: Message) -> bool:
        if not self.speaks(message):
            return False
        gathered = (self._held.now() // self.given.within_s + 1) * self.given.within_s
        self._held.keep(socket, message, gathered, self.dice.random())
        return True

    def end(self) -> None:
        self._held.release_all()
