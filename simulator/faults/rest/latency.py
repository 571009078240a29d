"""Distance."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.rest.fault import OfRequests, Onward, RestFault


class Distance(OfRequests, frozen=True, kw_only=True):
    ms: Annotated[float, Meta(gt=0, description="so many milliseconds before each answer")] = 50.0
    jitter_ms: Annotated[float, Meta(ge=0, description="up to so many more, drawn")] = 0.0


class Latency(RestFault[Distance]):
    """Answers take their time."""

    name = "latency"
    takes = Distance

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        await asyncio.sleep((self.given.ms + self.dice.random() * self.given.jitter_ms) / 1000)
        return await onward(request)
