"""The Data API: `/data/v2/...`; its first version answers 410 unless it is switched on, the second unless it is switched off."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import numpy as np
from aiohttp import web

from simulator import edge, rows, stamps
from simulator.errors import answer, data
from simulator.exchange import BLOCK_AFTER_S, Exchange
from simulator.ladder import ONE
from simulator.market import SERIES, Market
from simulator.trading import Trade

MOST_CONDITIONS, MOST_TRADES, USUAL_TRADES = 20, 1000, 100
MOST_PRICES, WINDOW_S = 1000, 15 * 86_400
# Served spacings, and how old points of each may be.
TIERS = (60, 300, 1800, 10_800, 43_200)
DAY_S = 86_400
KEPT_S = {60: 7 * DAY_S, 300: 60 * DAY_S, 1800: 90 * DAY_S}
# Metadata are joined to a row so long after it appeared; until then its outcome is 999.
JOINED_AFTER_S, NOT_JOINED = 8.0, 999
# The chain makes a block every two seconds; at this Unix second it had this number.
BLOCK_S, EPOCH, EPOCH_BLOCK = 2.0, 1_791_240_000, 95_022_000
GONE = ("/trades", "/activity", "/holders", "/positions", "/oi", "/live-volume", "/value", "/closed-positions")  # fmt: skip


class DataApi:
    """Its routes over an exchange."""

    def __init__(self, exchange: Exchange, *, v1: bool = False, v2: bool = True) -> None:
        self._exchange, self._v1, self._v2 = exchange, v1, v2

    def routes(self) -> list[web.RouteDef]:
        """Under `/data`."""
        old = [web.get(path, _gone) for path in GONE if not (self._v1 and path == "/trades")]
        served = [web.get("/trades", self._old_trades)] if self._v1 else []
        return [*(self._second() if self._v2 else []), *served, *old]

    def _second(self) -> list[web.RouteDef]:
        return [
            web.get("/v2/trades", self._trades),
            web.get("/v2/prices-history", self._history),
            web.get("/v2/resolutions", self._resolutions),
            web.get("/v2/status", self._status),
        ]

    # --- trades ---------------------------------------------------------------------------------------

    async def _trades(self, request: web.Request) -> web.Response:
        query = request.query
        for refused in ("offset", "market"):
            if refused in query:
                return data(f"{refused} is not supported", parameter=refused)
        cursor = opened(query.get("cursor"), "trades")
        if cursor is None:
            return data("cursor is invalid", parameter="cursor")
        limit, skip = whole_number(query.get("limit"), USUAL_TRADES), int(cursor.get("d", 0))
        if limit is None or limit < 1:
            return data("limit is invalid", parameter="limit")
        limit = int(cursor.get("l", min(limit, MOST_TRADES)))
        conditions = _conditions(query)
        if len(conditions) > MOST_CONDITIONS:
            return data(f"at most {MOST_CONDITIONS} conditions", parameter="condition")
        now = float(cursor.get("at", self._exchange.clock()))
        made = self._newest_first(self._asked(conditions, query.get("event_id")), now)
        side = query.get("side", "").upper()
        kept = [pair for pair in made if not side or (side == "BUY") == pair[1].buys]
        found = [_trade(market, one, now) for market, one in kept[skip : skip + limit]]
        more = len(kept) > skip + limit
        return answer(envelope(found, limit, {"type": "trades", "l": limit, "at": now, "d": skip + limit} if more else None))  # fmt: skip

    def _asked(self, conditions: list[str], event_id: str | None) -> list[Market]:
        universe = self._exchange.universe
        if conditions:
            return [
                universe.by_condition[c] for c in conditions if len(c) == 66 and c in universe.by_condition
            ]
        if event_id:
            return [market for market in universe.markets.values() if market.event.id == event_id]
        # The bare feed: what trades now.
        return [universe.markets[market_id] for market_id in self._exchange.live_trades]

    def _newest_first(self, markets: list[Market], now: float) -> list[tuple[Market, Trade]]:
        made = [(market, one) for market in markets for one in self._exchange.trades(market, now)]
        return sorted(made, key=lambda pair: pair[1].at, reverse=True)

    async def _old_trades(self, request: web.Request) -> web.Response:
        conditions = [c for value in request.query.getall("market", []) for c in value.split(",")]
        now = self._exchange.clock()
        made = self._newest_first(self._asked(conditions, request.query.get("eventId")), now)
        offset = whole_number(request.query.get("offset"), 0) or 0
        limit = min(whole_number(request.query.get("limit"), USUAL_TRADES) or USUAL_TRADES, 500)
        return answer([_camel(_trade(m, one, now)) for m, one in made[offset : offset + limit]])

    # --- prices ---------------------------------------------------------------------------------------

    async def _history(self, request: web.Request) -> web.Response:
        query = request.query
        if "offset" in query:
            return data("offset is not supported", parameter="offset")
        cursor = opened(query.get("cursor"), "prices_history")
        if cursor is None:
            return data("cursor is invalid", parameter="cursor")
        now = self._exchange.clock()
        span = _window(query, now)
        if isinstance(span, str):
            return data(span, parameter="start")
        found = self._exchange.universe.by_token.get(query.get("token_id", ""))
        if not query.get("token_id"):
            return data("token_id is required", parameter="token_id")
        limit = int(cursor.get("l", min(whole_number(query.get("limit"), MOST_PRICES) or MOST_PRICES, MOST_PRICES)))  # fmt: skip
        bucket = whole_number(query.get("bucket_seconds"), 60)
        if bucket is None or not 60 <= bucket <= 86_400:
            return data("bucket_seconds must be between 60 and 86400", parameter="bucket_seconds")
        first = max(span[0], cursor.get("ts", -1) + 1)
        points = list(islice(prices_and_payout(found[0], found[1], first, span[1], bucket, now), limit + 1)) if found else []  # fmt: skip
        more = len(points) > limit
        rest = {"type": "prices_history", "l": limit, "ts": points[limit - 1]["timestamp"]} if more else None
        return answer(envelope(points[:limit], limit, rest))

    # --- resolutions ----------------------------------------------------------------------------------

    async def _resolutions(self, request: web.Request) -> web.Response:
        if "offset" in request.query:
            return data("offset is not supported", parameter="offset")
        conditions = _conditions(request.query)
        if not conditions:
            return data("exactly one of question_id, condition, event_id is required", parameter="condition")
        if len(conditions) > MOST_CONDITIONS:
            return data(f"at most {MOST_CONDITIONS} conditions", parameter="condition")
        if any(len(condition) != 66 for condition in conditions):
            return data("condition must be 0x and 64 hex digits", parameter="condition")
        now, universe = self._exchange.clock(), self._exchange.universe
        known = [universe.by_condition[c] for c in dict.fromkeys(conditions) if c in universe.by_condition]
        return answer({"data": [resolution(market, now) for market in known]})

    async def _status(self, request: web.Request) -> web.Response:
        now = self._exchange.clock()
        fresh = {"block": _block(now - BLOCK_AFTER_S), "updated_at": stamps.rfc3339(now - BLOCK_AFTER_S), "lag_seconds": round(BLOCK_AFTER_S)}  # fmt: skip
        return answer({"data": {"status": "ok", "sources": {"trades": fresh, "prices": fresh, "resolutions": fresh}}})  # fmt: skip


def prices(market: Market, side: int, start: float, end: float, step: int, now: float) -> list[tuple[float, float]]:  # fmt: skip
    """Mids of a token on a grid of `step` seconds within [start, end), while it traded."""
    begin = max(start, market.listed_at)
    until = min(end, now, market.ends_at, market.ending.book_until)
    first = -(-begin // step) * step
    if until <= first or not market.has_book or market.placeholder:
        return []
    at = np.arange(first, until, step)
    mid = edge.quoted(market.path.at(at)[market.leg], market.edge)
    # Mids lie on halves of a tick.
    half = np.where((mid < 0.04) | (mid > 0.96), 0.0005, market.tick / ONE / 2)
    first_price = np.clip(np.round(mid / half) * half, 0.0005, 0.9995)
    shown = first_price if side == 0 else 1 - first_price
    return list(zip(at.tolist(), np.round(shown, 4).tolist(), strict=True))


def prices_and_payout(market: Market, side: int, start: float, end: float, bucket: int, now: float) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Rows oldest first; the older, the coarser; the payout last, with spacing 0."""
    asked = max((tier for tier in TIERS if tier <= bucket), default=TIERS[0])
    later, spans = end, []
    for tier in (tier for tier in TIERS if tier >= asked):
        since = _kept_since(tier, now)
        spans.append((max(start, since), later, tier))
        later = min(later, since)
        if later <= start:
            break
    for begin, until, tier in reversed(spans):
        for at, price in prices(market, side, begin, until, tier, now):
            yield {"timestamp": int(at), "price": price, "resolution_seconds": tier}
    closed = market.ending.closed_at
    if start <= closed < end and closed <= now:
        paid = market.ending.payouts[side] / 1_000_000
        yield {"timestamp": int(closed), "price": paid, "resolution_seconds": 0}


