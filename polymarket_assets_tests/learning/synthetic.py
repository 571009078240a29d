"""A market whose truth is chosen: prices walk as a martingale, so that the price is right unless an edge is planted.

Each event holds one market; its log-odds walk ends in an outcome drawn from its last probability, so at every
instant the true probability is the price, plus `edge` logit on the markets whose question names a deadline.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from polymarket_assets.lake.writing import table_of

T0 = datetime(2026, 1, 5, tzinfo=UTC)
HOURS = (24.0, 6.0, 1.0)


def training_rows(
    groups: int, *, edge: float = 0.0, seed: int = 0, days: int = 100, hours: tuple[float, ...] = HOURS
) -> pa.Table:
    """Rows in the `training_set` schema; `edge` is how far the price is below the truth, in logit, on by_deadline."""
    dice = np.random.default_rng(seed)
    rows = [row for n in range(groups) for row in _market(n, dice, edge, days, hours)]
    share = 1 / len(hours)
    return table_of(
        "training_set",
        [{**row, "weight": share} for row in sorted(rows, key=lambda r: (r["market_id"], r["as_of"]))],
    )


def _market(
    n: int, dice: np.random.Generator, edge: float, days: int, hours: tuple[float, ...]
) -> list[dict[str, Any]]:
    end = T0 + timedelta(days=float(dice.uniform(1, days)))
    deadline = bool(dice.random() < 0.5)
    mids = _martingale(dice, len(hours))
    # The bent price of the last instant decides, so every earlier one is off by less than `edge` at most.
    true = _bent(mids[-1], edge if deadline else 0.0)
    label = int(dice.random() < true)
    common = {
        "market_id": f"pm:0x{n:064x}", "event_id": str(n), "group_id": f"event:{n}", "source": "synthetic", "scheduled_end": end,
        "coverage": 1.0, "sources": ["synthetic"], "category": ("sports", "politics", "crypto")[n % 3], "neg_risk": n % 4 == 0,
        "yesno_labels": True, "by_deadline": deadline, "tick_c": 1.0, "fee_rate": 0.03, "label": label, "label_version": 1,
        "label_seen_at": end + timedelta(hours=3),
        "group_over_at": end + timedelta(hours=3),
    }  # fmt: skip
    return [
        {**common, **_instant(end - timedelta(hours=h), h, mid, dice)}
        for h, mid in zip(hours, mids, strict=True)
    ]


def _instant(at: datetime, hours: float, mid: float, dice: np.random.Generator) -> dict[str, Any]:
    noise = dice.normal(size=6)
    return {
        "as_of": at, "horizon_h": hours, "mid": mid, "logit_mid": float(np.log(mid / (1 - mid))),
        "spread_c": 1 + abs(noise[0]), "spread_logit": 0.1 * abs(noise[1]), "micro_dev_c": noise[2], "last_trade_dev_c": noise[3],
        "edge_ticks": 100 * min(mid, 1 - mid), "hurdle_c": 1.0, "log_liq": 8 + noise[4], "log_cumvol": 9 + noise[5],
        "age_h": 4.0, "hours_to_end": float(np.log1p(hours)), "life_frac": 0.9, "end_moves": 0.0,
        "tod_sin": 0.0, "tod_cos": 1.0, "dow": at.weekday(),
    }  # fmt: skip


def _martingale(dice: np.random.Generator, steps: int) -> list[float]:
    """Probabilities of one outcome as knowledge comes in: P(sum of normal shocks > 0 | shocks so far)."""
    from math import erf, sqrt

    variances = [1.0, *([0.5] * (steps - 1)), 1.0]
    known, found = float(dice.normal(0, 0.3)), []
    for step in range(steps):
        known += float(dice.normal(0, sqrt(variances[step])))
        left = sum(variances[step + 1 :])
        found.append(float(np.clip(0.5 * (1 + erf(known / sqrt(2 * left))), 0.01, 0.99)))
    return found


def _bent(probability: float, edge: float) -> float:
    odds = np.log(probability / (1 - probability)) + edge
    return float(1 / (1 + np.exp(-odds)))
