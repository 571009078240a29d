"""A venue of recorded payloads, put together: it answers with what was recorded, as it was, and with nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from simulator import captures, recordings
from simulator.clob import MOST_BOOKS, NO_BOOK, asked_tokens
from simulator.data import MOST_TRADES, envelope, opened, whole_number
from simulator.errors import answer, clob, data
from simulator.gamma import Gamma
from simulator.ledger import FLUSH_EVERY_S, Ledger
from simulator.listing import Entry
from simulator.recordings import NothingRecorded, Recorded
from simulator.server import Venue

QUOTES = {"buy": "price_buy", "sell": "price_sell"}


def venue(folder: Path, *, ledger: Path | None = None, speed: float = 1.0) -> Venue:
    """Raises `NothingRecorded`."""
    recorded, sessions = recordings.find(folder), captures.find(folder)
    if not recorded.count and not sessions:
        raise NothingRecorded(
            f"{folder} holds no recorded payloads: expected gamma/, clob/, data/ or ws/ in it"
        )
    told = Ledger(ledger)
    player = captures.Player(sessions, told, speed)
    services = {
        "gamma": Gamma(Rows(recorded)).routes(),
        "clob": Books(recorded).routes(),
        "data": Data(recorded).routes(),
    }

    def summary() -> dict[str, Any]:
        counts = {name: len(getattr(recorded, name)) for name in recorded.__dataclass_fields__}
        return {**counts, "captures": len(sessions), "sockets": len(player.sockets), "requests": told.counts.get("response", 0)}  # fmt: skip

    return Venue(services, player.serve, [_flush(told)], summary, told, player.close_all)


async def _flush(ledger: Ledger) -> None:
    while True:
        await asyncio.sleep(FLUSH_EVERY_S)
        ledger.flush()


class Rows:
    """Recorded rows of the catalogue."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def markets(self, closed: bool) -> Iterable[Entry]:
        return [e for e in self._recorded.markets.values() if bool(e.row.get("closed")) == closed]

    def events(self, closed: bool) -> Iterable[Entry]:
        return [e for e in self._recorded.events.values() if bool(e.row.get("closed")) == closed]

    def market(self, gamma_id: str) -> Entry | None:
        return self._recorded.markets.get(gamma_id)

    def event(self, event_id: str) -> Entry | None:
        return self._recorded.events.get(event_id)

    def tags(self) -> list[Any]:
        return list(self._recorded.tags.values())


class Books:
    """Recorded answers of the order-book service."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def routes(self) -> list[web.RouteDef]:
        """Under `/clob`."""
        return [
            web.get("/ok", self._ok),
            web.get("/book", self._book),
            web.post("/books", self._books),
            web.get("/price", self._price),
            web.get("/midpoint", self._midpoint),
            web.get("/markets/{condition}", self._full),
            web.get("/clob-markets/{condition}", self._compact),
            web.get("/prices-history", self._history),
        ]

    async def _ok(self, request: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def _book(self, request: web.Request) -> web.Response:
        return _found(self._recorded.books.get(request.query.get("token_id", "")), NO_BOOK)

    async def _books(self, request: web.Request) -> web.Response:
        tokens = asked_tokens(await request.read())
        if tokens is None:
            return clob("Invalid payload")
        if len(tokens) > MOST_BOOKS:
            return clob("Payload exceeds the limit")
        return answer([self._recorded.books[t] for t in tokens if t in self._recorded.books])

    async def _price(self, request: web.Request) -> web.Response:
        return self._quote(request, QUOTES.get(request.query.get("side", "").lower(), ""))

    async def _midpoint(self, request: web.Request) -> web.Response:
        return self._quote(request, "midpoint")

    def _quote(self, request: web.Request, name: str) -> web.Response:
        return _found(self._recorded.quotes.get(request.query.get("token_id", ""), {}).get(name), NO_BOOK)

    async def _full(self, request: web.Request) -> web.Response:
        return _found(self._recorded.full.get(request.match_info["condition"]), "market not found")

    async def _compact(self, request: web.Request) -> web.Response:
        return _found(self._recorded.compact.get(request.match_info["condition"]), "market not found")

    async def _history(self, request: web.Request) -> web.Response:
        held = self._recorded.old_prices.get(request.query.get("market", ""))
        points = [] if held is None else msgspec.json.decode(held, type=dict[str, msgspec.Raw])["history"]
        return answer({"history": points})


class Data:
    """Recorded answers of the Data API. Pages of prices name no token and are given for any."""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def routes(self) -> list[web.RouteDef]:
        """Under `/data`."""
        return [
            web.get("/v2/trades", self._trades),
            web.get("/v2/prices-history", self._prices),
            web.get("/v2/resolutions", self._resolutions),
            web.get("/v2/holders", self._holders),
            web.get("/v2/live-volume", self._volume),
            web.get("/trades", self._old_trades),
            web.get("/activity", self._old_trades),
        ]

    async def _trades(self, request: web.Request) -> web.Response:
        cursor = opened(request.query.get("cursor"), "trades")
        if "offset" in request.query or cursor is None:
            return data("offset is not supported" if cursor is not None else "cursor is invalid")
        rows = _of(self._recorded.trades, request, "condition")
        skip = int(cursor.get("d", 0))
        limit = int(cursor.get("l", min(whole_number(request.query.get("limit"), 100) or 100, MOST_TRADES)))
        following = {"type": "trades", "l": limit, "d": skip + limit}
        return answer(envelope(rows[skip : skip + limit], limit, following if len(rows) > skip + limit else None))  # fmt: skip

    async def _old_trades(self, request: web.Request) -> web.Response:
        return answer(_of(self._recorded.old_trades, request, "market"))

    async def _prices(self, request: web.Request) -> web.Response:
        pages = self._recorded.price_pages
        # The recorded cursor leads nowhere: what followed was not recorded.
        if not pages or "cursor" in request.query:
            return answer(envelope([], 1000, None))
        return answer(bytes(pages[0]))

    async def _resolutions(self, request: web.Request) -> web.Response:
        return answer({"data": _of(self._recorded.resolutions, request, "condition")})

    async def _holders(self, request: web.Request) -> web.Response:
        return answer({"data": self._recorded.holders})

    async def _volume(self, request: web.Request) -> web.Response:
        return answer({"data": next(iter(self._recorded.live_volume), None)})


def _of(rows: list[tuple[str, msgspec.Raw]], request: web.Request, name: str) -> list[msgspec.Raw]:
    """The rows of the conditions asked for; all when none is named."""
    wanted = {condition for value in request.query.getall(name, []) for condition in value.split(",")}
    return [raw for condition, raw in rows if not wanted or condition in wanted]


def _found(raw: msgspec.Raw | None, why: str) -> web.Response:
    return clob(why, 404) if raw is None else answer(bytes(raw))
