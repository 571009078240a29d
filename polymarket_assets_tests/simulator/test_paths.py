"""True probabilities are honest: what is told at any time is what happens as often, whatever was known."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import edge
from simulator.chance import many, normal_cdf
from simulator.paths import Information, Path

INFORMATION = Information(0.0, 100.0, 90.0, 0.5, jumps=((30.0, 0.12), (70.0, 0.08)))
CELLS = 50


def paths(x0: tuple[float, ...], count: int) -> np.ndarray:
    """Probabilities (paths, legs, instants) of many seeds."""
    return np.array(
        [Path(INFORMATION, np.array(x0), CELLS, many(seed, x0)).probabilities for seed in range(count)]
    )


def test_the_normal_distribution_is_that_of_the_textbook() -> None:
    """All probabilities rest on it."""
    known = {-3.0: 0.0013499, -1.0: 0.1586553, 0.0: 0.5, 0.6744898: 0.75, 2.0: 0.9772499}
    assert normal_cdf(np.array(list(known))) == pytest.approx(list(known.values()), abs=2e-7)


@pytest.mark.parametrize("x0", [(0.0,), (-1.2,), (0.4, -0.3, 0.0)])
def test_prices_of_a_leg_stay_on_average_where_they_began(x0: tuple[float, ...]) -> None:
    """Were they not martingales, a model could earn what was never planted."""
    seen = paths(x0, 3000)
    for leg in range(len(x0)):
        mean = seen[:, leg, :].mean(axis=0)
        error = seen[:, leg, :].std(axis=0) / np.sqrt(len(seen))
        assert np.all(np.abs(mean - mean[0]) <= 4.5 * error + 1e-4)


def test_steps_do_not_depend_on_what_was_seen_before() -> None:
    """A martingale given the past, not only on average: the next step has no trend after a rise, a fall, or at an extreme."""
    seen = paths((0.2,), 3000)[:, 0, :]
    for at in (10, 25, 40):
        step, before = seen[:, at + 5] - seen[:, at], seen[:, at] - seen[:, at - 5]
        for chosen in (before > 0, before < 0, seen[:, at] > 0.8, seen[:, at] < 0.3):
            assert abs(step[chosen].mean()) <= 4.5 * step[chosen].std() / np.sqrt(chosen.sum())


def test_what_is_said_to_happen_in_a_third_of_cases_happens_in_a_third() -> None:
    seen = paths((-0.3,), 4000)[:, 0, :]
    for at in (15, 35, 45, 49):
        for low in (0.1, 0.3, 0.5, 0.7):
            chosen = (seen[:, at] >= low) & (seen[:, at] < low + 0.2)
            assert chosen.sum() > 50
            said, happened = seen[chosen, at].mean(), seen[chosen, -1].mean()
            assert abs(said - happened) <= 4.5 * np.sqrt(said * (1 - said) / chosen.sum())


def test_legs_of_a_race_sum_to_one_and_exactly_one_wins() -> None:
    seen = paths((0.5, 0.0, -0.5, 0.1), 300)
    assert seen.sum(axis=1) == pytest.approx(np.ones((300, CELLS + 1)))
    assert set(np.unique(seen[:, :, -1])) == {0.0, 1.0}


def test_the_share_of_information_grows_from_nothing_to_all_and_jumps_when_scheduled() -> None:
    used = INFORMATION.used(np.array([0.0, 29.9, 30.0, 90.0, 99.9, 100.0]))
    assert used[0] == 0
    assert used[-1] == 1
    assert np.all(np.diff(used) > 0)
    assert used[2] - used[1] == pytest.approx(0.12, abs=0.002)


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.97])
def test_a_quote_lies_the_planted_logit_above_the_truth(p: float) -> None:
    mid = edge.quoted_one(p, edge.EDGE_LOGIT)
    assert np.log(mid / (1 - mid)) - np.log(p / (1 - p)) == pytest.approx(edge.EDGE_LOGIT)
    assert edge.quoted(np.array([p]), edge.EDGE_LOGIT)[0] == pytest.approx(mid)
    assert edge.quoted_one(p, 0.0) == pytest.approx(p)
