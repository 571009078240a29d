"""Lists that say they are too deep."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import catalogue
from simulator.faults.rest.fault import OfRequests, Onward, RestFault
from simulator.listing import TOO_LARGE

LISTS = ("/markets", "/events", "/markets/keyset", "/events/keyset")


class OffsetCeiling(RestFault[OfRequests]):
    """Pages of the catalogue's lists are answered 422 as beyond the ceiling of offsets, whatever they are asked with."""

    name = "offset_ceiling"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        if request.path.removeprefix("/gamma") not in LISTS:
            return await onward(request)
        self.altered += 1
        return catalogue(TOO_LARGE)
