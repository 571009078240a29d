"""Drift: what moved is named, and what did not is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import drift
from polymarket_assets.venue.errors import MalformedPayload

NAMES = ("spread_c", "category", "neg_risk")


def rows(count: int = 5_000, *, seed: int = 0, shift: float = 0.0, nulls: float = 0.0, words: Any = ("sports", "crypto")) -> pa.Table:  # fmt: skip
    dice = np.random.default_rng(seed)
    spread = dice.normal(shift, 1, count)
    spread[dice.random(count) < nulls] = np.nan
    return pa.table(
        {
            "spread_c": pa.array(spread, from_pandas=True),
            "category": dice.choice(list(words), count),
            "neg_risk": dice.random(count) < 0.5,
            "weight": np.ones(count),
        }
    )


def moved(now: pa.Table) -> dict[str, drift.Drifted]:
    return {one.feature: one for one in drift.compared(drift.profiles(rows(), NAMES), now)}


def test_the_same_distribution_has_not_moved() -> None:
    found = moved(rows(seed=1))
    assert set(found) == set(NAMES)
    assert not any(one.is_moved or one.is_null_rate_moved for one in found.values())


@pytest.mark.parametrize(("shift", "is_moved"), [(0.2, False), (1.0, True), (-3.0, True)])
def test_a_shifted_feature_has_moved(shift: float, is_moved: bool) -> None:
    assert moved(rows(seed=1, shift=shift))["spread_c"].is_moved is is_moved


def test_the_index_is_the_one_of_the_textbook() -> None:
    """Two bins, half and half then, a fifth and four fifths now."""
    then = drift.Profile([0.0], [0.5, 0.5], 0.0)
    now = pa.table({"spread_c": [-1.0] * 200 + [1.0] * 800})
    (found,) = drift.compared({"spread_c": then}, now)
    assert found.psi == pytest.approx((0.2 - 0.5) * np.log(0.2 / 0.5) + (0.8 - 0.5) * np.log(0.8 / 0.5))


def test_a_source_that_is_out_shows_in_nulls_not_in_the_index() -> None:
    found = moved(rows(seed=1, nulls=0.3))["spread_c"]
    assert found.is_null_rate_moved
    assert not found.is_moved
    assert found.nulls_now == pytest.approx(0.3, abs=0.03)


def test_a_word_that_was_never_there_counts() -> None:
    assert moved(rows(seed=1, words=("sports", "unheard of")))["category"].is_moved


def test_too_few_rows_say_nothing() -> None:
    assert moved(rows(drift.LEAST_ROWS - 1, shift=3.0)) == {}


def test_profiles_come_back_from_text_as_they_went() -> None:
    made = drift.profiles(rows(), NAMES)
    assert drift.from_json(drift.to_json(made)) == made
    with pytest.raises(MalformedPayload):
        drift.from_json("no profiles")
