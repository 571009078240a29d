"""Out-of-fold rows whose truth is chosen: how far the price is off, and how much of that the model knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.out_of_fold import BASELINES, SCHEMA

T0 = datetime(2026, 1, 5, tzinfo=UTC)
CATEGORIES = ("sports", "politics", "crypto", "weather", "culture")
HORIZONS = (240.0, 120.0, 48.0, 12.0, 4.0, 0.5)


def rows(
    groups: int = 200,
    per_group: int = 3,
    *,
    off: float = 0.0,
    known: float = 1.0,
    noise: float = 0.0,
    weeks: int = 10,
    seed: int = 0,
    **columns: Any,
) -> pa.Table:
    """Groups of one outcome each, in the schema of training's rows.

    The price lies `off` logit below the truth on every second group and above it on the others; the model knows the
    share `known` of that, and errs by `noise` logit (sd) besides. All baselines say what the price says. `columns`
    replace whole columns, by a value for all rows or by a sequence.
    """
    dice = np.random.default_rng(seed)
    true, sign = dice.normal(0, 1.2, groups), np.where(np.arange(groups) % 2, 1.0, -1.0)
    label = (dice.random(groups) < sigmoid(true)).astype(int)
    price = true - off * sign
    model = price + known * off * sign + dice.normal(0, noise, groups)
    began = np.sort(dice.uniform(0, 7 * weeks, groups))
    each: dict[str, Any] = {
        "label": label,
        "mid": sigmoid(price),
        "probability": sigmoid(model),
        "weight": 1 / per_group,
    }
    each |= dict.fromkeys(BASELINES, sigmoid(price))
    spread = np.exp(dice.normal(0.5, 0.8, groups))
    at = [T0 + timedelta(days=float(day)) for day in began]
    cuts = [T0 + timedelta(weeks=int(day // 7)) for day in began]
    each |= {
        "event_id": [f"e{n}" for n in range(groups)], "group_id": [f"g{n}" for n in range(groups)], "source": "recorded",
        "category": [CATEGORIES[n] for n in dice.integers(len(CATEGORIES), size=groups)], "tier": [f"t{n}" for n in dice.integers(5, size=groups)],
        "neg_risk": dice.random(groups) < 0.4, "yesno_labels": dice.random(groups) < 0.7, "updown_labels": False, "spread_c": spread,
        "was_disputed": dice.random(groups) < 0.02, "as_of": at, "cut_at": cuts, "fold": [int(day // 7) for day in began], "is_sealed": False,
        "label_seen_at": [moment + timedelta(days=float(late)) for moment, late in zip(at, dice.exponential(3, groups), strict=True)], "correction_sd": 0.05,
    }  # fmt: skip
    count = groups * per_group
    whole = {name: _each(values, per_group, groups) for name, values in each.items()}
    whole |= {
        "market_id": [f"m{n // per_group}" for n in range(count)],
        "horizon_h": [HORIZONS[n % per_group % len(HORIZONS)] for n in range(count)],
    }
    whole |= {name: _each(values, 1, count) for name, values in columns.items()}
    return pa.table({f.name: pa.array(whole[f.name], from_pandas=True).cast(f.type) for f in SCHEMA}, schema=SCHEMA)  # fmt: skip


def replaced(table: pa.Table, **columns: Any) -> pa.Table:
    """The same rows with other values in some columns."""
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        kind = table.schema.field(name)
        table = table.set_column(place, kind, pa.array(values, from_pandas=True).cast(kind.type))
    return table


def sigmoid(x: Any) -> Any:
    """Log-odds to probability."""
    return 1 / (1 + np.exp(-x))


def logit(p: Any) -> Any:
    """Probability to log-odds."""
    return np.log(p / (1 - p))


def _each(values: Any, times: int, count: int) -> Any:
    given = np.full(count, values) if np.isscalar(values) else np.asarray(values)
    return np.repeat(given, times)
