"""The edge does not let us in."""

from __future__ import annotations

from aiohttp import web

from simulator.faults.rest.fault import OfRequests, Onward, RestFault


class Blocked(RestFault[OfRequests]):
    """Requests are answered 403 with a web page."""

    name = "blocked"

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        page = "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body>Sorry, you have been blocked</body></html>"
        return web.Response(status=403, text=page, content_type="text/html")
