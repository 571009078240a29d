"""What a fault of REST is: it stands between a request and the service that would answer it.

Those that are on stand in a row, in the order in which they began; each may answer itself, change what is asked, or
change what comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from simulator.connections import Socket
from simulator.faults.fault import Fault
from simulator.faults.parameters import Parameters, Share

# Where a page of a list says how to ask for the next: itself, or beside its rows.
NEXT, BESIDE = "next_cursor", "pagination"

Onward = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OfRequests(Parameters, frozen=True, kw_only=True):
    """Of faults that some requests have."""

    service: Annotated[Literal["all", "gamma", "clob", "data"], Meta(description="of this service")] = "all"
    path: Annotated[str, Meta(description='whose path begins so behind the service: "/books"')] = "/"
    chance: Annotated[Share, Meta(description="the share of requests that it happens to")] = 1.0


P = TypeVar("P", bound=OfRequests)


class RestFault(Fault[P]):
    """One that was switched on."""

    takes = OfRequests

    def concerns(self, socket: Socket) -> bool:
        return False

    def meets(self, request: web.Request) -> bool:
        """Whether it happens to a request."""
        service, _, rest = request.path.lstrip("/").partition("/")
        given = self.given
        return (
            given.service in ("all", service)
            and f"/{rest}".startswith(given.path)
            and (given.chance >= 1 or self.dice.random() < given.chance)
        )

    async def serve(self, request: web.Request, onward: Onward) -> web.StreamResponse:
        """The answer in its place."""
        return await onward(request)


def read(response: web.StreamResponse) -> Any:
    """The JSON of a good answer; None of any other."""
    if response.status != 200:
        return None
    try:
        return msgspec.json.decode(body_of(response))
    except msgspec.DecodeError:
        return None


def rows_of(page: Any) -> tuple[str, list[Any]] | None:
    """The name and the rows of a page of a list; None of anything else."""
    if not isinstance(page, dict):
        return None
    return next(((name, value) for name, value in page.items() if isinstance(value, list)), None)


def body_of(response: web.StreamResponse) -> bytes:
    """The bytes of an answer."""
    return response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""


def next_of(page: dict[str, Any]) -> str | None:
    """The cursor of the next page, where there is one."""
    cursor: str | None = page.get(BESIDE, page).get(NEXT)
    return cursor


def with_next(page: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    """The page with another cursor; the catalogue leaves out what the Data API writes as null."""
    if BESIDE in page:
        return {**page, BESIDE: {**page[BESIDE], NEXT: cursor}}
    kept = {name: value for name, value in page.items() if name != NEXT}
    return kept if cursor is None else {**kept, NEXT: cursor}
