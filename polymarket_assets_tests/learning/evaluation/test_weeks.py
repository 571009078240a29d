"""Weeks: tests that hold their level on few weeks, and find what is there."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from polymarket_assets.learning import evaluation
from polymarket_assets.learning.evaluation import weeks
from polymarket_assets_tests.learning.evaluation.rows import T0, rows


@pytest.mark.parametrize("count", [5, 8, 14, 30, 60])
def test_the_t_test_holds_its_level_under_noise(count: int) -> None:
    """Plain Newey-West on eight weeks of noise calls one in six an edge, at a level of one in twenty."""
    dice = np.random.default_rng(count)
    values = [weeks.tests(dice.normal(0, 0.01, count)).p_value for _ in range(1500)]
    found = np.mean([value is not None and value < 0.05 for value in values])
    assert 0.025 <= found <= 0.075


def test_weeks_that_go_together_are_worth_fewer() -> None:
    """Of neighbours that share half their news a test that counts them as independent is wrong three times as often."""
    dice = np.random.default_rng(1)
    found = {"newey-west": 0, "independent": 0}
    for _ in range(800):
        noise = dice.normal(0, 1, 41)
        gains = noise[1:] + noise[:-1]
        plain = gains.mean() / (gains.std(ddof=1) / np.sqrt(40))
        found["independent"] += abs(plain) > 2.02
        found["newey-west"] += (weeks.tests(gains).p_value or 1) < 0.05
    assert found["independent"] / 800 > 0.12
    assert found["newey-west"] / 800 < 0.10


def test_the_variance_is_unbiased_under_noise() -> None:
    dice, count = np.random.default_rng(2), 10
    errors = [weeks._long_run(dice.normal(0, 1, count), weeks._lags(count))[0] ** 2 for _ in range(4000)]
    assert np.mean(errors) == pytest.approx(1 / count, rel=0.05)


def test_without_lags_it_is_students_test() -> None:
    from scipy.stats import ttest_1samp

    gains = np.random.default_rng(3).normal(0.2, 1, 12)
    error, freedom = weeks._long_run(gains, 0)
    assert gains.mean() / error == pytest.approx(ttest_1samp(gains, 0).statistic)
    assert freedom == pytest.approx(11)


def test_an_edge_of_every_week_is_found_and_signs_are_counted() -> None:
    gains = np.array([0.9, 1.1, 1.0, 1.3, 0.8, 1.2, 0.7, 1.0, -0.1, 1.1])
    found = weeks.tests(gains)
    assert (found.weeks, found.positive) == (10, 9)
    assert found.sign_p_value == pytest.approx(2 * 11 / 1024)
    assert found.p_value is not None
    assert found.p_value < 0.01


@pytest.mark.parametrize("gains", [[0.1], [0.1, 0.2, 0.3], [0.0] * 8])
def test_few_weeks_and_weeks_that_do_not_differ_are_not_tested(gains: list[float]) -> None:
    found = weeks.tests(np.array(gains))
    assert found.t is None
    assert found.p_value is None
    assert 0 < found.sign_p_value <= 1


def test_a_week_is_a_fold_and_without_folds_a_calendar_week() -> None:
    given = rows(400, weeks=6, off=0.3)
    by_fold = evaluation.evaluate(given, draws=50).weekly
    assert [week.began_at for week in by_fold.weeks] == [T0 + timedelta(weeks=n) for n in range(6)]
    assert sum(week.rows for week in by_fold.weeks) == 1200
    without = evaluation.judge_predictions(given.drop_columns(["cut_at"]), draws=50).weekly
    # The first instants of this market fall on a Monday, as its cuts do.
    assert without == by_fold


def test_the_gain_of_weeks_together_is_that_of_the_headline() -> None:
    found = evaluation.evaluate(rows(500, off=0.4), draws=50)
    each = found.weekly.weeks
    mean = sum(w.gain_over_best.value * w.weight for w in each) / sum(w.weight for w in each)
    assert mean == pytest.approx(found.overall.gain_over_best.value)
