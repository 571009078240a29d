"""How much of a correction is believed, and whether the forecast is then too bold: fitted where the boosters had not looked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from polymarket_assets.learning.evaluation import calibration, losses
from polymarket_assets.learning.evaluation.sample import sampled
from polymarket_assets.learning.served import Shrinkage

Reals = npt.NDArray[np.float64]

# A gain that chance shows more often than once in twenty times (one-sided) is not believed: the price stands as it is. In an
# efficient market a limit of one error lets every sixth model lose to the price, this one every twentieth.
LEAST_Z = 1.645


@dataclass(frozen=True)
class Seen:
    """Rows of inner folds: prices inside (0, 1), corrections in logits, labels 0 or 1, weights, and the group of each."""

    price: Reals
    corrections: Reals
    label: Reals
    weight: Reals
    group: npt.NDArray[np.object_]


def fitted(seen: Seen) -> Shrinkage:
    """The kappa of 0 … 1 with the least weighted log loss, 0 where its gain is less than `LEAST_Z` standard errors over
    groups; and a line through the log-odds where its slope is certainly not 1 (Platt 1999)."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(lambda kappa: _losses(seen, kappa).sum(), bounds=(0.0, 1.0), method="bounded")
    kappa = float(found.x)
    if _z(_losses(seen, 0.0) - _losses(seen, kappa), seen.group) <= LEAST_Z:
        return Shrinkage(0.0)
    return _straightened(seen, kappa)


def _straightened(seen: Seen, kappa: float) -> Shrinkage:
    said = Shrinkage(kappa).probabilities(seen.price, seen.corrections)
    names = pa.array(seen.group.astype(str))
    rows = {"market_id": names, "group_id": names, "label": seen.label, "weight": seen.weight, "mid": seen.price, "probability": said}  # fmt: skip
    line = calibration.line(sampled(pa.table(rows)), said)
    if line is None or line.slope.low <= 1 <= line.slope.high:
        return Shrinkage(kappa)
    return Shrinkage(kappa, line.intercept.value, line.slope.value)


def _losses(seen: Seen, kappa: float) -> Reals:
    said = Shrinkage(kappa).probabilities(seen.price, seen.corrections)
    return seen.weight * losses.log_loss(seen.label, said)


def _z(gains: Reals, group: npt.NDArray[np.object_]) -> float:
    """A summed gain in its standard errors over groups."""
    _, number = np.unique(group, return_inverse=True)
    each = np.bincount(number, gains)
    error = each.std(ddof=1) * np.sqrt(len(each)) if len(each) > 1 else np.inf
    return float(each.sum() / error) if error > 0 else 0.0
