"""Corrections: how far the model moves the price, in logits. One that hardly moves it can neither gain nor lose much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polymarket_assets.learning.evaluation.losses import logit
from polymarket_assets.learning.evaluation.sample import Sample
from polymarket_assets.learning.out_of_fold import PRICE

_BARS = 40
# What lies beyond this quantile of sizes is counted into the outermost bars: one wild row would squeeze all others.
_SHOWN = 0.995
# The width of a picture of corrections that are all nothing.
_LEAST_REACH = 0.01


@dataclass(frozen=True)
class Corrections:
    """logit(q) − logit(mid), weighted: mean, rms, and a histogram of shares between edges (one more than shares)."""

    mean: float
    rms: float
    edges: tuple[float, ...]
    shares: tuple[float, ...]


def corrections(sample: Sample) -> Corrections:
    """Of all rows of a sample."""
    moved = logit(sample.probability) - logit(sample.forecasts[PRICE])
    share = sample.weight / sample.weight.sum()
    reach = max(float(np.quantile(abs(moved), _SHOWN)), _LEAST_REACH)
    shares, edges = np.histogram(np.clip(moved, -reach, reach), _BARS, (-reach, reach), weights=share)
    return Corrections(
        float(share @ moved), float(np.sqrt(share @ moved**2)), tuple(edges.tolist()), tuple(shares.tolist())
    )
