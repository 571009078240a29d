"""The catalogue service: `/gamma`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

from aiohttp import web
from multidict import MultiMapping

from simulator import listing
from simulator.errors import Invalid, answer, catalogue
from simulator.listing import TOO_LARGE, Entry

SCHEMA = "https://gamma-api.polymarket.com/schemas/{}.json"
# The edge keeps answers so long; the old lists say so, and that they are over.
CACHED = {"cache-control": "public, max-age=300", "age": "0"}
SUNSET = {"deprecation": "true", "sunset": "Fri, 01 May 2026 00:00:00 GMT", "warning": '299 - "use /markets/keyset"'}  # fmt: skip

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Catalogue(Protocol):
    """Where rows come from: generated or recorded."""

    def markets(self, closed: bool) -> Iterable[Entry]: ...
    def events(self, closed: bool) -> Iterable[Entry]: ...
    def market(self, gamma_id: str) -> Entry | None: ...
    def event(self, event_id: str) -> Entry | None: ...
    def tags(self) -> list[Any]: ...


class Gamma:
    """Its routes."""

    def __init__(self, rows: Catalogue) -> None:
        self._rows = rows

    def routes(self) -> list[web.RouteDef]:
        """Under `/gamma`."""
        return [
            web.get("/markets/keyset", _checked(self._markets)),
            web.get("/events/keyset", _checked(self._events)),
            web.get("/markets", _checked(self._old_markets)),
            web.get("/events", _checked(self._old_events)),
            web.get("/markets/slug/{slug}", self._market_by_slug),
            web.get("/markets/{id}", self._market),
            web.get("/events/slug/{slug}", self._event_by_slug),
            web.get("/events/{id}", self._event),
            web.get("/tags", self._tags),
        ]

    async def _markets(self, request: web.Request) -> web.Response:
        _no_offset(request.query)
        found, cursor = listing.page("markets", self._kept(request.query), request.query)
        return _page("markets", "MarketsKeysetListResponse", _wires(found, request.query), cursor)

    async def _events(self, request: web.Request) -> web.Response:
        _no_offset(request.query)
        entries = listing.keep(self._rows.events(listing.closed_wanted(request.query)), request.query)
        found, cursor = listing.page("events", entries, request.query)
        return _page("events", "EventsKeysetListResponse", [entry.wire for entry in found], cursor)

    async def _old_markets(self, request: web.Request) -> web.Response:
        entries = self._kept(request.query, only_active=False)
        return answer(_wires(_old_page(entries, request.query), request.query), headers=CACHED | SUNSET)

    async def _old_events(self, request: web.Request) -> web.Response:
        entries = listing.keep(self._rows.events(listing.closed_wanted(request.query)), request.query)
        return answer([entry.wire for entry in _old_page(entries, request.query)], headers=CACHED | SUNSET)

    def _kept(self, query: MultiMapping[str], *, only_active: bool = True) -> list[Entry]:
        kept = listing.keep(self._rows.markets(listing.closed_wanted(query)), query)
        return [entry for entry in kept if not only_active or entry.row.get("active")]

    async def _market(self, request: web.Request) -> web.Response:
        gamma_id = request.match_info["id"]
        if not gamma_id.isdigit():
            return catalogue("id is invalid")
        return _single(self._rows.market(gamma_id), "Market")

    async def _event(self, request: web.Request) -> web.Response:
        if not request.match_info["id"].isdigit():
            return catalogue("id is invalid")
        return _single(self._rows.event(request.match_info["id"]), "Event")

    async def _market_by_slug(self, request: web.Request) -> web.Response:
        return _single(self._by_slug(self._rows.markets, request.match_info["slug"]), "Market")

    async def _event_by_slug(self, request: web.Request) -> web.Response:
        return _single(self._by_slug(self._rows.events, request.match_info["slug"]), "Event")

    def _by_slug(self, rows: Callable[[bool], Iterable[Entry]], slug: str) -> Entry | None:
        return next((e for closed in (False, True) for e in rows(closed) if e.row.get("slug") == slug), None)

    async def _tags(self, request: web.Request) -> web.Response:
        return answer(self._rows.tags(), headers=CACHED)


def _checked(handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except Invalid as e:
            return catalogue(str(e))

    return checked


def _no_offset(query: MultiMapping[str]) -> None:
    if "offset" in query:
        raise Invalid("offset is not allowed, use after_cursor")


def _old_page(entries: list[Entry], query: MultiMapping[str]) -> list[Entry]:
    try:
        offset = int(query.get("offset", 0))
    except ValueError as e:
        raise Invalid("offset is invalid") from e
    if offset > listing.MOST_OFFSET:
        raise Invalid(TOO_LARGE)
    return listing.Order.of(query).sort(entries)[offset : offset + listing.limit(query)]


def _wires(entries: list[Entry], query: MultiMapping[str]) -> list[Any]:
    if query.get("include_tag", "").lower() != "true":
        return [entry.wire for entry in entries]
    return [e.wire | {"tags": list(e.tags)} if isinstance(e.wire, dict) else e.wire for e in entries]


def _page(name: str, schema: str, rows: list[Any], cursor: str | None) -> web.Response:
    body: dict[str, Any] = {"$schema": SCHEMA.format(schema), name: rows}
    return answer(body | ({"next_cursor": cursor} if cursor else {}), headers=CACHED)


def _single(entry: Entry | None, schema: str) -> web.Response:
    if entry is None:
        return catalogue("id not found", 404)
    if not isinstance(entry.wire, dict):
        return answer(bytes(entry.wire), headers=CACHED)
    return answer({"$schema": SCHEMA.format(schema), **entry.wire}, headers=CACHED)
