"""Calibration: the line through log-odds on which a forecast would have been right, and what a forecast tells apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polymarket_assets.learning.evaluation import bins, losses
from polymarket_assets.learning.evaluation.intervals import Interval, normal
from polymarket_assets.learning.evaluation.sample import Reals, Sample, summed

# Maximum likelihood is found to this; its error is far below that of any sample.
_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Line:
    """P(label) = σ(intercept + slope logit(q)) (Cox 1958): 0 and 1 where calibrated; slope > 1: q is too timid."""

    intercept: Interval
    slope: Interval


@dataclass(frozen=True)
class Calibration:
    """All that is said of one forecast alone. `line` and `auc` are None where all labels, or all forecasts, are one."""

    murphy: bins.Murphy
    reliability: bins.Reliability
    line: Line | None
    auc: float | None


def calibration(sample: Sample, probability: Reals) -> Calibration:
    """Of a forecast (n,) of all rows of a sample."""
    return Calibration(
        bins.murphy(sample, probability),
        bins.reliability(sample, probability),
        line(sample, probability),
        auc(sample, probability),
    )


def line(sample: Sample, probability: Reals) -> Line | None:
    """Weighted logistic regression of the label on log-odds, its errors by the sandwich over groups (Liang and Zeger 1986)."""
    from sklearn.linear_model import LogisticRegression

    x = losses.logit(probability)
    if np.ptp(x) == 0 or np.ptp(sample.label) == 0:
        return None
    weight = sample.weight / sample.weight.mean()
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=_TOLERANCE).fit(
        x.reshape(-1, 1), sample.label, sample_weight=weight
    )
    found = np.array([fitted.intercept_[0], fitted.coef_[0, 0]])
    errors = _errors(np.column_stack([np.ones_like(x), x]), found, weight, sample)
    return Line(*(normal(float(value), float(error)) for value, error in zip(found, errors, strict=True)))


def _errors(design: Reals, found: Reals, weight: Reals, sample: Sample) -> Reals:
    fitted = 1 / (1 + np.exp(-design @ found))
    bread = np.linalg.inv((design * (weight * fitted * (1 - fitted))[:, None]).T @ design)
    pulls = design * (weight * (sample.label - fitted))[:, None]
    of_groups = np.stack([summed(sample.group, pull, sample.groups) for pull in pulls.T], axis=1)
    spread = bread @ (of_groups.T @ of_groups) @ bread
    errors: Reals = np.sqrt(np.diag(spread) * sample.groups / max(sample.groups - 1, 1))
    return errors


def auc(sample: Sample, probability: Reals) -> float | None:
    """Area under the ROC curve, weighted: for information only, as no distortion of probabilities changes it."""
    from sklearn.metrics import roc_auc_score

    if np.ptp(sample.label) == 0:
        return None
    return float(roc_auc_score(sample.label, probability, sample_weight=sample.weight))
