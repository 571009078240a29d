"""Frames that come late."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.connections import Message, Socket
from simulator.faults.fault import TIME, Fault
from simulator.faults.holding import Held
from simulator.faults.parameters import OfFrames, Seconds


class Lateness(OfFrames, frozen=True, kw_only=True):
    delay_s: Annotated[Seconds, Meta(description="how late they come")] = 5.0
    jitter_s: Annotated[float, Meta(ge=0, description="up to so much later still, each its own: order is lost")] = 0.0  # fmt: skip


class Delay(Fault[Lateness]):
    """Frames are sent late; what still waits at the end goes out then."""

    name = "delay"
    takes = Lateness
    stage = TIME

    def begin(self) -> None:
        self._held = Held(lambda socket, message: self.onward(self, socket, message))

    def holds(self, socket: Socket, message: Message) -> bool:
        if not self.speaks(message):
            return False
        late = self.given.delay_s + self.dice.random() * self.given.jitter_s
        self._held.keep(socket, message, self._held.now() + late)
        return True

    def end(self) -> None:
        self._held.release_all()
