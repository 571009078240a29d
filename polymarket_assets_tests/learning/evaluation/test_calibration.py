"""Calibration: a known distortion is found again, and the parts of a Brier score are all of it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from polymarket_assets.learning.evaluation import bins, calibration
from polymarket_assets.learning.evaluation.losses import brier
from polymarket_assets.learning.evaluation.sample import Sample, sampled
from polymarket_assets_tests.learning.evaluation.rows import logit, rows, sigmoid


def sample(label: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None, per_group: int = 1) -> Sample:  # fmt: skip
    count = len(label)
    return sampled(
        pa.table(
            {
                "market_id": [f"m{n}" for n in range(count)],
                "group_id": [f"g{n // per_group}" for n in range(count)],
                "label": label.astype("int8"),
                "weight": np.ones(count) if weight is None else weight,
                "mid": probability,
                "probability": probability,
            }
        )
    )


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (0.0, 1.5), (0.3, 0.7), (-0.4, 1.0)])
def test_a_known_distortion_is_recovered(intercept: float, slope: float) -> None:
    """Truth is sigmoid(intercept + slope logit(q)): a slope of 1.5 is a forecast that is too timid."""
    dice = np.random.default_rng(0)
    x = dice.normal(0, 1.2, 20_000)
    label = dice.random(20_000) < sigmoid(intercept + slope * x)
    found = calibration.line(sample(label, sigmoid(x)), sigmoid(x))
    assert found is not None
    assert found.slope.low < slope < found.slope.high
    assert found.intercept.low < intercept < found.intercept.high
    assert found.slope.value == pytest.approx(slope, abs=0.06)
    assert found.slope.width < 0.15


@pytest.mark.slow
def test_intervals_of_the_slope_cover_where_rows_of_a_group_share_their_outcome() -> None:
    """Without the sandwich over groups, eight rows of a group would make the interval nearly three times too narrow."""
    dice, covered = np.random.default_rng(1), 0
    for _ in range(150):
        x = dice.normal(0, 1.2, 250)
        label, each = np.repeat(dice.random(250) < sigmoid(x), 8), np.repeat(sigmoid(x), 8)
        found = calibration.line(sample(label, each, per_group=8), each)
        assert found is not None
        covered += found.slope.low < 1 < found.slope.high
    assert covered / 150 > 0.9


def test_where_nothing_can_be_fitted_there_is_no_line() -> None:
    label = np.array([0, 1, 1, 0])
    assert calibration.line(sample(label, np.full(4, 0.5)), np.full(4, 0.5)) is None
    assert calibration.line(sample(np.ones(4), np.linspace(0.1, 0.9, 4)), np.linspace(0.1, 0.9, 4)) is None
    assert calibration.auc(sample(np.ones(4), np.linspace(0.1, 0.9, 4)), np.linspace(0.1, 0.9, 4)) is None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(3, 400), ticks=st.sampled_from([5, 20, 1_000_000]))
def test_murphys_parts_and_what_binning_leaves_over_add_up_to_brier(seed: int, count: int, ticks: int) -> None:  # fmt: skip
    dice = np.random.default_rng(seed)
    q = np.round(dice.uniform(0.01, 0.99, count) * ticks) / ticks
    label, weight = (dice.random(count) < q).astype(int), dice.uniform(0.1, 3, count)
    parts = bins.murphy(sample(label, q, weight), q)
    whole = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bins
    assert whole == pytest.approx(np.average(brier(label, q), weights=weight), abs=1e-12)
    assert parts.reliability >= 0 <= parts.resolution


def test_murphys_parts_say_what_is_wrong() -> None:
    """A constant has no resolution, a calibrated forecast no unreliability, a bold one has."""
    dice = np.random.default_rng(2)
    q = dice.uniform(0.05, 0.95, 50_000)
    label = dice.random(50_000) < q
    good, bold, flat = (bins.murphy(sample(label, f), f) for f in (q, sigmoid(2 * logit(q)), np.full_like(q, 0.5)))  # fmt: skip
    assert good.reliability < 2e-4 < 0.005 < bold.reliability
    assert good.resolution == pytest.approx(bold.resolution, rel=0.01)
    assert flat.resolution == pytest.approx(0, abs=1e-12)


def test_bins_hold_equal_weight_and_means_of_what_was_predicted() -> None:
    dice = np.random.default_rng(3)
    q, weight = dice.beta(1, 6, 30_000), dice.uniform(0.5, 1.5, 30_000)
    found = bins.reliability(sample(dice.random(30_000) < q, q, weight), q).bins
    assert len(found) == bins.SHOWN
    assert all(one.share == pytest.approx(1 / bins.SHOWN, rel=0.01) for one in found)
    assert sum(one.share * one.predicted for one in found) == pytest.approx(np.average(q, weights=weight))
    assert all(one.observed.low < one.predicted < one.observed.high for one in found[1:8:3])


def test_equal_forecasts_share_a_bin_whatever_the_order_of_rows() -> None:
    """Prices stand on ticks: a tie cut in two by the order of rows shows gaps that are none."""
    q = np.repeat([0.2, 0.5, 0.8], 400)
    label = np.tile(np.arange(400) < 200, 3)
    found = bins.reliability(sample(label, q), q).bins
    assert [(one.predicted, one.observed.value) for one in found] == [(pytest.approx(v), 0.5) for v in (0.2, 0.5, 0.8)]  # fmt: skip


def test_the_gap_of_a_faultless_forecast_is_that_of_noise() -> None:
    dice = np.random.default_rng(4)
    ratios = []
    for _ in range(20):
        q = dice.uniform(0.05, 0.95, 2_000)
        found = bins.reliability(sample(dice.random(2_000) < q, q), q)
        ratios.append(found.ece / found.ece_of_noise)
    assert np.mean(ratios) == pytest.approx(1, abs=0.15)


def test_intervals_of_bins_hold_a_share_of_all_or_nothing() -> None:
    low, high = (bins.wilson(share, 50) for share in (0.0, 1.0))
    assert low.low == pytest.approx(0, abs=1e-12)
    assert 0.05 < low.high < 0.1
    assert (1 - high.low, 1 - high.high) == pytest.approx((low.high, low.low))


def test_auc_is_scikit_learns_with_weights() -> None:
    given_rows = sampled(rows(300, off=0.5))
    expected = roc_auc_score(given_rows.label, given_rows.probability, sample_weight=given_rows.weight)
    assert calibration.auc(given_rows, given_rows.probability) == expected
