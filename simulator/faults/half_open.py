"""A connection whose other end is gone without having said so."""

from __future__ import annotations

from simulator.connections import Message, Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfSockets


class HalfOpen(Fault[OfSockets]):
    """The TCP connection stays open; nothing is sent or read any more: no PONG, no close. Ending it breaks the connection off."""

    name = "half_open"

    def begin(self) -> None:
        self._cut: list[Socket] = []
        for socket in self.hub.sockets:
            if self.concerns(socket):
                self.opened(socket)

    def opened(self, socket: Socket) -> None:
        socket.cut()
        self._cut.append(socket)

    def withholds(self, socket: Socket, message: Message) -> bool:
        return True

    def end(self) -> None:
        # What was lost cannot be made up for, so nothing may follow it.
        for socket in self._cut:
            socket.drop()
