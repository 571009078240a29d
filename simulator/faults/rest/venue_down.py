"""The whole venue away."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.connections import Socket
from simulator.faults.rest.fault import OfRequests, Onward, RestFault

HANDSHAKE = 503


class Away(OfRequests, frozen=True, kw_only=True):
    sockets: Annotated[bool, Meta(description="the market socket too: open connections end, new ones are refused")] = True  # fmt: skip


class VenueDown(RestFault[Away]):
    """Connections are cut before anything is answered, those of the market socket too."""

    name = "venue_down"
    takes = Away

    def concerns(self, socket: Socket) -> bool:
        return self.given.sockets

    def begin(self) -> None:
        for socket in list(self.hub.sockets) if self.given.sockets else []:
            socket.drop()

    def turns_away(self) -> int | None:
        return HANDSHAKE if self.given.sockets else None

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=499)
