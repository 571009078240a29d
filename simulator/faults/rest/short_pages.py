"""Pages that have fewer rows than asked for."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.rest.fault import OfRequests, Onward, RestFault


class Short(OfRequests, frozen=True, kw_only=True):
    rows: Annotated[int, Meta(description="so many at the most", ge=1)] = 10


class ShortPages(RestFault[Short]):
    """Pages of lists are short, and more of them follow: what a venue may do at any time."""

    name = "short_pages"
    takes = Short

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        self.altered += 1
        kept = [(name, value) for name, value in request.query.items() if name != "limit"]
        asked = request.rel_url.with_query([*kept, ("limit", str(self.given.rows))])
        return await onward(request.clone(rel_url=asked))
