"""A venue with one day of closed markets, for `past`: prices and trades of each, every answer after 50 milliseconds.

Rows are those of the simulator with ids of their own; prices and trades are made up beforehand, so that what is measured is
the one who asks. Its limits are counted by nobody.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from benchmarks.wide_venue import LATENCY_S, ROWS_A_PAGE, condition, token
from simulator.catalogue import Generated
from simulator.exchange import Exchange
from simulator.profiles import SMALL
from simulator.universe import Universe

TRADES_EACH = 100
# A day of five minutes: a market that was listed the day before it closed.
POINTS_EACH, SPACING_S = 288, 300
_HOUR_S = 3_600


class Past:
    """What closed yesterday, by number."""

    def __init__(self, markets: int) -> None:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self._markets, self._day = markets, midnight - timedelta(days=1)
        self._row = _template()
        self._points = self._made_points()
        self._trades = self._made_trades()

    def routes(self) -> list[web.RouteDef]:
        """Under one address."""
        return [
            web.get("/gamma/markets/keyset", self._list),
            web.get("/data/v2/status", self._status),
            web.get("/data/v2/prices-history", self._prices),
            web.get("/data/v2/trades", self._fills),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        """The latest close has number 0; backwards it is the other way round."""
        await asyncio.sleep(LATENCY_S)
        numbers = range(self._markets)
        if request.query.get("ascending") != "false":
            numbers = numbers[::-1]
        first = int(request.query.get("after_cursor", 0))
        rows = [self._made(n) for n in numbers[first : first + ROWS_A_PAGE]]
        more = {"next_cursor": str(first + ROWS_A_PAGE)} if first + ROWS_A_PAGE < self._markets else {}
        return _json(msgspec.json.encode({"markets": rows, **more}))

    async def _status(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY_S)
        return _json(b'{"data":{"status":"ok"}}')

    async def _prices(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY_S)
        return _json(self._points)

    async def _fills(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY_S)
        asked = request.query["condition"]
        return _json(self._trades.replace(b"CONDITION", asked.encode()).replace(b"TOKEN", token(int(asked, 16) - 1).encode()))  # fmt: skip

    def _made(self, n: int) -> dict[str, Any]:
        closed = self._day + timedelta(hours=23) - timedelta(milliseconds=n)
        ids = msgspec.json.encode([token(n), token(-n - 1)]).decode()
        return {
            **self._row, "id": str(1_000_000 + n), "conditionId": condition(n), "slug": f"market-{n}", "clobTokenIds": ids,
            "closedTime": closed.strftime("%Y-%m-%d %H:%M:%S.%f+00"), "endDate": _rfc3339(closed), "acceptingOrdersTimestamp": _rfc3339(self._day - timedelta(days=1)),
        }  # fmt: skip

    def _made_points(self) -> bytes:
        last = int(self._day.timestamp()) + 22 * _HOUR_S
        rows = [{"timestamp": last - SPACING_S * k, "price": 0.3 + k % 400 / 1_000, "resolution_seconds": SPACING_S} for k in range(POINTS_EACH, 0, -1)]  # fmt: skip
        return msgspec.json.encode({"data": rows, "pagination": _LAST})

    def _made_trades(self) -> bytes:
        last = int(self._day.timestamp()) + 22 * _HOUR_S
        rows = [
            {
                "proxy_wallet": f"0x{k:040x}", "side": "BUY" if k % 3 else "SELL", "token_id": "TOKEN", "condition_id": "CONDITION", "size": 10 + k / 7,
                "price": 0.3 + k % 400 / 1_000, "timestamp": last - 60 * k, "title": "Will it?", "slug": "will-it", "icon": "https://icon", "event_slug": "it",
                "outcome": "Yes", "outcome_index": 0, "name": "", "pseudonym": "", "bio": "", "profile_image": "", "profile_image_optimized": "",
                "transaction_hash": f"0x{k + 1:064x}",
            }
            for k in range(TRADES_EACH)
        ]  # fmt: skip
        return msgspec.json.encode({"data": rows, "pagination": _LAST})


_LAST = {"limit": 1_000, "offset": 0, "has_more": False, "next_cursor": None}


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _rfc3339(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _template() -> dict[str, Any]:
    """A closed v1 row of the simulator, tags and parent included, as large as the venue's."""
    now = time.time()
    exchange = Exchange(Universe(1, SMALL, now), 1, lambda: now)
    rows = (entry.row | {"tags": list(entry.tags)} for entry in Generated(exchange).markets(closed=True))
    row = next(row for row in rows if row.get("enableOrderBook") and "positionIds" not in row)
    return {**row, "volumeNum": 12_345.0, "description": "what decides it. " * 200, "gameStartTime": None}


async def _serve(given: argparse.Namespace) -> None:
    app = web.Application()
    app.add_routes(Past(given.markets).routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--markets", type=int, required=True)
    asyncio.run(_serve(parser.parse_args()))
