"""Too many requests, whatever their number."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.errors import answer
from simulator.faults.rest.fault import OfRequests, Onward, RestFault

Whole = Annotated[int, Meta(ge=0)]


class Throttled(OfRequests, frozen=True, kw_only=True):
    retry_after_s: Annotated[Whole | None, Meta(description="what `Retry-After` says; null: there is none")] = 5  # fmt: skip


class Throttle(RestFault[Throttled]):
    """Requests are answered 429."""

    name = "throttle"
    takes = Throttled

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        return too_many(self.given.retry_after_s)


def too_many(retry_after_s: int | None) -> web.Response:
    """As the edge says it."""
    headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return answer({"error": "Too Many Requests"}, 429, headers)
