"""A venue as wide as the real one, for `wide`: 80,000 open markets and books of 60 levels, each answer after 50 milliseconds.

Rows are those of the simulator with ids of their own; books are made up beforehand, so that what is measured is the one
who asks. Its limits are counted by nobody.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import msgspec
from aiohttp import web

from simulator.catalogue import Generated
from simulator.chance import digest
from simulator.exchange import Exchange
from simulator.profiles import SMALL
from simulator.universe import Universe

LATENCY_S = 0.05
ROWS_A_PAGE = 100
LEVELS_A_SIDE = 30
_BOOKS = msgspec.json.Decoder(list[dict[str, str]])


def token(n: int) -> str:
    """The canonical token of market `n`."""
    return str(int.from_bytes(digest(0, "wide", n, size=32), "big"))


def other(n: int) -> str:
    """The other token of market `n`."""
    return token(-n - 1)


def condition(n: int) -> str:
    """The condition id of market `n`."""
    return f"0x{n + 1:064x}"


class Wide:
    """Lists and books by number."""

    def __init__(self, markets: int, books: int) -> None:
        self._markets = markets
        self._row = _template()
        self._books = {token(n): _book(n) for n in range(books)}
        # Few of these are asked for: they are made up then.
        self._others = {other(n): n for n in range(books)}

    def routes(self) -> list[web.RouteDef]:
        """Under one address."""
        return [
            web.get("/gamma/markets/keyset", self._list),
            web.post("/clob/books", self._many),
            web.get("/clob/book", self._one),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY_S)
        if request.query.get("ascending") == "false":
            return _json(msgspec.json.encode({"markets": [self._made(self._markets - 1 - n) for n in range(min(ROWS_A_PAGE, self._markets))]}))  # fmt: skip
        first = int(request.query.get("after_cursor", 0))
        rows = [self._made(n) for n in range(first, min(first + ROWS_A_PAGE, self._markets))]
        more = {"next_cursor": str(first + ROWS_A_PAGE)} if first + ROWS_A_PAGE < self._markets else {}
        return _json(msgspec.json.encode({"markets": rows, **more}))

    async def _many(self, request: web.Request) -> web.Response:
        asked = _BOOKS.decode(await request.read())
        await asyncio.sleep(LATENCY_S)
        return _json(b"[" + b",".join(self._of(one["token_id"]) for one in asked) + b"]")

    async def _one(self, request: web.Request) -> web.Response:
        await asyncio.sleep(LATENCY_S)
        return _json(self._of(request.query["token_id"]))

    def _of(self, named: str) -> bytes:
        return self._books[named] if named in self._books else _book(self._others[named], mirrored=True)

    def _made(self, n: int) -> dict[str, Any]:
        ids = msgspec.json.encode([token(n), other(n)]).decode()
        return {**self._row, "id": str(1_000_000 + n), "conditionId": condition(n), "slug": f"market-{n}", "clobTokenIds": ids}  # fmt: skip


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _template() -> dict[str, Any]:
    """An open v1 row of the simulator, tags and parent included, as large as the venue's."""
    import time

    now = time.time()
    exchange = Exchange(Universe(1, SMALL, now), 1, lambda: now)
    rows = (entry.row | {"tags": list(entry.tags)} for entry in Generated(exchange).markets(closed=False))
    row = next(row for row in rows if row.get("enableOrderBook") and "positionIds" not in row)
    return {**row, "volumeNum": 12_345.0, "description": "what decides it. " * 200}


def _book(n: int, *, mirrored: bool = False) -> bytes:
    """Sixty levels, best last on both sides as the venue writes them; mirrored: the other token's."""
    mid = 300 + n % 400
    bids = [(mid - k, 1_000_000 + 7_919 * (n + k) % 9_999_999) for k in range(LEVELS_A_SIDE, 0, -1)]
    asks = [(mid + k, 1_000_000 + 6_007 * (n + k) % 9_999_999) for k in range(LEVELS_A_SIDE, 0, -1)]
    if mirrored:
        bids, asks = ([(1000 - price, size) for price, size in side] for side in (asks, bids))
    sides = {
        name: [{"price": f"{price / 1000:g}", "size": f"{size / 1e6:.2f}"} for price, size in side]
        for name, side in (("bids", bids), ("asks", asks))
    }
    said = {"market": condition(n), "asset_id": other(n) if mirrored else token(n), "timestamp": "1793629200000", "hash": f"{n:040x}", **sides}  # fmt: skip
    return msgspec.json.encode({**said, "min_order_size": "5", "tick_size": "0.001", "neg_risk": False, "last_trade_price": "0.500"})  # fmt: skip


async def _serve(given: argparse.Namespace) -> None:
    app = web.Application(client_max_size=64 << 20)
    app.add_routes(Wide(given.markets, given.books).routes())
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--markets", type=int, required=True)
    parser.add_argument("--books", type=int, required=True)
    asyncio.run(_serve(parser.parse_args()))
