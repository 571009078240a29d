"""A service that does not read what it is asked."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.rest.fault import OfRequests, Onward, RestFault

# What leads from page to page is read: without it every list would be endless, which is another fault.
PAGING = ("after_cursor", "limit", "cursor")


class Unread(OfRequests, frozen=True, kw_only=True):
    names: Annotated[tuple[str, ...], Meta(description="these parameters; none named: all but those of paging")] = ()  # fmt: skip


class IgnoredParameters(RestFault[Unread]):
    """Parameters are ignored: filters do not filter."""

    name = "ignored_parameters"
    takes = Unread

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        kept = [(name, value) for name, value in request.query.items() if not self._ignores(name)]
        self.altered += len(kept) < len(request.query)
        return await onward(request.clone(rel_url=request.rel_url.with_query(kept)))

    def _ignores(self, name: str) -> bool:
        return name in self.given.names if self.given.names else name not in PAGING
