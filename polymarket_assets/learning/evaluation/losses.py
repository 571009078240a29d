"""What a forecast costs when the outcome is known, row by row: log loss and Brier."""

from __future__ import annotations

import numpy as np

from polymarket_assets.learning.evaluation.sample import Reals

# Log loss is unbounded: probabilities are kept this far from 0 and 1, as all reports of the field do.
CLIP = 1e-4


def log_loss(label: Reals, probability: Reals) -> Reals:
    """−log of the probability given to what happened, nats; NaN where there is no forecast."""
    inside = np.clip(probability, CLIP, 1 - CLIP)
    found: Reals = -np.where(label == 1, np.log(inside), np.log1p(-inside))
    return found


def brier(label: Reals, probability: Reals) -> Reals:
    """Squared error (Brier 1950); NaN where there is no forecast."""
    found: Reals = (probability - label) ** 2
    return found


def logit(probability: Reals) -> Reals:
    """Log-odds of a probability, clipped as the log loss is."""
    inside = np.clip(probability, CLIP, 1 - CLIP)
    found: Reals = np.log(inside) - np.log1p(-inside)
    return found
