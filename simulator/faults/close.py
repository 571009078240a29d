"""Connections that the venue ends."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from simulator.connections import Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import OfSockets

# No close frame may carry it: the connection just ends.
ABNORMAL = 1006
# What is said beside the code, unless told otherwise.
REASONS = {1000: "", 1001: "going away", ABNORMAL: "", 1011: "internal error", 1012: "service restart", 1013: "slow consumer: send buffer full"}  # fmt: skip
# A close frame has room for so many bytes beside the code.
Reason = Annotated[str, Meta(max_length=123, pattern="^[ -~]*$")]


class Closing(OfSockets, frozen=True, kw_only=True):
    code: Annotated[Literal[1000, 1001, 1006, 1011, 1012, 1013], Meta(description="1006: the TCP connection ends without a close frame")] = 1001  # fmt: skip
    reason: Annotated[
        Reason | None, Meta(description="what is said beside the code; each code has its own")
    ] = None


class Close(Fault[Closing]):
    """Sockets are closed with a code and a reason; with for_s and all sockets, those that open in that time too."""

    name = "close"
    takes = Closing
    momentary = True

    def begin(self) -> None:
        for socket in list(self.hub.sockets):
            if self.concerns(socket):
                self.opened(socket)

    def opened(self, socket: Socket) -> None:
        if self.given.code == ABNORMAL:
            socket.drop()
            return
        reason = REASONS[self.given.code] if self.given.reason is None else self.given.reason
        self.hub.close(socket, self.given.code, reason)
