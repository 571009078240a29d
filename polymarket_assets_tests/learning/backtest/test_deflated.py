"""A Sharpe ratio is worth less the more was tried for it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polymarket_assets.learning.backtest.deflated import deflated_sharpe, expected_best, of_moments


def test_the_example_of_the_paper() -> None:
    """A yearly ratio of 2.5 over five years of days, the best of 100 attempts whose ratios vary by 1/2: 0.9004 with fat tails, 0.9505 without."""
    hurdle = expected_best(100, 1 / 2 / 250)
    assert hurdle == pytest.approx(0.1132, abs=5e-5)
    assert of_moments(2.5 / math.sqrt(250), 1250, -3, 10, hurdle) == pytest.approx(0.9004, abs=5e-4)


def test_more_attempts_leave_less_of_it() -> None:
    returns = np.random.default_rng(0).normal(0.1, 1, 500)
    found = [deflated_sharpe(returns, trials) for trials in (1, 10, 1_000)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9 > 0.5 > found[2]


def test_the_best_of_many_worthless_attempts_is_not_taken_for_real() -> None:
    """Picked by its ratio among a hundred: one in twenty may be called real, undeflated nearly all are."""
    dice = np.random.default_rng(1)
    best = [max(dice.normal(0, 1, (100, 250)), key=lambda each: each.mean() / each.std()) for _ in range(60)]
    plain, paid = ([deflated_sharpe(each, trials) > 0.95 for each in best] for trials in (1, 100))
    assert np.mean(plain) > 0.9
    assert np.mean(paid) < 0.2


@pytest.mark.parametrize("returns", [np.ones(100), np.random.default_rng(0).normal(size=10), np.zeros(0)])
def test_too_few_returns_or_constant_ones_say_nothing(returns: np.ndarray) -> None:
    assert math.isnan(deflated_sharpe(returns, 5))
