"""A socket that looks alive and is not."""

from __future__ import annotations

from simulator.connections import PONG, Message, Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfSockets


class FreezeSocket(Fault[OfSockets]):
    """A socket gets nothing more, though PING is still answered by PONG and subscriptions are accepted."""

    name = "freeze_socket"

    def withholds(self, socket: Socket, message: Message) -> bool:
        return message.type != PONG
