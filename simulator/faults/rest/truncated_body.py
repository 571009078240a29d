"""Bodies that are broken."""

from __future__ import annotations

from aiohttp import web

from simulator.faults.rest.fault import OfRequests, Onward, RestFault, body_of


class TruncatedBody(RestFault[OfRequests]):
    """JSON ends in the middle, though the answer is whole."""

    name = "truncated_body"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        body = body_of(await onward(request))
        return web.Response(body=body[: self.dice.randint(1, max(1, len(body) - 1))], content_type="application/json")  # fmt: skip
