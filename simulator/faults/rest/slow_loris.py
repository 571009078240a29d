"""Bodies that never end."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.parameters import Seconds
from simulator.faults.rest.fault import OfRequests, Onward, RestFault, body_of


class Drip(OfRequests, frozen=True, kw_only=True):
    every_s: Annotated[Seconds, Meta(description="the pause between two bytes")] = 1.0


class SlowLoris(RestFault[Drip]):
    """Answers come byte by byte, with a pause before each, until the fault ends."""

    name = "slow_loris"
    takes = Drip

    def begin(self) -> None:
        self._over = asyncio.Event()

    def end(self) -> None:
        self._over.set()

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        body = body_of(await onward(request))
        stream = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})  # fmt: skip
        await stream.prepare(request)
        for sent in range(len(body)):
            if self._over.is_set():
                await stream.write(body[sent:])
                break
            await stream.write(body[sent : sent + 1])
            await asyncio.wait([asyncio.ensure_future(self._over.wait())], timeout=self.given.every_s)
        await stream.write_eof()
        return stream
