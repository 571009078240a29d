"""Intervals of paired figures over clusters: what one outcome decides is drawn, or summed, as one.

The bootstrap (Efron 1979; of whole clusters: Cameron, Gelbach and Miller 2008) serves the parts of a judgement; where
there are dozens of slices, the error of a ratio to first order (its infinitesimal jackknife) gives the same in a pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from polymarket_assets.learning.evaluation.sample import Codes, Reals, summed

DRAWS = 2_000
LEVEL = 0.95
# Standard errors from the middle to either end.
REACH = NormalDist().inv_cdf((1 + LEVEL) / 2)
# Counts of the bootstrap held in memory at once, 16 MB: memory does not grow with the number of draws.
_CELLS = 2_000_000
# Differences beyond these decimals are the order of summation: they must not decide whether an interval holds 0.
_DECIMALS = 12
# Errors below this are those of summation.
_TINY = 1e-13
# Fewer resolution days than this say nothing about how days differ.
LEAST_DAYS = 10


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low

    @property
    def error(self) -> float:
        """The standard error that a normal figure with this interval has."""
        return self.width / 2 / REACH


@dataclass(frozen=True)
class Bounds:
    """A figure's interval over groups, and over resolution days (None: fewer than `LEAST_DAYS`, or not known)."""

    by_group: Interval
    by_day: Interval | None

    @property
    def wider(self) -> Interval:
        """The one to quote: shocks that groups of a day share widen the second."""
        by_day = self.by_day
        return by_day if by_day and by_day.width > self.by_group.width else self.by_group


def by_cluster(codes: Codes, columns: Reals, clusters: int) -> Reals:
    """Sums of each column per cluster: (n, k) to (clusters, k)."""
    return np.stack([summed(codes, column, clusters) for column in columns.T], axis=1)


def bootstrap(sums: Reals, draws: int, seed: int) -> Reals:
    """Totals (draws, k) of samples of as many whole clusters, drawn with replacement; paired, as columns share the draw."""
    from threadpoolctl import threadpool_limits

    dice, clusters = np.random.default_rng(seed), len(sums)
    size = max(1, _CELLS // clusters)
    batches = [min(size, draws - at) for at in range(0, draws, size)]
    # Threads of so flat a product wait for each other: where others use the cores, too, up to fifty times as long as it takes.
    with threadpool_limits(1, user_api="blas"):
        return np.concatenate([_times_drawn(dice, clusters, batch) @ sums for batch in batches])


def _times_drawn(dice: np.random.Generator, clusters: int, draws: int) -> Reals:
    """How often each cluster is drawn; counting draws is several times as fast as `multinomial`."""
    counts = np.empty((draws, clusters))
    for row in counts:
        row[:] = np.bincount(dice.integers(clusters, size=clusters), minlength=clusters)
    return counts


def percentile(value: float, drawn: Reals) -> Interval:
    """A figure between the quantiles of its draws; those that say nothing are NaN."""
    low, high = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(*(round(float(figure), _DECIMALS) for figure in (value, low, high)))


def ratio_error(numerator: Reals, denominator: Reals) -> float:
    """Standard error of `sum numerator / sum denominator`, both (clusters,); infinite for one cluster, of which nothing is known."""
    held = denominator != 0
    above, below = numerator[held], denominator[held]
    count, total = len(below), below.sum()
    if count < 2:
        return float("inf")
    influence = (above - above.sum() / total * below) / total
    return float(np.sqrt(count / (count - 1) * (influence**2).sum()))


def normal(value: float, error: float) -> Interval:
    """A figure and its interval as if it were normal."""
    reach = REACH * error
    return Interval(value, value - reach, value + reach)


def two_sided(value: float, error: float) -> float:
    """p-value of a figure against 0 as if it were normal; 1 where nothing varies or the error is not known."""
    from scipy.stats import norm

    if not error > _TINY:
        return 1.0
    return float(2 * norm.sf(abs(value) / error))
