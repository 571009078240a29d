"""Small worlds with books: an hour's markets are decided on and over in the next, so that capital turns round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import out_of_fold

T0 = datetime(2026, 4, 6, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
A_DAY = 24


def book(name: str, received_at: datetime, bids: list[tuple[float, float]], asks: list[tuple[float, float]]) -> dict[str, Any]:  # fmt: skip
    """A row of `orderbooks`: levels are (dollars, shares), best first."""
    sides = {
        side: [{"price_e6": round(p * 1e6), "size_e6": round(s * 1e6)} for p, s in levels]
        for side, levels in (("bids", bids), ("asks", asks))
    }
    return {"market_id": name, "slot_at": received_at, "received_at": received_at, "token_id": "1", "hash": "", **sides}  # fmt: skip


def publish_books(lake: Lake, books: list[dict[str, Any]], *, part: str = "0") -> None:
    """File books by the hour of their slot."""
    hours: dict[datetime, list[dict[str, Any]]] = {}
    for row in books:
        hours.setdefault(row["slot_at"].replace(minute=0, second=0, microsecond=0), []).append(row)
    for hour, rows in hours.items():
        lake.publish_rows("orderbooks", rows, part=part, at=hour, tier="t4")


def two_sided(mid: float, half_spread: float, depth: float) -> tuple[list[Any], list[Any]]:
    """Three levels a side, a cent apart."""
    return (
        [(mid - half_spread - 0.01 * n, depth) for n in range(3)],
        [(mid + half_spread + 0.01 * n, depth) for n in range(3)],
    )


def world(lake: Lake, *, groups: int, edge: float, claimed: float, seed: int = 0, depth: float = 2_000.0) -> pa.Table:  # fmt: skip
    """Out-of-fold rows and their books: the truth lies `edge` logit beside the price, either way, and the model claims `claimed`."""
    dice = np.random.default_rng(seed)
    mid = np.round(dice.uniform(0.15, 0.85, groups), 2)
    side = dice.choice([-1.0, 1.0], groups)
    odds = np.log(mid / (1 - mid))
    true, told = (1 / (1 + np.exp(-(odds + side * by))) for by in (edge, claimed))
    label = (dice.random(groups) < true).astype(int)
    at = [T0 + (n // A_DAY) * HOUR + (n % A_DAY) * 60 * SECOND for n in range(groups)]
    books = [book(f"pm:{n}", at[n] + 70 * SECOND, *two_sided(mid[n], 0.005, depth)) for n in range(groups)]
    publish_books(lake, books)
    return rows([
        {"market_id": f"pm:{n}", "group_id": f"g{n}", "as_of": at[n], "label": int(label[n]), "label_seen_at": at[n] + HOUR,
         "mid": float(mid[n]), "probability": float(told[n]), "correction_sd": 0.02, "b2": float(mid[n]), "b3": float(mid[n])}
        for n in range(groups)
    ])  # fmt: skip


def rows(given: list[dict[str, Any]]) -> pa.Table:
    """Out-of-fold rows; what a test does not name is null."""
    return pa.Table.from_pylist(given, schema=out_of_fold.SCHEMA)