def _kept_since(tier: int, now: float) -> float:
    """Whole days are forgotten at once."""
    return float(-np.inf) if tier not in KEPT_S else (now - KEPT_S[tier]) // DAY_S * DAY_S


def _window(query: Any, now: float) -> tuple[float, float] | str:
    ways = [name for name in ("start", "interval", "as_of") if name in query]
    if len(ways) != 1:
        return "exactly one of start, interval, as_of is required"
    if ways == ["interval"]:
        spans = {"1h": 3600, "6h": 21_600, "1d": 86_400, "1w": 604_800, "1m": 2_592_000, "max": now, "all": now}  # fmt: skip
        interval = query["interval"]
        return (now - spans[interval], now + 1) if interval in spans else "interval is invalid"
    start, end = whole_number(query[ways[0]], None), whole_number(query.get("end"), int(now) + 1)
    if ways == ["as_of"]:
        return "as_of is invalid" if start is None else (start - 86_400, start + 1)
    if not start or end is None or start < 0:
        return "start is invalid"
    if end <= start:
        return "end must be after start"
    return (start, end) if end - start <= WINDOW_S else "the window is at most 15 days"


def _trade(market: Market, made: Trade, now: float) -> dict[str, Any]:
    joined = now - made.at > JOINED_AFTER_S
    event = market.event
    return {
        "proxy_wallet": made.wallet, "side": "BUY" if made.buys else "SELL", "token_id": market.tokens[made.side], "condition_id": market.condition_id,
        "size": _whole(made.size / 100), "price": made.price / ONE, "timestamp": int(made.at + BLOCK_AFTER_S), "title": market.question, "slug": market.slug,
        "icon": rows.ICON.format(event.topic.name) if joined else "", "event_slug": event.slug if joined else "", "outcome": market.outcomes[made.side],
        "outcome_index": made.side if joined else NOT_JOINED, "name": "", "pseudonym": "", "bio": "", "profile_image": "", "profile_image_optimized": "",
        "transaction_hash": made.tx,
    }  # fmt: skip


