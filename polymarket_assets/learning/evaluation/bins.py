"""Reliability: do things said to happen at p happen at p? Bins of equal mass, what they add up to, and Murphy's parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polymarket_assets.learning.evaluation.intervals import REACH, Interval
from polymarket_assets.learning.evaluation.power import kish
from polymarket_assets.learning.evaluation.sample import Codes, Mask, Reals, Sample, summed

# Twelve are read with the eye; twenty are what the literature decomposes by (ML.md 4.1).
SHOWN, MURPHY = 12, 20


@dataclass(frozen=True)
class Bin:
    """Mean predicted, the share that came true with its interval, its share of the weight, effective groups."""

    predicted: float
    observed: Interval
    share: float
    groups: float


@dataclass(frozen=True)
class Murphy:
    """Brier = reliability − resolution + uncertainty + within_bins (Murphy 1973; within: Stephenson et al. 2008)."""

    reliability: float
    resolution: float
    uncertainty: float
    within_bins: float


@dataclass(frozen=True)
class Reliability:
    """Bins, their mean absolute gap (`ece`), and the gap that so many groups show of a forecast without fault."""

    bins: tuple[Bin, ...]
    ece: float
    ece_of_noise: float


def placed(probability: Reals, weight: Reals, bins: int) -> Codes:
    """The bin of each row: equal weight each, but equal forecasts share a bin, so that there may be fewer."""
    steps = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(probability, steps, weights=weight, method="inverted_cdf"))
    found: Codes = np.unique(np.searchsorted(edges, probability, side="left"), return_inverse=True)[1]
    return found


def murphy(sample: Sample, probability: Reals, bins: int = MURPHY) -> Murphy:
    """The parts of a forecast's Brier score."""
    label, share = sample.label, sample.weight / sample.weight.sum()
    at = placed(probability, sample.weight, bins)
    mass = np.bincount(at, share)
    said, came = (np.bincount(at, share * values) / mass for values in (probability, label))
    base = float(share @ label)
    off = probability - said[at]
    return Murphy(
        reliability=float(mass @ (said - came) ** 2),
        resolution=float(mass @ (came - base) ** 2),
        uncertainty=base * (1 - base),
        within_bins=float(share @ off**2 - 2 * share @ (off * (label - came[at]))),
    )


def reliability(sample: Sample, probability: Reals, bins: int = SHOWN) -> Reliability:
    """Bins of a forecast. Intervals are Wilson's, over effective groups: a group counts as one outcome."""
    at = placed(probability, sample.weight, bins)
    total = sample.weight.sum()
    found = tuple(_bin(sample, probability, at == n, total) for n in range(int(at.max()) + 1))
    shares, gaps = (
        np.array([b.share for b in found]),
        np.array([b.observed.value - b.predicted for b in found]),
    )
    errors = np.array([np.sqrt(b.predicted * (1 - b.predicted) / b.groups) for b in found])
    # The mean of |x| of a normal x with error e is e √(2/π).
    return Reliability(found, float(shares @ abs(gaps)), float(shares @ errors * np.sqrt(2 / np.pi)))


def _bin(sample: Sample, probability: Reals, inside: Mask, total: float) -> Bin:
    weight = sample.weight[inside]
    said, came = (float(np.average(v[inside], weights=weight)) for v in (probability, sample.label))
    count = kish(summed(sample.group[inside], weight, sample.groups))
    return Bin(said, wilson(came, count), float(weight.sum() / total), count)


def wilson(share: float, count: float) -> Interval:
    """The score interval of a share of `count` (Wilson 1927): inside 0 … 1, and of some width at both ends."""
    z2 = REACH**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = np.sqrt(z2 * share * (1 - share) / count + z2**2 / (4 * count**2)) / (1 + z2 / count)
    return Interval(share, float(middle - reach), float(middle + reach))
