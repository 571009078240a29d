"""Heartbeats that are not answered."""

from __future__ import annotations

from simulator.connections import PONG, Message, Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfSockets


class NoPong(Fault[OfSockets]):
    """Data flows, PING is not answered."""

    name = "no_pong"

    def withholds(self, socket: Socket, message: Message) -> bool:
        return message.type == PONG

    def tokens_of(self, socket: Socket) -> list[str]:
        """Of no token anything is missing."""
        return []
