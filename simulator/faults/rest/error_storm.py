"""Errors of the service itself."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.rest.fault import OfRequests, Onward, RestFault


class Storm(OfRequests, frozen=True, kw_only=True):
    status: Annotated[int, Meta(ge=500, le=599, description="the HTTP status")] = 503


class ErrorStorm(RestFault[Storm]):
    """Requests are answered with an error of the service."""

    name = "error_storm"
    takes = Storm

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        return web.Response(status=self.given.status, text="upstream connect error", content_type="text/plain")  # fmt: skip
