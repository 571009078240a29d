"""The order-book service: `/clob`."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from aiohttp import web

from simulator import books, data, stamps
from simulator.books import Snapshot
from simulator.errors import answer, clob
from simulator.exchange import Exchange
from simulator.market import Market

MOST_BOOKS = 500
NO_BOOK = "No orderbook exists for the requested token id"
INTERVALS_S = {"1h": 3600, "6h": 21_600, "1d": 86_400, "1w": 604_800, "1m": 2_592_000}
# Above this a range is refused.
LONGEST_RANGE_S = 15 * 86_400
# Of resolved markets the old price history has nothing finer.
LEAST_OF_RESOLVED_S = 3600


class Clob:
    """Its routes over an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """Under `/clob`."""
        return [
            web.get("/ok", _ok),
            web.get("/time", _time),
            web.get("/book", self._book),
            web.post("/books", self._books),
            web.get("/price", self._price),
            web.get("/midpoint", self._midpoint),
            web.post("/midpoints", self._midpoints),
            web.get("/spread", self._spread),
            web.get("/last-trade-price", self._last),
            web.get("/tick-size", self._tick),
            web.get("/neg-risk", self._neg_risk),
            web.get("/fee-rate", self._fee),
            web.get("/markets/{condition}", self._market),
            web.get("/clob-markets/{condition}", self._compact),
            web.get("/prices-history", self._history),
        ]

    async def _book(self, request: web.Request) -> web.Response:
        token = request.query.get("token_id", "")
        if not token.isdigit():
            return clob("Invalid token id")
        book = self._exchange.book(token)
        return clob(NO_BOOK, 404) if book is None else answer(book.rest().encode())

    async def _books(self, request: web.Request) -> web.Response:
        tokens = asked_tokens(await request.read())
        if tokens is None:
            return clob("Invalid payload")
        if len(tokens) > MOST_BOOKS:
            return clob("Payload exceeds the limit")
        found = [book.rest() for token in tokens if (book := self._exchange.book(token)) is not None]
        return answer(f"[{','.join(found)}]".encode())

    def _shown(self, request: web.Request) -> Snapshot | None:
        return self._exchange.book(request.query.get("token_id", ""))

    async def _price(self, request: web.Request) -> web.Response:
        book, side = self._shown(request), request.query.get("side", "").upper()
        if side not in ("BUY", "SELL"):
            return clob("Invalid side")
        if book is None:
            return clob(NO_BOOK, 404)
        levels = book.side.bids if side == "BUY" else book.side.asks
        return answer({"price": levels[-1][0] if levels else "0"})

    async def _midpoint(self, request: web.Request) -> web.Response:
        book = self._shown(request)
        if book is None:
            return clob(NO_BOOK, 404)
        return answer({"mid": _mid(book)})

    async def _midpoints(self, request: web.Request) -> web.Response:
        tokens = asked_tokens(await request.read())
        if tokens is None:
            return clob("Invalid payload")
        if len(tokens) > MOST_BOOKS:
            return clob("Payload exceeds the limit")
        books = {token: self._exchange.book(token) for token in tokens}
        return answer({token: _mid(book) for token, book in books.items() if book is not None})

    async def _spread(self, request: web.Request) -> web.Response:
        book = self._shown(request)
        if book is None:
            return clob(NO_BOOK, 404)
        return answer({"spread": _decimal(float(book.side.best_ask) - float(book.side.best_bid))})

    async def _last(self, request: web.Request) -> web.Response:
        found = self._exchange.universe.by_token.get(request.query.get("token_id", ""))
        trades = self._exchange.trades(found[0], self._exchange.clock()) if found else []
        if not trades:
            return answer({"price": "0.5", "side": ""})
        side = "BUY" if trades[-1].buys else "SELL"
        return answer({"price": books.price(trades[-1].price), "side": side})

    def _market_of(self, request: web.Request) -> Market | None:
        found = self._exchange.universe.by_token.get(request.query.get("token_id", ""))
        return found[0] if found else None

    async def _tick(self, request: web.Request) -> web.Response:
        market = self._market_of(request)
        if market is None:
            return clob("market not found", 404)
        return answer({"minimum_tick_size": self._exchange.figures(market).tick / 1000})

    async def _neg_risk(self, request: web.Request) -> web.Response:
        market = self._market_of(request)
        return (
            clob("market not found", 404) if market is None else answer({"neg_risk": market.event.neg_risk})
        )

    async def _fee(self, request: web.Request) -> web.Response:
        if self._market_of(request) is None:
            return clob("fee rate not found for market", 404)
        return answer({"base_fee": 1000})

    def _by_condition(self, request: web.Request) -> Market | None:
        """Ids of 64 hex only."""
        condition = request.match_info["condition"]
        return self._exchange.universe.by_condition.get(condition) if len(condition) == 66 else None

    async def _market(self, request: web.Request) -> web.Response:
        market = self._by_condition(request)
        return clob("market not found", 404) if market is None else answer(self._full(market))

    async def _compact(self, request: web.Request) -> web.Response:
        market = self._by_condition(request)
        return clob("market not found", 404) if market is None else answer(self._short(market))

    def _full(self, market: Market) -> dict[str, Any]:
        now, event = self._exchange.clock(), market.event
        closed = market.closed(now)
        figures = self._exchange.figures(market)
        return {
            "enable_order_book": market.has_book and not closed, "active": not market.placeholder, "closed": closed, "archived": False,
            "accepting_orders": market.trades(now), "accepting_order_timestamp": stamps.rfc3339(market.listed_at), "minimum_order_size": 5,
            "minimum_tick_size": figures.tick / 1000, "condition_id": market.condition_id, "question_id": market.question_id,
            "question": market.question, "description": market.description, "market_slug": market.slug,
            "end_date_iso": None if market.end_date is None else stamps.rfc3339(market.end_date),
            "game_start_time": stamps.rfc3339(event.starts_at) if market.sports_type and event.starts_at else None,
            "seconds_delay": 3 if market.sports_type else 0, "fpmm": "", "maker_base_fee": 1000, "taker_base_fee": 1000, "notifications_enabled": True,
            "neg_risk": event.neg_risk, "neg_risk_market_id": event.neg_risk_id or "", "neg_risk_request_id": market.question_id if event.neg_risk else "",
            "icon": "", "image": "", "rewards": {"rates": None, "min_size": 50, "max_spread": 4.5},
            "is_50_50_outcome": closed and market.ending.outcome is None, "tokens": _tokens(market, figures.mid, closed),
            "tags": [label for _, label, _ in event.topic.tags],
        }  # fmt: skip

    def _short(self, market: Market) -> dict[str, Any]:
        said: dict[str, Any] = {
            "r": {"mi": 50, "ma": 4.5, "moas": 30},
            "t": [{"t": t, "o": o} for t, o in zip(market.tokens, market.outcomes, strict=True)],
            "c": market.condition_id,
            "mos": 5,
            "mts": self._exchange.figures(market).tick / 1000,
            "mbf": 1000,
            "tbf": 1000,
            "ao": market.trades(self._exchange.clock()),
        }
        if market.event.neg_risk:
            said["nr"] = True
        if market.sports_type:
            said["cbos"] = True
        said["aot"] = stamps.rfc3339(market.listed_at)
        if market.crypto:
            said["itode"] = True
        return said | {"fd": {"r": market.event.topic.fee_rate, "e": 1, "to": True}, "v": market.version}

    async def _history(self, request: web.Request) -> web.Response:
        """The old price history: `{"history": [{"t", "p"}]}`."""
        found = self._exchange.universe.by_token.get(request.query.get("market", ""))
        if found is None:
            return answer({"history": []})
        now = self._exchange.clock()
        span = _span(request, found[0], now)
        if isinstance(span, str):
            return clob(span)
        step = max(int(request.query.get("fidelity", "1") or 1), 1) * 60
        has_any = step >= LEAST_OF_RESOLVED_S or not found[0].closed(now)
        points = data.prices(found[0], found[1], span[0], span[1], step, now) if has_any else []
        return answer({"history": [{"t": int(at), "p": price} for at, price in points]})


