"""Rows that come twice."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import answer
from simulator.faults.rest.fault import OfRequests, Onward, RestFault, read, rows_of


class RepeatedRows(RestFault[OfRequests]):
    """Lists have every row twice."""

    name = "repeated_rows"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        response = await onward(request)
        page = read(response)
        if isinstance(page, list):
            return answer(page + page)
        found = rows_of(page)
        if found is None:
            return response
        self.altered += 1
        return answer({**page, found[0]: found[1] * 2})
