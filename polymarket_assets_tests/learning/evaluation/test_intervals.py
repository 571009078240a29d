"""Intervals hold what they promise: simulated where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from polymarket_assets.learning import evaluation
from polymarket_assets.learning.evaluation import intervals
from polymarket_assets_tests.learning.evaluation.rows import rows


def gains(dice: np.random.Generator, groups: int, shocks: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Weighted gains and weights of groups of unlike size, of mean 0; with shocks that blocks of groups share."""
    weight = dice.uniform(0.2, 1.8, groups)
    gain = dice.standard_t(5, groups) * 0.05
    if shocks:
        gain += dice.normal(0, 0.05, shocks)[np.arange(groups) * shocks // groups]
    return weight * gain, weight


@pytest.mark.slow
def test_bootstrap_intervals_cover_the_truth_as_often_as_they_say() -> None:
    """95 % intervals of 300 simulated samples: fewer than 90 % would find edges that are none."""
    dice, covered = np.random.default_rng(0), {"bootstrap": 0, "normal": 0}
    for n in range(300):
        above, below = gains(dice, 200)
        value, totals = (
            above.sum() / below.sum(),
            intervals.bootstrap(np.stack([above, below], axis=1), 300, n),
        )
        found = {
            "bootstrap": intervals.percentile(value, totals[:, 0] / totals[:, 1]),
            "normal": intervals.normal(value, intervals.ratio_error(above, below)),
        }
        for how, interval in found.items():
            covered[how] += interval.low <= 0 <= interval.high
    assert all(0.90 <= count / 300 <= 0.985 for count in covered.values()), covered


@pytest.mark.slow
def test_intervals_over_days_cover_where_groups_of_a_day_go_together() -> None:
    """Common shocks make intervals over groups too narrow: why the wider one is quoted."""
    dice, covered = np.random.default_rng(1), {"group": 0, "day": 0}
    day = np.arange(600) * 30 // 600
    for n in range(200):
        both = np.stack(gains(dice, 600, shocks=30), axis=1)
        value = both[:, 0].sum() / both[:, 1].sum()
        for how, sums in {"group": both, "day": intervals.by_cluster(day, both, 30)}.items():
            totals = intervals.bootstrap(sums, 300, n)
            interval = intervals.percentile(value, totals[:, 0] / totals[:, 1])
            covered[how] += interval.low <= 0 <= interval.high
    assert covered["group"] / 200 < 0.75
    assert covered["day"] / 200 > 0.88


def test_the_error_of_a_ratio_is_that_of_its_bootstrap() -> None:
    above, below = gains(np.random.default_rng(2), 800)
    totals = intervals.bootstrap(np.stack([above, below], axis=1), 3_000, 0)
    drawn = totals[:, 0] / totals[:, 1]
    assert intervals.ratio_error(above, below) == pytest.approx(drawn.std(), rel=0.08)


@pytest.mark.parametrize("times", [2, 40])
def test_rows_of_a_group_that_are_repeated_do_not_narrow_intervals(times: int) -> None:
    """Rows of one event are one observation: counted apart, intervals came out four to seven times too narrow."""
    once, often = (evaluation.evaluate(rows(300, n, off=0.5, weeks=10), draws=300) for n in (1, times))
    for one, many in zip(once.overall.against.values(), often.overall.against.values(), strict=True):
        for what in ("gain", "skill"):
            first, second = getattr(one, what), getattr(many, what)
            for clusters in ("by_group", "by_day"):
                a, b = getattr(first, clusters), getattr(second, clusters)
                assert (b.low, b.high) == pytest.approx((a.low, a.high), rel=1e-9)
    line, repeated = (found.calibrations["probability"].line for found in (once, often))
    assert line is not None
    assert repeated is not None
    assert repeated.slope.width == pytest.approx(line.slope.width, rel=1e-6)
    (narrow,) = [s for s in often.slices if s.name == "negRisk"]
    (wide,) = [s for s in once.slices if s.name == "negRisk"]
    assert narrow.gain.width == pytest.approx(wide.gain.width, rel=1e-9)


def test_one_cluster_says_nothing() -> None:
    assert intervals.ratio_error(np.array([1.0]), np.array([2.0])) == np.inf
    assert intervals.two_sided(1.0, np.inf) == 1.0
    assert intervals.two_sided(0.0, 0.0) == 1.0
