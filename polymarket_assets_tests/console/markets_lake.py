"""An invented lake of a market, its event and its past, as pages of the console meet it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.lake import compacting, merging
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.hostile import MARKUP
from polymarket_assets_tests.report import rows
from polymarket_assets_tests.report.rows import MINUTE, NOON, SECOND

# Ten minutes after noon the last snapshot is taken.
SAMPLED_UNTIL = NOON + 10 * MINUTE
QUESTION = f"Will it rain? {MARKUP}"
CONDITION = f"0x{7:064x}"


def rain(lake: Lake, **more: Any) -> None:
    """A market sampled for ten minutes, in a set of two, with trades of each of them."""
    told = {"question": QUESTION, "event_slug": "weather-today", "event_title": "Weather today", "event_id": "77", "volume_usd": 5000.0}  # fmt: skip
    rows.followed(
        lake, "rain", **{**told, "neg_risk": True, "neg_risk_id": CONDITION, "gamma_id": "501", **more}
    )
    rows.followed(lake, "snow", **{**told, "question": "Will it snow?", "neg_risk": True, "neg_risk_id": CONDITION, "volume_usd": 50.0})  # fmt: skip
    rows.file(lake, "trades", [rows.trade("rain", NOON + n * MINUTE, 400_000 + n * 1_000, n=n) for n in range(1, 10)], "traded_at")  # fmt: skip


def book(lake: Lake, slot_at: datetime, *, name: str = "rain", part: str = "0") -> None:
    """A book of two levels a side, of the slot of a snapshot."""
    levels = {"bids": [(440_000, 100_000_000), (430_000, 200_000_000)], "asks": [(460_000, 50_000_000), (470_000, 10_000_000)]}  # fmt: skip
    row = {
        "market_id": f"pm:{name}", "slot_at": slot_at, "received_at": slot_at + SECOND, "token_id": "1", "hash": "",
        **{side: [{"price_e6": price, "size_e6": size} for price, size in held] for side, held in levels.items()},
    }  # fmt: skip
    rows.file(lake, "orderbooks", [row], "slot_at", part=part, tier="t4")


def prediction(version: str, as_of: datetime, probability: float) -> dict[str, Any]:
    """A row of `predictions` of the market, priced at 0.42."""
    return {"model_version": version, "market_id": "pm:rain", "as_of": as_of, "mid": 0.42, "probability": probability, "created_at": as_of, "role": "champion"}  # fmt: skip


def close(lake: Lake, now: datetime) -> None:
    """Close the hours that are over, as the platform does by itself."""
    compacting.compact(lake, clock=lambda: now)
    merging.merge(lake, "trades_raw", NOON, now=now)


def after(span: timedelta) -> Any:
    """A clock that stands so long after noon."""
    return lambda: NOON + span
