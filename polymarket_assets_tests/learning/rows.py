"""Rows of a small invented lake: each builder fills what its table requires, the test says what matters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from polymarket_assets.lake.writing import Lake

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

LISTED: dict[str, Any] = {
    "venue": "polymarket", "outcomes": ["Yes", "No"], "token_ids": ["1", "2"], "neg_risk": False, "tags": [],
    "question": "Will it rain by June 30?", "end_source": "end_date", "category": "weather",
}  # fmt: skip


def market(name: str, received_at: datetime, close: datetime | None, **more: Any) -> dict[str, Any]:
    """A row of `markets`."""
    return {
        **LISTED, "market_id": f"pm:{name}", "received_at": received_at, "phase": "live", "tier": "t4",
        "effective_close": close, "event_id": name, "listed_at": received_at, "accepting_orders": True, **more,
    }  # fmt: skip


def snapshot(
    name: str, received_at: datetime, bid: float | None, ask: float | None, **more: Any
) -> dict[str, Any]:
    """A row of `snapshots`, received one second after its slot."""
    two_sided = bid is not None and ask is not None
    return {
        "market_id": f"pm:{name}", "slot_at": received_at - SECOND, "received_at": received_at, "tier": "t4", "phase": "live",
        "token_id": "1", "neg_risk": False, "best_bid": bid, "best_ask": ask, "mid": (bid + ask) / 2 if two_sided else None,
        "bid_levels": 1, "ask_levels": 1, "bid_shares": 1.0, "ask_shares": 1.0, "bid_usd": 1.0, "ask_usd": 1.0,
        "is_one_sided": not two_sided, "is_crossed": False, "tick": 0.01, "hash": "", **more,
    }  # fmt: skip


def closed_market(key: str, close: datetime, **more: Any) -> dict[str, Any]:
    """A row of `history_markets`, closed when it was expected to."""
    return {
        **LISTED, "market_id": key, "received_at": close + 100 * HOUR, "effective_close": close, "closed_at": close,
        "source": "weather", "event_id": key, "listed_at": close - 100 * HOUR, **more,
    }  # fmt: skip


def price(key: str, at: datetime, price_e6: int | None, **more: Any) -> dict[str, Any]:
    """A row of `history_prices` of a source that gives one price an hour, known at once."""
    return {
        "market_id": key, "priced_at": at, "known_at": at, "received_at": at + 1000 * HOUR, "price_e6": price_e6,
        "fidelity_s": 3600, "source": "weather", **more,
    }  # fmt: skip


def resolution(market_id: str, seen_at: datetime, label: int | None, **more: Any) -> dict[str, Any]:
    """A row of `resolutions`: final, its label usable when seen."""
    return {
        "market_id": market_id, "version": 1, "seen_at": seen_at, "state": "final", "label": label, "evidence": "{}",
        "reason": "payout", "was_disputed": False, "label_seen_at": seen_at, "decided_seen_at": seen_at, "source": "polymarket", **more,
    }  # fmt: skip


def publish(lake: Lake, table: str, rows: list[dict[str, Any]], *, part: str = "0") -> None:
    """File rows where their table files them: by hour (and tier) of receipt, or by day of close."""
    instant = {
        "markets": "received_at",
        "snapshots": "slot_at",
        "orderbooks": "slot_at",
        "trades_raw": "received_at",
        "stream_gaps": "to_at",
        "resolutions": "seen_at",
    }
    places: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for row in rows:
        if table.startswith("history_") and "close_day" not in row:
            row = {"close_day": _close_day(row, rows), **row}
        at = _hour(row[instant[table]]) if table in instant else row["close_day"]
        at = at.date() if table == "resolutions" else at
        tier = row["tier"] if table in ("snapshots", "orderbooks") else None
        held = (
            {name: value for name, value in row.items() if name != "tier"} if table == "orderbooks" else row
        )
        places.setdefault((at, tier), []).append(held)
    for (at, tier), held in places.items():
        lake.publish_rows(table, held, part=part, at=at, tier=tier)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _close_day(row: dict[str, Any], rows: list[dict[str, Any]]) -> Any:
    """Prices lie with their market; a test that puts them elsewhere names the day itself."""
    if "closed_at" in row:
        return row["closed_at"].date()
    return max(r["priced_at"] for r in rows if r["market_id"] == row["market_id"]).date()
