"""Pages of lists that lead in a circle."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import answer
from simulator.faults.rest.fault import OfRequests, Onward, RestFault, read, rows_of, with_next


class StuckCursor(RestFault[OfRequests]):
    """Pages of lists lead to themselves: the cursor that comes is the one that was given."""

    name = "stuck_cursor"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        response = await onward(request)
        page, given = read(response), request.query.get("after_cursor") or request.query.get("cursor")
        if rows_of(page) is None or given is None:
            return response
        self.altered += 1
        return answer(with_next(page, given))
