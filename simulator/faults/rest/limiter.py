"""The venue's published limits, kept by counting."""

from __future__ import annotations

import time
from collections import deque
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from simulator.faults.parameters import Share
from simulator.faults.rest.fault import OfRequests, Onward, RestFault
from simulator.faults.rest.throttle import too_many

WINDOW_S = 10.0
# Requests in ten seconds by what the path begins with (PROTOCOL section 7); a request counts for each that fits.
PUBLISHED = {
    "/": 15_000, "/gamma": 4_000, "/gamma/markets": 300, "/gamma/events": 500, "/clob": 9_000, "/clob/books": 500,
    "/clob/book?": 1_500, "/clob/midpoints": 500, "/clob/prices-history": 1_000, "/data": 1_000, "/data/v2/trades": 200,
}  # fmt: skip


class Counted(OfRequests, frozen=True, kw_only=True):
    of_published: Annotated[Share, Meta(description="such a share of the published limits")] = 1.0


class Limiter(RestFault[Counted]):
    """Requests beyond the published limits are answered 429; the fault's end tells the fullest ten seconds of each limit."""

    name = "limiter"
    takes = Counted

    def begin(self) -> None:
        self._seen: dict[str, deque[float]] = {prefix: deque() for prefix in PUBLISHED}
        self.fullest = dict.fromkeys(PUBLISHED, 0)

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        now, address = time.monotonic(), f"{request.path}?"
        groups = [prefix for prefix in PUBLISHED if address.startswith(prefix)]
        counts = {prefix: self._count(prefix, now) for prefix in groups}
        if any(count > PUBLISHED[prefix] * self.given.of_published for prefix, count in counts.items()):
            self.altered += 1
            return too_many(1)
        return await onward(request)

    def _count(self, prefix: str, now: float) -> int:
        seen = self._seen[prefix]
        seen.append(now)
        while seen[0] <= now - WINDOW_S:
            seen.popleft()
        self.fullest[prefix] = max(self.fullest[prefix], len(seen))
        return len(seen)

    def tells(self) -> dict[str, object]:
        return {"fullest": self.fullest}
