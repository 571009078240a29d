"""The Sharpe ratio, deflated: how likely it is real when it is the best of so many attempts (Bailey and López de Prado 2014)."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]

_EULER = float(np.euler_gamma)
# Moments of fewer returns than this are noise.
LEAST_RETURNS = 20


def deflated_sharpe(returns: Reals, trials: int, *, variance: float | None = None) -> float:
    """The probability that the true Sharpe ratio of these returns exceeds what the best of `trials` worthless attempts would show; NaN of too few.

    `variance` is that of the attempts' Sharpe ratios; by default that of the estimate of a worthless one, 1 / (returns − 1).
    """
    from scipy.stats import kurtosis, skew

    if len(returns) < LEAST_RETURNS or np.std(returns) == 0:
        return math.nan
    ratio = float(np.mean(returns) / np.std(returns, ddof=1))
    shape = float(skew(returns)), float(kurtosis(returns, fisher=False))
    return of_moments(ratio, len(returns), *shape, expected_best(trials, variance or 1 / (len(returns) - 1)))


def of_moments(ratio: float, count: int, skewness: float, kurt: float, hurdle: float) -> float:
    """The same of moments: a Sharpe ratio per return, how many returns, their skewness and kurtosis (3: normal), and what has to be exceeded."""
    from scipy.stats import norm

    error = math.sqrt(1 - skewness * ratio + (kurt - 1) / 4 * ratio**2)
    return float(norm.cdf((ratio - hurdle) * math.sqrt(count - 1) / error))


def expected_best(trials: int, variance: float) -> float:
    """The Sharpe ratio to expect of the best of so many worthless attempts; 0 of one."""
    from scipy.stats import norm

    if trials < 2:
        return 0.0
    tail = float(norm.ppf(1 - 1 / trials)), float(norm.ppf(1 - 1 / (trials * math.e)))
    return math.sqrt(variance) * ((1 - _EULER) * tail[0] + _EULER * tail[1])
