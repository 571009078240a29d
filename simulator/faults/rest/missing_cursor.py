"""Pages of lists that lead nowhere."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import answer
from simulator.faults.rest.fault import OfRequests, Onward, RestFault, next_of, read, rows_of, with_next


class MissingCursor(RestFault[OfRequests]):
    """Full pages of lists have no cursor though more follows."""

    name = "missing_cursor"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        response = await onward(request)
        page = read(response)
        if rows_of(page) is None or next_of(page) is None:
            return response
        self.altered += 1
        return answer(with_next(page, None))
