"""Three weeks of two models that spoke, paper portfolios, and large orders: what the pages of models look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import paper
from polymarket_assets_tests.learning.backtest.worlds import HOUR, T0
from polymarket_assets_tests.learning.paper.worlds import MINUTE, days, predictions
from polymarket_assets_tests.learning.rows import resolution

DAYS, A_DAY = 21, 12
NOW = T0 + timedelta(days=DAYS)
CHAMPION, CHALLENGER = "polymarket/1", "polymarket/2"
HOSTILE = "pm:<script>alert(1)</script>"


def fill(lake: Lake) -> None:
    """All of it; a third model, polymarket/3, trades on paper."""
    days(lake, 40)
    for at in (T0 + 20 * HOUR, T0 + 26 * HOUR):
        paper.trade(lake, now=at)
    said, ends = [], []
    for row, end in _spoken(np.random.default_rng(7)):
        said += row
        ends.append(end)
    predictions(lake, said, part="said")
    lake.publish_rows("resolutions", ends, part="said", at=NOW - HOUR)
    whale_events(lake, 60)


def _spoken(dice: np.random.Generator) -> Iterator[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """A market each two hours: the champion says the price, the challenger knows a little more."""
    for n in range((DAYS - 1) * A_DAY):
        as_of, name = T0 + n * 2 * HOUR, f"pm:said{n}"
        truth, end = float(dice.uniform(0.05, 0.95)), as_of + 3 * HOUR
        mid = float(np.clip(truth + dice.normal(0, 0.1), 0.02, 0.98))
        row = {"market_id": name, "group_id": name, "as_of": as_of, "mid": mid, "scheduled_end": end, "horizon_h": 3.0, "category": "sports", "tier": "t2"}  # fmt: skip
        rows = [{**row, "model_version": CHAMPION, "probability": mid}, {**row, "model_version": CHALLENGER, "probability": (mid + truth) / 2, "role": "challenger"}]  # fmt: skip
        yield rows, resolution(name, end + HOUR, int(dice.random() < truth))


def whale_events(lake: Lake, count: int, *, until: datetime = NOW) -> None:
    """One each twenty minutes, the newest of a hostile market."""
    for n in range(count):
        at = until - (n + 1) * 20 * MINUTE
        row = {
            "event_id": f"0x{n:064x}:1:B", "traded_at": at, "market_id": HOSTILE if n == 0 else f"pm:{n % 5}", "outcome_index": n % 2, "is_buy": n % 3 > 0, "fills": 1 + n % 4,
            "price": 0.4, "usd_e6": (5_000 + 100 * n) * 10**6, "depth_share": 0.3 if n % 2 else None, "day_volume_share": None,
        }  # fmt: skip
        lake.publish_rows("whale_events", [row], part=f"{n}", at=at)
