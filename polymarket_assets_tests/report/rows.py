"""Rows of an invented lake for pages: a followed market, a race, books and trades; the test says what matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from polymarket_assets.lake.spans import hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.learning.rows import closed_market, market, price, publish, resolution, snapshot

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def now() -> datetime:
    return NOON + 2 * HOUR


def trade(name: str, at: datetime, price_e6: int, *, n: int = 0, **more: Any) -> dict[str, Any]:
    """A row of `trades`: ten shares of the canonical outcome, bought."""
    size_e6 = more.get("size_e6", 10_000_000)
    return {
        "trade_id": n.to_bytes(16, "big"), "traded_at": at, "received_at": at, "market_id": f"pm:{name}", "token_id": "1", "outcome_index": 0,
        "is_buy": True, "price_e6": price_e6, "size_e6": size_e6, "usd_e6": price_e6 * size_e6 // 1_000_000, "source": "both", **more,
    }  # fmt: skip


def heard(name: str, at: datetime, price_e6: int, *, sequence: int = 0, **more: Any) -> dict[str, Any]:
    """A row of `trades_raw`."""
    return {
        "session_id": "s", "connection": 0, "sequence": sequence, "received_at": at, "venue_at": at, "market_id": f"pm:{name}",
        "token_id": "1", "outcome_index": 0, "is_buy": True, "price_e6": price_e6, "size_e6": 10_000_000, **more,
    }  # fmt: skip


def gap(n: int, from_at: datetime, to_at: datetime, **more: Any) -> dict[str, Any]:
    """A row of `stream_gaps` in which nobody heard anything."""
    return {"gap_id": f"s:{n}", "session_id": "s", "from_at": from_at, "to_at": to_at, "cause": "crashed", **more}  # fmt: skip


def sweep(slot_at: datetime, status: str, **more: Any) -> dict[str, Any]:
    """A row of `sweeps` of T4."""
    return {
        "tier": "t4", "slot_at": slot_at, "status": status, "markets": 1, "books": 1, "omitted": 0, "left_out": 0, "requests": 1,
        "bytes": 1, "run_id": "r", **more,
    }  # fmt: skip


def file(lake: Lake, table: str, rows: list[dict[str, Any]], by: str, *, part: str = "0", tier: str | None = None) -> None:  # fmt: skip
    """File rows by the hour of a column."""
    hours: dict[datetime, list[dict[str, Any]]] = {}
    for row in rows:
        hours.setdefault(hour_of(row[by]), []).append(row)
    for hour, held in hours.items():
        lake.publish_rows(table, held, part=part, at=hour, tier=tier)


def followed(lake: Lake, name: str = "rain", **more: Any) -> None:
    """A market followed from noon, sampled every 15 seconds for ten minutes, rising by a tenth of a cent each time."""
    publish(lake, "markets", [market(name, NOON, NOON + HOUR, **{"slug": f"will-it-{name}", **more})], part=name)  # fmt: skip
    rows = [
        snapshot(name, NOON + n * 15 * SECOND, 0.4 + n / 1000, 0.42 + n / 1000, spread=0.02, bid_depth_1c_usd=100.0, ask_depth_1c_usd=90.0, bid_depth_5c_usd=500.0, ask_depth_5c_usd=400.0)
        for n in range(1, 41)
    ]  # fmt: skip
    publish(lake, "snapshots", rows, part=name)


def imported(lake: Lake, name: str = "weather:hot", **more: Any) -> None:
    """A closed market of a dataset, with a displayed price an hour for a day."""
    publish(lake, "history_markets", [closed_market(name, NOON, **{"slug": None, **more})], part=name.replace(":", "-"))  # fmt: skip
    publish(lake, "history_prices", [price(name, NOON - n * HOUR, 300_000 + n * 1000, close_day=NOON.date()) for n in range(1, 25)], part=name.replace(":", "-"))  # fmt: skip


__all__ = ["HOUR", "MINUTE", "NOON", "SECOND", "closed_market", "file", "followed", "gap", "heard", "imported", "market", "now", "price", "publish", "resolution", "snapshot", "sweep", "trade"]  # fmt: skip
