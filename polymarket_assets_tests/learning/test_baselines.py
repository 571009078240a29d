"""Baselines: each finds the distortion it is for, and none sees the side it is tested on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.learning.baselines import LADDER, by_cell, ridge
from polymarket_assets.learning.baselines.linear import FEATURES
from polymarket_assets_tests.learning.synthetic import training_rows


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return training_rows(3_000, days=40, hours=(6.0,)).to_pandas()


def sides(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return frame.iloc[:2_000], frame.iloc[2_000:]


def shown(frame: pd.DataFrame, *, slope: float = 1.0, off: Any = 0.0) -> pd.DataFrame:
    """The same markets with a price whose log-odds are bent: q = σ(slope · true + off)."""
    odds = slope * np.log(frame["mid"] / (1 - frame["mid"])) + off
    return frame.assign(mid=np.clip(1 / (1 + np.exp(-odds)), 0.005, 0.995))


def loss(said: Any, test: pd.DataFrame) -> float:
    said = np.clip(said, 1e-4, 1 - 1e-4)
    return float(-np.mean(test["label"] * np.log(said) + (1 - test["label"]) * np.log(1 - said)))


BENT: list[tuple[str, str, dict[str, Any]]] = [
    ("b2", "prices too timid", {"slope": 0.5}),
    ("b2", "prices too high", {"off": 0.6}),
    ("b2i", "prices too timid", {"slope": 0.5}),
    ("b3", "one category too high", {"off": "category"}),
    ("b4", "off with a feature", {"off": "imb_top"}),
]


@pytest.mark.parametrize(("name", "bent"), [(name, bent) for name, _, bent in BENT], ids=[f"{name}: {what}" for name, what, _ in BENT])  # fmt: skip
def test_each_baseline_mends_what_it_is_for(name: str, bent: dict[str, Any], frame: pd.DataFrame) -> None:
    if isinstance(bent.get("off"), str):
        bent = {
            "off": 0.8
            * ((frame["category"] == "sports") if bent["off"] == "category" else frame[bent["off"]])
        }
    train, test = sides(shown(frame, **bent))
    assert loss(LADDER[name](train, test), test) < loss(test["mid"], test) - 0.005


def test_where_the_price_is_right_they_stay_near_it(frame: pd.DataFrame) -> None:
    train, test = sides(frame)
    for name in ("b1m", "b1n", "b2", "b3", "b4"):
        assert abs(LADDER[name](train, test) - test["mid"]).mean() < 0.03, name


def test_the_base_rate_is_the_categorys_and_of_a_new_one_that_of_all(frame: pd.DataFrame) -> None:
    train, test = sides(frame.assign(label=(frame["category"] == "sports").astype(int)))
    said = LADDER["b0"](train, test.assign(category=test["category"].replace("crypto", "never seen")))
    by = pd.Series(said).groupby(test["category"].to_numpy()).mean()
    assert by["sports"] > 0.9 > 0.35 > by["crypto"] > by["politics"] > 0


def test_the_normalised_price_is_the_share_of_its_set(frame: pd.DataFrame) -> None:
    """Three prices of 0.4 are a third each; outside a negRisk set, and where the set is not whole, nothing is known."""
    said = frame.iloc[:3].assign(mid=0.4, neg_risk=[True, True, False], norm_logit_shift=[np.log(1 / 2) - np.log(2 / 3), np.nan, -1.0])  # fmt: skip
    assert LADDER["b1n"](frame, said) == pytest.approx([1 / 3, 0.4, 0.4])


def test_a_step_function_wants_two_thousand_groups(frame: pd.DataFrame) -> None:
    train, test = sides(frame)
    assert np.isnan(LADDER["b2i"](train.iloc[:1_999], test)).all()
    assert not np.isnan(LADDER["b2i"](train, test)).any()


def test_a_cell_that_was_not_there_follows_all(frame: pd.DataFrame) -> None:
    train, test = sides(frame)
    elsewhere = test.assign(category="never seen")
    assert np.isfinite(by_cell.forecast(train, elsewhere)).all()


def test_features_that_are_null_or_constant_move_nothing(frame: pd.DataFrame) -> None:
    empty = frame.assign(**dict.fromkeys(FEATURES[:5], np.nan), **dict.fromkeys(FEATURES[5:8], 1.0))
    train, test = sides(empty)
    assert np.isfinite(LADDER["b4"](train, test)).all()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(sorted(LADDER)), st.integers(0, 99))
def test_what_is_said_of_a_row_hangs_on_no_other_row_of_its_side(
    frame: pd.DataFrame, name: str, place: int
) -> None:
    """Means and edges taken over the side that is tested would tell of its future."""
    train, test = frame.iloc[:2_000], frame.iloc[2_000:2_100]
    alone = LADDER[name](train, test.iloc[[place]])
    assert alone == pytest.approx(LADDER[name](train, test)[[place]], nan_ok=True)


def test_the_ridge_is_the_one_of_a_library_where_there_is_one() -> None:
    """Without an offset, with one penalty for all: scikit-learn's."""
    from sklearn.linear_model import LogisticRegression

    dice = np.random.default_rng(0)
    design, weight = dice.normal(size=(500, 3)), dice.uniform(0.5, 2, 500)
    label = (dice.random(500) < 1 / (1 + np.exp(-design @ [1.0, -0.5, 0.0]))).astype(float)
    found = ridge.fitted(design, label, weight, np.zeros(500), np.full(3, 2.0))
    library = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10).fit(
        design, label, sample_weight=weight
    )
    assert found == pytest.approx(library.coef_[0], abs=1e-4)
