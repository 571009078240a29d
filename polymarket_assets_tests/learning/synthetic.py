"""A market whose truth is chosen: prices walk as a martingale, so that the price is right unless an edge is planted.

Each group holds one market. Its log-odds walk ends in an outcome drawn from its last probability, so at every instant the
true probability is the price, plus `edge` logit for each unit of one feature, which is standard normal and the market's own.
All other features are noise.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import conform
from polymarket_assets.learning.features.catalogue import FEATURES
from polymarket_assets.learning.features.declaring import Feature, Kind

if TYPE_CHECKING:
    import pandas as pd

T0 = datetime(2026, 1, 5, tzinfo=UTC)
HOURS = (24.0, 6.0, 1.0)
# What an edge is planted on: no baseline looks at it.
PLANTED = "wall_dist_c"
# Prices of one cent and a bit are one cell.
_CELLS = 50
_CATEGORIES = ("sports", "politics", "crypto")
# Variances of what becomes known before the first instant, from one to the next, and after the last.
_FIRST, _BETWEEN, _LAST = 1.0, 0.5, 1.0


def training_rows(groups: int, *, edge: float = 0.0, seed: int = 0, days: int = 100, hours: tuple[float, ...] = HOURS) -> pa.Table:  # fmt: skip
    """Rows in the `training_set` schema, one market a group, ends spread over so many days."""
    import pandas as pd

    if not groups:
        return TABLES["training_set"].schema.empty_table()
    dice = np.random.default_rng(seed)
    market = np.repeat(np.arange(groups), len(hours))
    known = _martingale(dice, groups, len(hours))
    planted = dice.normal(size=groups)
    ends = pd.Timestamp(T0) + pd.to_timedelta(86_400_000 * dice.uniform(1, days, groups) // 1, unit="ms")
    frame = _noise(dice, len(market)).assign(
        **_prices(known, edge * planted),
        **_market(market, ends[market], np.tile(hours, groups)),
        label=(dice.random(groups) < known[:, -1]).astype(np.int8)[market],
        **{PLANTED: planted[market]},
        weight=1 / len(hours),
    )
    table = pa.Table.from_pandas(frame.sort_values(["market_id", "as_of"]), preserve_index=False)
    return conform(TABLES["training_set"], table)


def permuted(rows: pa.Table, seed: int) -> pa.Table:
    """Labels exchanged between markets of the same price and horizon: they still come true as often as the price says, and mean nothing else.

    Markets are exchanged whole, by their last price, so that one market keeps one label.
    """
    frame = rows.to_pandas()
    last = frame.sort_values("horizon_h").groupby("market_id").first()
    dice = np.random.default_rng(seed)
    cell = (last["mid"] * _CELLS).astype(int)
    label = last.groupby(cell)["label"].transform(lambda held: dice.permutation(held.to_numpy()))
    return _with(rows, "label", frame["market_id"].map(label).astype(np.int8))


def moved(rows: pa.Table, *, steps: int) -> pa.Table:
    """`lret_6h` as the move of the log-odds to the market's instant so many steps later: a feature of tomorrow, or of yesterday."""
    frame = rows.to_pandas()
    other = frame.groupby("market_id")["logit_mid"].shift(-steps)
    return _with(rows, "lret_6h", (other - frame["logit_mid"]) * np.sign(steps))


def _with(rows: pa.Table, name: str, values: Any) -> pa.Table:
    field = rows.schema.field(name)
    return rows.set_column(
        rows.schema.get_field_index(name), field, pa.array(values, field.type, from_pandas=True)
    )


def _market(market: Any, ends: pd.DatetimeIndex, hours: Any) -> dict[str, Any]:
    import pandas as pd

    names = np.array([f"pm:0x{n:064x}" for n in range(int(market.max()) + 1)], dtype=object)
    seen_at = ends + pd.Timedelta(hours=3)
    return {
        "market_id": names[market], "event_id": market.astype(str), "group_id": [f"event:{n}" for n in market], "source": "synthetic", "sources": [["synthetic"]] * len(market),
        "scheduled_end": ends, "as_of": ends - pd.to_timedelta(hours, unit="h"), "horizon_h": hours, "hours_to_end": np.log1p(hours), "coverage": 1.0,
        "category": np.array(_CATEGORIES, dtype=object)[market % 3], "neg_risk": market % 4 == 0, "yesno_labels": True, "updown_labels": False, "tier": "t2",
        "label_version": 1, "label_seen_at": seen_at, "group_over_at": seen_at, "week_complete_at": seen_at, "was_disputed": False,
    }  # fmt: skip


def _prices(known: Any, off: Any) -> dict[str, Any]:
    """What the market shows: the truth, off by so many logits to the other side."""
    mid = np.clip(_sigmoid(np.log(known / (1 - known)) - off[:, None]), 0.005, 0.995).ravel()
    return {"mid": mid, "logit_mid": np.log(mid / (1 - mid)), "tick_c": 1.0, "norm_logit_shift": 0.0, "sign_quality": 0.5, "micro_dev_c": 0.0}  # fmt: skip


def _noise(dice: np.random.Generator, count: int) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({feature.name: _drawn(dice, feature, count) for feature in FEATURES if feature.kind is not Kind.WORD})  # fmt: skip


def _drawn(dice: np.random.Generator, feature: Feature, count: int) -> Any:
    if feature.kind is Kind.FLAG:
        return dice.random(count) < 0.5
    return (
        dice.integers(0, 7, count).astype(np.int8) if feature.kind is Kind.SMALL else dice.normal(size=count)
    )


def _martingale(dice: np.random.Generator, groups: int, steps: int) -> Any:
    """(groups × steps): probabilities of one outcome as knowledge comes in, P(sum of normal shocks > 0 | shocks so far)."""
    from scipy.stats import norm

    variances = np.array([_FIRST, *([_BETWEEN] * (steps - 1))])
    left = variances.sum() + _LAST - np.cumsum(variances)
    known = dice.normal(0, 0.3, (groups, 1)) + np.cumsum(dice.normal(size=(groups, steps)) * np.sqrt(variances), axis=1)  # fmt: skip
    return np.clip(norm.cdf(known / np.sqrt(left)), 0.01, 0.99)


def _sigmoid(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))
