"""Slices: every axis is cut as it says, and looking often finds no more than chance allows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import norm

from polymarket_assets.learning.evaluation import axes, slices
from polymarket_assets.learning.evaluation.intervals import normal
from polymarket_assets.learning.evaluation.power import NEEDED, Power, power
from polymarket_assets.learning.evaluation.sample import sampled
from polymarket_assets.learning.evaluation.slices import Slice
from polymarket_assets_tests.learning.evaluation.rows import logit, replaced, rows, sigmoid


def found_in(table: pa.Table) -> dict[str, Slice]:
    return {f"{one.axis}: {one.name}": one for one in slices.slices(sampled(table), "mid")}


def looked_at(p_value: float, groups: int = 1_000) -> Slice:
    return Slice("axis", f"{p_value}", groups, groups, normal(0, 1), normal(0, 1), p_value, Power(1, 1, 1, 1))


def test_axes_cut_all_rows_and_know_what_is_not_known() -> None:
    given = rows(600, off=0.3)
    found = found_in(replaced(given, spread_c=[None if n % 10 == 0 else 2.0 for n in range(1800)]))
    for axis in ("horizon", "category", "tier", "set", "outcomes", "spread", "dispute"):
        assert sum(one.rows for one in found.values() if one.axis == axis) == 1800, axis
    assert found["spread: not known"].rows == 180
    mid = given.column("mid").to_numpy()
    assert found["price: 5–95 c"].rows == ((mid >= 0.05) & (mid < 0.95)).sum()
    assert "source: recorded" not in found


def test_a_slice_is_judged_on_its_rows_alone() -> None:
    given = rows(2_000, off=0.6, seed=2)
    frame = given.to_pandas()
    one, kept = found_in(given)["category: sports"], frame[frame["category"] == "sports"]
    briers = [np.average((kept[q] - kept["label"]) ** 2, weights=kept["weight"]) for q in ("probability", "mid")]  # fmt: skip
    assert one.skill.value == pytest.approx(1 - briers[0] / briers[1])
    assert one.groups == kept["group_id"].nunique()
    assert one.skill.low < one.skill.value < one.skill.high


def test_an_edge_in_one_category_is_discovered_there() -> None:
    given = rows(6_000, 1, off=0.6, seed=3)
    only = np.where(
        given.column("category").to_numpy(zero_copy_only=False) == "weather",
        given.column("probability").to_numpy(),
        given.column("mid").to_numpy(),
    )
    found = found_in(replaced(given, probability=only))
    weather = found["category: weather"]
    assert weather.is_discovery
    assert weather.gain.value > 0
    assert not any(found[f"category: {name}"].is_discovery for name in ("sports", "politics"))


@pytest.mark.slow
def test_looking_often_discovers_no_more_than_was_allowed() -> None:
    """Price and model err by as much, to opposite sides: no slice that does not ask for the price is better or worse.

    One look in twenty seems to find something; a judgement with a discovery must stay as rare as was asked for.
    """
    raw = looks = discovered = 0
    for seed in range(100):
        given = rows(2_500, 1, seed=seed)
        truth, error = (
            logit(given.column("mid").to_numpy()),
            np.random.default_rng(seed).normal(0, 0.3, 2_500),
        )
        sample = sampled(replaced(given, mid=sigmoid(truth + error), probability=sigmoid(truth - error)))
        tested_ones = [s for s in slices.slices(sample, "mid", axes.AXES[1:]) if s.adjusted_p is not None]
        raw += sum(one.p_value < 0.05 for one in tested_ones)
        looks += len(tested_ones)
        discovered += any(one.is_discovery for one in tested_ones)
    assert looks > 100 * 10
    assert 0.03 < raw / looks < 0.08
    assert discovered / 100 < 0.18


def test_benjamini_and_hochberg_are_followed() -> None:
    """Of ten p-values the three smallest pass at 10 %: the largest k with p(k) <= k/10 × 0.1 decides."""
    values = [0.001, 0.015, 0.029, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 0.9]
    found = slices.adjusted([looked_at(value) for value in values])
    assert [one.is_discovery for one in found] == [True] * 3 + [False] * 7


def test_small_slices_are_described_and_cost_the_others_nothing() -> None:
    alone = slices.adjusted([looked_at(0.04), looked_at(0.9)])
    with_small = slices.adjusted([looked_at(0.04), *[looked_at(0.5, 299)] * 20, looked_at(0.9)])
    assert with_small[0].adjusted_p == alone[0].adjusted_p
    assert {one.adjusted_p for one in with_small[1:-1]} == {None}
    assert not any(one.is_discovery for one in slices.adjusted([looked_at(1e-9, 299)]))


def test_power_is_that_of_the_design() -> None:
    """The table of ML.md 4.3: with v = 0.147, 4,200 groups confirm 0.2 logit, 700 confirm 0.5."""
    for groups, rms, skill in (
        (17_000, 0.1, 0.002),
        (4_200, 0.2, 0.007),
        (1_900, 0.3, 0.017),
        (700, 0.5, 0.044),
    ):
        # Prices of which the mean of p (1 − p) is 0.147.
        mid = sigmoid(2.05 * norm.ppf((np.arange(groups) + 0.5) / groups))
        found = power(mid, np.ones(groups), np.arange(groups))
        assert found.logit == pytest.approx(rms, rel=0.03)
        assert found.log_loss_gain == pytest.approx(NEEDED / groups / 2, rel=1e-9)
        assert found.brier_skill == pytest.approx(skill, rel=0.2)


def test_groups_of_little_weight_add_little_power() -> None:
    mid, group = np.full(200, 0.5), np.arange(200)
    even, uneven = (power(mid, weight, group) for weight in (np.ones(200), np.where(group < 100, 1.0, 1e-6)))
    assert even.effective_groups == pytest.approx(200)
    assert uneven.effective_groups == pytest.approx(100, rel=1e-3)
    assert uneven.logit == pytest.approx(even.logit * np.sqrt(2), rel=1e-3)