def _span(request: web.Request, market: Market, now: float) -> tuple[float, float] | str:
    interval = request.query.get("interval")
    if interval in ("max", "all"):
        return market.listed_at, now
    if interval in INTERVALS_S:
        return now - INTERVALS_S[interval], now
    try:
        start, end = float(request.query["startTs"]), float(request.query.get("endTs", now))
    except (KeyError, ValueError):
        return "startTs and endTs, or interval, are required"
    return (start, end) if end - start <= LONGEST_RANGE_S else "interval is too long"


def asked_tokens(body: bytes) -> list[str] | None:
    """Token ids of a batch; a list wrapped in an object asks for nothing; None when it is no JSON."""
    try:
        asked = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
    rows_ = asked if isinstance(asked, list) else []
    return [str(row.get("token_id", "")) for row in rows_ if isinstance(row, dict)]


def _tokens(market: Market, mid: float, closed: bool) -> list[dict[str, Any]]:
    prices = [payout / 1_000_000 for payout in market.ending.payouts] if closed else [mid, 1 - mid]
    return [
        {"token_id": token, "outcome": outcome, "price": _number(round(price, 4)), "winner": closed and market.ending.outcome == side}
        for side, (token, outcome, price) in enumerate(zip(market.tokens, market.outcomes, prices, strict=True))
    ]  # fmt: skip


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _decimal(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


def _mid(book: Snapshot) -> str:
    return _decimal((float(book.side.best_bid) + float(book.side.best_ask)) / 2)


async def _ok(request: web.Request) -> web.Response:
    return web.Response(text="OK")


async def _time(request: web.Request) -> web.Response:
    return answer(int(time.time()))
