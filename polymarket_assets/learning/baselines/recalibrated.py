"""B2: the mid, recalibrated as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning.baselines import ridge

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

# A step function of the price needs about so many independent outcomes (ML.md 2.10).
ISOTONIC_GROUPS = 2_000
# A prior of standard deviation 1 logit: of no weight beside a hundred groups, and it keeps twenty alike from certainty.
PENALTY = 1.0


def logistic(train: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """B2: a + b logit(mid)."""
    offset = logit_mid(train)
    b = ridge.fitted(
        _design(offset), _reals(train, "label"), _reals(train, "weight"), offset, np.full(2, PENALTY)
    )
    return ridge.forecast(_design(logit_mid(test)), b, logit_mid(test))


def isotonic(train: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """B2i: the best monotone function of the mid; null where there are too few groups to fit it on."""
    from sklearn.isotonic import IsotonicRegression

    if train["group_id"].nunique() < ISOTONIC_GROUPS:
        return np.full(len(test), np.nan)
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fitted.fit(_reals(train, "mid"), _reals(train, "label"), sample_weight=_reals(train, "weight"))
    return np.asarray(fitted.predict(_reals(test, "mid")), dtype=np.float64)


def logit_mid(frame: pd.DataFrame) -> Reals:
    """Log-odds of the mid, as the model starts from them."""
    from polymarket_assets.learning.served import margin

    return margin(frame)


def _design(logits: Reals) -> Reals:
    return np.column_stack([np.ones_like(logits), logits])


def _reals(frame: pd.DataFrame, name: str) -> Reals:
    return np.asarray(frame[name], dtype=np.float64)
