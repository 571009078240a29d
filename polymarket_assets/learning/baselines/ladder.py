"""The ladder of ML.md 1.4: each baseline by its column in the out-of-fold rows, with what it does of two sides of a cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning.baselines import by_cell, linear, recalibrated
from polymarket_assets.learning.out_of_fold import BASELINES

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

# A category with fewer groups than this says little of itself: its share is drawn to that of all.
PRIOR_GROUPS = 20.0


def base_rate(train: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """B0: the weighted share that came true, by category, drawn to the share of all by `PRIOR_GROUPS` groups."""
    every = float(np.average(train["label"], weights=train["weight"]))
    weighed = train.assign(won=train["weight"] * train["label"]).groupby("category")[["won", "weight"]].sum()
    share = (weighed["won"] + PRIOR_GROUPS * every) / (weighed["weight"] + PRIOR_GROUPS)
    return np.asarray(test["category"].map(share).fillna(every), dtype=np.float64)


def microprice(_: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """B1m: the middle weighted by the queues; the mid where no book stands."""
    found = test["mid"] + test["micro_dev_c"].fillna(0.0) / 100
    return np.clip(np.asarray(found, dtype=np.float64), 0.0, 1.0)


def normalised(_: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """B1n: in a negRisk set whose markets all have a price, the mid over their sum; else the mid."""
    shift = test["norm_logit_shift"].where(test["neg_risk"].astype(bool)).fillna(0.0)
    odds = np.exp(recalibrated.logit_mid(test) + np.asarray(shift, dtype=np.float64))
    moved = np.asarray(shift != 0.0)
    return np.where(moved, odds / (1 + odds), np.asarray(test["mid"], dtype=np.float64))


LADDER: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Reals]] = {
    "b0": base_rate,
    "b1m": microprice,
    "b1n": normalised,
    "b2": recalibrated.logistic,
    "b2i": recalibrated.isotonic,
    "b3": by_cell.forecast,
    "b4": linear.forecast,
}
assert set(LADDER) == set(BASELINES)
