"""Nothing for seconds, then everything."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import TIME, Fault
from simulator.faults.holding import Held
from simulator.faults.parameters import OfTokens, Seconds


class Bursts(OfTokens, frozen=True, kw_only=True):
    every_s: Annotated[Seconds, Meta(description="how long everything waits")] = 10.0


class Burst(Fault[Bursts]):
    """Everything is held back, PONG too if no tokens are chosen, and sent at once every so many seconds."""

    name = "burst"
    takes = Bursts
    stage = TIME

    def begin(self) -> None:
        self._held = Held(lambda socket, message: self.onward(self, socket, message))
        self._began = self._held.now()

    def holds(self, socket: Socket, message: Message) -> bool:
        if self.given.chosen and not self.speaks(message):
            return False
        past = (self._held.now() - self._began) // self.given.every_s
        self._held.keep(socket, message, self._began + (past + 1) * self.given.every_s)
        return True

    def end(self) -> None:
        self._held.release_all()
