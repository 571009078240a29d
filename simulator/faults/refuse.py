"""A venue that is not there for new connections."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from simulator.connections import Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import Parameters


class Refusal(Parameters, frozen=True, kw_only=True):
    status: Annotated[int, Meta(ge=400, le=599, description="the HTTP status that answers the handshake")] = 503  # fmt: skip
    drop: Annotated[bool, Meta(description="open connections end when it begins: an outage of the socket alone")] = False  # fmt: skip


class Refuse(Fault[Refusal]):
    """New connections are refused at the handshake for as long as it is on."""

    name = "refuse"
    takes = Refusal

    def concerns(self, socket: Socket) -> bool:
        return self.given.drop

    def begin(self) -> None:
        for socket in list(self.hub.sockets) if self.given.drop else []:
            socket.drop()

    def turns_away(self) -> int:
        return self.given.status