OLD_NAMES = {"token_id": "asset"}


def _camel(row: dict[str, Any]) -> dict[str, Any]:
    """The first version's spelling."""
    named = {}
    for key, value in row.items():
        head, *rest = OLD_NAMES.get(key, key).split("_")
        named[head + "".join(word.capitalize() for word in rest)] = value
    return named


def resolution(market: Market, now: float) -> dict[str, Any]:
    ending, closed = market.ending, market.closed(now)
    history = ending.history(now)
    said: dict[str, Any] = {
        "condition_id": market.condition_id, "status": "resolved" if closed else _status_word(history), "extended_review": False,
        "was_disputed": "disputed" in history, "new_version_q": False,
        "transaction_hash": "" if market.version == "v2" or not closed else market.question_id, "log_index": "" if market.version == "v2" or not closed else "170",
        "last_update_timestamp": stamps.rfc3339(ending.closed_at if closed else (ending.steps[len(history) - 1][0] if history else market.listed_at)),
    }  # fmt: skip
    if market.version == "v2":
        said["market_type"] = "ATOMIC_NEGRISK" if market.event.neg_risk else "BINARY"
    if closed:
        said |= {"payouts": list(ending.payouts), "resolution_source": "reported"}
        if market.version == "v2":
            reporter = "CHAINLINK" if market.event.kind == SERIES else "UMA_OO"
            said |= {"reporter": reporter, "was_arbitrated": False}
        said |= {"resolved_block": _block(ending.closed_at), "resolved_at": stamps.rfc3339(ending.closed_at)}
    return said


def _status_word(history: list[str]) -> str:
    if not history:
        return "active"
    return "reproposed" if history[-1] == "proposed" and "disputed" in history else history[-1]


def _block(at: float) -> int:
    return EPOCH_BLOCK + int((at - EPOCH) / BLOCK_S)


def _conditions(query: Any) -> list[str]:
    said: list[str] = next((query.getall(name) for name in ("condition", "condition_id", "conditionId") if name in query), [])  # fmt: skip
    return [condition for value in said for condition in value.split(",") if condition]


def envelope(found: list[Any], limit: int, cursor: dict[str, Any] | None) -> dict[str, Any]:
    sealed = None if cursor is None else base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()  # fmt: skip
    return {"data": found, "pagination": {"limit": limit, "offset": 0, "has_more": cursor is not None, "next_cursor": sealed}}  # fmt: skip


def opened(cursor: str | None, type_: str) -> dict[str, Any] | None:
    """What a cursor holds; empty without one; None when it is not of ours."""
    if not cursor:
        return {}
    try:
        said = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, msgspec.DecodeError):
        return None
    return said if isinstance(said, dict) and said.get("type") == type_ else None


def whole_number(text: str | None, default: int | None) -> int | None:
    if text is None:
        return default
    try:
        return int(text)
    except ValueError:
        return None


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value


async def _gone(request: web.Request) -> web.Response:
    return data("v1 was retired, use /v2", 410, code="gone")
