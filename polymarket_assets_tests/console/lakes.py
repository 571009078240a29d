"""A lake of trades, books and slots for tests of the console's tables, written by the platform's own writers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.report.rows import HOUR, MINUTE, NOON, SECOND, file, followed, trade

# Three hours of it, ten trades each; the last of an hour at 54 minutes.
HOURS = 3
OF_AN_HOUR = 10
TRADES = HOURS * OF_AN_HOUR
# What a spreadsheet would run, and a browser.
FORMULA = "=cmd|' /C calc'!A0"
SCRIPT = "<script>alert(1)</script>"


def trades(n_hours: int = HOURS) -> list[dict[str, Any]]:
    """Trade n of hour h: at 6 n minutes, of market a or b in turn, for n cents more than ten."""
    return [
        trade("ab"[n % 2], traded_at(h, n), 100_000 + 10_000 * n, n=100 * h + n, source=FORMULA if n == 0 else SCRIPT)
        for h in range(n_hours)
        for n in range(OF_AN_HOUR)
    ]  # fmt: skip


def traded_at(hour: int, n: int) -> datetime:
    return NOON + hour * HOUR + n * 6 * MINUTE


def filled(lake: Lake) -> Lake:
    """Trades of three hours, a followed market, a book."""
    file(lake, "trades", trades(), "traded_at")
    followed(lake)
    books = [{
        "market_id": "pm:rain", "slot_at": NOON + SECOND, "received_at": NOON + SECOND, "token_id": "1", "tick_e6": 10_000, "hash": "h",
        "bids": [{"price_e6": 400_000, "size_e6": 2**60}], "asks": [],
    }]  # fmt: skip
    lake.publish_rows("orderbooks", books, part="0", at=NOON, tier="t4")
    return lake
