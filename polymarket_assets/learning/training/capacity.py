"""How much may be learnt from so much: the shape of the trees, and their number by the information there is."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# Capacity follows the information there is, the sum of w p (1 − p): about 0.15 a group. Below that of 1,500
# groups there are proportionally fewer trees, so that little data stay near the price: on an efficient market of
# 300 groups the full number loses 0.7 % of Brier, the scaled one 0.1 %, and planted edges are found all the same.
FULL_INFORMATION = 220.0
# A leaf holds at least this share of the information, but never more than is asked of thousands of events.
CHILD_SHARE, CHILD_LEAST = 0.2, 1.0

# Quantiles of a feature that a split may lie at: trees of two levels use no more, and 256 of them cost twice as long.
BINS = 64
# What no search changes.
FIXED: dict[str, Any] = {
    "objective": "binary:logistic", "eval_metric": "logloss", "subsample": 0.7, "max_bin": BINS, "tree_method": "hist", "nthread": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Capacity:
    """The shape of the trees. The defaults are small: deeper or longer is worse than the market on thousands of events (ML.md 2.9)."""

    depth: int = 2
    child: float = 50.0
    eta: float = 0.03
    ridge: float = 20.0
    columns: float = 0.5
    gamma: float = 0.0
    # Of rows with `FULL_INFORMATION`; fewer of fewer.
    trees: int = 100

    def params(self) -> dict[str, Any]:
        """In XGBoost's words, but for the number of trees."""
        return {
            **FIXED, "max_depth": self.depth, "min_child_weight": self.child, "eta": self.eta, "lambda": self.ridge,
            "colsample_bytree": self.columns, "gamma": self.gamma,
        }  # fmt: skip

    def within(self, rows: pd.DataFrame) -> Capacity:
        """No more than these rows can bear."""
        child = float(np.clip(CHILD_SHARE * information(rows), CHILD_LEAST, self.child))
        return replace(self, child=child, trees=max(1, round(self.trees * bearable(rows))))

    def told(self) -> dict[str, float]:
        """By name, for a run's parameters."""
        return asdict(self)


def bearable(rows: pd.DataFrame) -> float:
    """The share of a shape's trees that these rows can bear."""
    return min(1.0, information(rows) / FULL_INFORMATION)


def information(rows: pd.DataFrame) -> float:
    """The sum of w p (1 − p): what outcomes can teach about a correction of the price."""
    return float((rows["weight"] * rows["mid"] * (1 - rows["mid"])).sum())
