"""B4: some twenty features, standardised, added to the price's log-odds with a ridge: what lines can learn, trees need not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning.baselines import ridge
from polymarket_assets.learning.baselines.recalibrated import PENALTY, logit_mid

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

# What the field expects most of (ML.md 3), and what the bias is known to hang on.
FEATURES: tuple[str, ...] = (
    "spread_c", "micro_dev_c", "last_trade_dev_c", "lret_15m", "lret_1h", "lret_6h", "lret_24h", "rv_24h", "pos_range_24h", "imb_top", "imb_5c",
    "slope_diff", "usd_24h", "age_h", "hours_to_end", "life_frac", "sib_mid_dev", "norm_logit_shift", "neg_risk", "yesno_labels", "by_deadline",
)  # fmt: skip
# A feature moves the log-odds by some 0.1 for a standard deviation of it: a normal prior of that size.
FEATURE_PENALTY = 1 / 0.1**2
# Values farther out than this many standard deviations are as far: tails are heavy, and one row is no line.
FARTHEST = 4.0


def forecast(train: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """Probabilities of the test rows."""
    values, weight = _values(train), np.asarray(train["weight"], dtype=np.float64)
    middle, spread = _moments(values, weight)
    penalty = np.r_[np.full(2, PENALTY), np.full(len(FEATURES), FEATURE_PENALTY)]
    design = _design(train, values, middle, spread)
    b = ridge.fitted(design, np.asarray(train["label"], dtype=np.float64), weight, logit_mid(train), penalty)
    return ridge.forecast(_design(test, _values(test), middle, spread), b, logit_mid(test))


def _values(frame: pd.DataFrame) -> Reals:
    return np.column_stack([np.asarray(frame[name].astype("float64")) for name in FEATURES])


def _moments(values: Reals, weight: Reals) -> tuple[Reals, Reals]:
    """Weighted mean and standard deviation of what is not null; a feature without values, or with one, stays out."""
    held = np.where(np.isnan(values), 0.0, weight[:, None])
    total = np.maximum(held.sum(0), np.finfo(float).tiny)
    filled = np.nan_to_num(values)
    middle = (held * filled).sum(0) / total
    spread = np.sqrt((held * (filled - middle) ** 2).sum(0) / total)
    return middle, np.where(spread > 0, spread, np.inf)


def _design(frame: pd.DataFrame, values: Reals, middle: Reals, spread: Reals) -> Reals:
    """(rows × (2 + features)): null stands at the middle."""
    scaled = np.nan_to_num(np.clip((values - middle) / spread, -FARTHEST, FARTHEST))
    return np.column_stack([np.ones(len(frame)), logit_mid(frame), scaled])
