"""Pages of lists that lead nowhere."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import answer
from simulator.faults.rest.fault import NEXT, OfRequests, Onward, RestFault, read, rows_of


class MissingCursor(RestFault[OfRequests]):
    """Full pages of lists have no cursor though more follows."""

    name = "missing_cursor"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        response = await onward(request)
        page = read(response)
        if rows_of(page) is None or NEXT not in page:
            return response
        self.altered += 1
        return answer({name: value for name, value in page.items() if name != NEXT})
