"""Bodies that are too large."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.rest.fault import OfRequests, Onward, RestFault, body_of

_CHUNK = b" " * 1_000_000


class Size(OfRequests, frozen=True, kw_only=True):
    megabytes: Annotated[int, Meta(ge=1, le=200, description="how large")] = 33


class HugeBody(RestFault[Size]):
    """Answers are many megabytes of blanks, which JSON allows, before what was asked for."""

    name = "huge_body"
    takes = Size

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        response = await onward(request)
        stream = web.StreamResponse(headers={"Content-Type": "application/json"})
        await stream.prepare(request)
        for _ in range(self.given.megabytes):
            await stream.write(_CHUNK)
        await stream.write(body_of(response))
        await stream.write_eof()
        return stream
