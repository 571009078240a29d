"""Week by week: is a gain there most of the time, or was it one good week?

Tests are of weekly mean differences, as Diebold and Mariano (1995) compare forecasts: a t-test whose variance allows
neighbouring weeks to go together (Newey and West 1987), and a sign test that no single week can carry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from polymarket_assets.learning.evaluation import losses
from polymarket_assets.learning.evaluation.intervals import Interval, normal, ratio_error
from polymarket_assets.learning.evaluation.sample import Codes, Mask, Reals, Sample, micros, summed
from polymarket_assets.learning.out_of_fold import PRICE
from polymarket_assets.venue.instants import EPOCH

# With fewer weeks the variance between them is a guess.
LEAST_WEEKS = 4
_WEEK_US = 7 * 86_400_000_000
# 1970-01-05 was a Monday.
_MONDAY_US = 4 * 86_400_000_000


@dataclass(frozen=True)
class Week:
    """A fold, or for rows without folds a calendar week: gains in nats a row of weight 1, intervals over its groups."""

    began_at: datetime
    rows: int
    groups: int
    weight: float
    brier_skill: float
    gain_over_price: Interval
    gain_over_best: Interval


@dataclass(frozen=True)
class Tests:
    """Of the mean of `weeks` weekly gains: t with its degrees of freedom and p, and of their signs; both two-sided.

    None: fewer than `LEAST_WEEKS`, or weeks that do not differ.
    """

    weeks: int
    positive: int
    mean: float
    lags: int
    t: float | None
    freedom: float | None
    p_value: float | None
    sign_p_value: float


@dataclass(frozen=True)
class Weekly:
    """Weeks in order, and what they say together of the gain over the price and over the best baseline."""

    weeks: tuple[Week, ...]
    over_price: Tests
    over_best: Tests


def weekly(sample: Sample, best: str) -> Weekly:
    """The weeks of a sample; each counts as one, however many rows it has."""
    weeks = each(sample, best)
    gains = [[getattr(w, f"gain_over_{what}").value for w in weeks] for what in ("price", "best")]
    return Weekly(weeks, *(tests(np.array(each)) for each in gains))


def each(sample: Sample, best: str) -> tuple[Week, ...]:
    """The weeks of a sample in order, with what they gain over the price and over `best`."""
    began = weeks_of(sample)
    return tuple(_week(sample, best, int(at), began == at) for at in np.unique(began))


def tests(gains: Reals) -> Tests:
    """Both tests of weekly gains (weeks,)."""
    from scipy.stats import binomtest, t

    count, mean, lags = len(gains), float(gains.mean()), _lags(len(gains))
    positive, moved = int((gains > 0).sum()), int((gains != 0).sum())
    sign = float(binomtest(positive, moved).pvalue) if moved else 1.0
    error, freedom = _long_run(gains, lags) if count >= LEAST_WEEKS else (0.0, 0.0)
    if not error > 0:
        return Tests(count, positive, mean, lags, None, None, None, sign)
    score = mean / error
    return Tests(count, positive, mean, lags, score, freedom, float(2 * t.sf(abs(score), freedom)), sign)


def _lags(weeks: int) -> int:
    """How many weeks may go together: 4 (T/100)^(2/9), the rule of Newey and West (1994)."""
    return min(int(4 * (weeks / 100) ** (2 / 9)), max(weeks - 1, 0))


def _long_run(gains: Reals, lags: int) -> tuple[float, float]:
    """Standard error of the mean with Bartlett's weights, and its degrees of freedom.

    Uncorrected, a dozen weeks give a variance that is too small and a test that finds too much. Both are set so that
    mean and variance of the estimate are right where weeks are independent (Bell and McCaffrey 2002): for the quadratic
    form e' A e the mean is tr A, the degrees of freedom tr(A)² / tr(A²).
    """
    from scipy.linalg import toeplitz

    count = len(gains)
    weights = toeplitz(np.maximum(0.0, 1 - np.arange(count) / (lags + 1)))
    centred = np.eye(count) - 1 / count
    form = centred @ weights @ centred
    variance = float(gains @ form @ gains) / np.trace(form)
    return float(np.sqrt(max(variance, 0.0) / count)), float(np.trace(form) ** 2 / np.trace(form @ form))


def weeks_of(sample: Sample) -> Codes:
    """The cut of each row's fold; without one, the Monday before its instant."""
    names = sample.table.column_names
    if "cut_at" in names and not sample.table.column("cut_at").null_count:
        return micros(sample.table, "cut_at")
    if "as_of" not in names:
        return np.zeros(len(sample.label), dtype=np.int64)
    at = micros(sample.table, "as_of")
    found: Codes = at - (at - _MONDAY_US) % _WEEK_US
    return found


def _week(sample: Sample, best: str, began_us: int, inside: Mask) -> Week:
    label, weight, group = sample.label[inside], sample.weight[inside], sample.group[inside]
    said = {name: sample.forecasts[name][inside] for name in (PRICE, best)}
    model = sample.probability[inside]
    briers = [weight @ losses.brier(label, q) for q in (model, said[PRICE])]
    gains = {name: losses.log_loss(label, q) - losses.log_loss(label, model) for name, q in said.items()}
    return Week(
        EPOCH + timedelta(microseconds=began_us), len(label), len(np.unique(group)), float(weight.sum()),
        float(1 - briers[0] / briers[1]) if briers[1] else 0.0,
        *(mean(gains[name], weight, group) for name in (PRICE, best)),
    )  # fmt: skip


def mean(gain: Reals, weight: Reals, group: Codes) -> Interval:
    """Of a gain a row (n,), with its interval over groups as if it were normal."""
    count = int(group.max()) + 1
    above, below = summed(group, weight * gain, count), summed(group, weight, count)
    return normal(float(above.sum() / below.sum()), ratio_error(above, below))
