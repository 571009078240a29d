"""Drift: what moved is named, and what did not is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from polymarket_assets.learning import drift
from polymarket_assets.venue.errors import MalformedPayload

NAMES = ("spread_c", "category", "neg_risk")


def rows(count: int = 5_000, *, seed: int = 0, shift: float = 0.0, nulls: float = 0.0, words: Any = ("sports", "crypto"), **columns: Any) -> pa.Table:  # fmt: skip
    """Recorded rows; `nulls`: the share of each feature that is not there."""
    dice = np.random.default_rng(seed)
    made: dict[str, Any] = {
        "spread_c": dice.normal(shift, 1, count),
        "category": dice.choice(list(words), count),
        "neg_risk": dice.random(count) < 0.5,
    }
    missing = {name: pa.array(values, mask=dice.random(count) < nulls) for name, values in made.items()}
    return pa.table({**missing, "mid": [0.5] * count, "source": ["recorded"] * count, **columns})


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
    now = rows(1_000, spread_c=[-1.0] * 200 + [1.0] * 800)
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


def imported(count: int) -> pa.Table:
    """Rows of a dataset: no spread, another category, no price in half of them."""
    return rows(
        count, seed=2, words=("weather",), source=["weather"] * count, spread_c=pa.nulls(count, pa.float64())
    )


def test_what_a_model_learnt_from_imports_beside_is_no_drift() -> None:
    """Most rows are imported, and have no books: recorded spreads, there as ever, would seem to have come."""
    then = drift.profiles(pa.concat_tables([rows(), imported(20_000)]), NAMES)
    assert then == drift.profiles(rows(), NAMES)
    assert not any(one.is_moved or one.is_null_rate_moved for one in drift.compared(then, rows(seed=1)))


def test_of_a_model_of_imported_rows_drift_cannot_be_told() -> None:
    then = drift.profiles(pa.concat_tables([rows(drift.LEAST_ROWS - 1), imported(20_000)]), NAMES)
    assert then == {}
    assert drift.compared(then, rows(shift=3.0)) == []
    assert "learnt from imported rows" in drift.untold(then)
    assert "recorded in the last week" in drift.untold(drift.profiles(rows(), NAMES))


def test_rows_without_a_price_and_imported_ones_are_not_asked_about() -> None:
    unpriced = rows(5_000, seed=2, shift=3.0, mid=pa.nulls(5_000, pa.float64()))
    found = moved(pa.concat_tables([rows(seed=1), unpriced, imported(5_000)]))
    assert not any(one.is_moved or one.is_null_rate_moved for one in found.values())
    assert moved(pa.concat_tables([unpriced, imported(5_000)])) == {}


def test_a_row_counts_once_whatever_it_weighs_in_training() -> None:
    """A model is asked about the rows of a large group one by one, too."""
    heavy = rows(weight=np.linspace(0.0, 1.0, 5_000))
    assert drift.profiles(heavy, NAMES) == drift.profiles(rows(), NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nulls_are_counted_whatever_the_kind(name: str) -> None:
    """A column of flags with nulls is one of objects in pandas, and its values were taken for words, or not at all."""
    then = drift.profiles(rows(nulls=0.1), NAMES)
    same, more, gone = (
        {one.feature: one for one in drift.compared(then, now)}[name]
        for now in (rows(seed=1, nulls=0.1), rows(seed=1, nulls=0.3), rows(seed=1, nulls=1.0))
    )
    assert not same.is_moved
    assert not same.is_null_rate_moved
    assert not more.is_moved
    assert more.is_null_rate_moved
    assert (gone.psi, gone.nulls_now) == (0.0, 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_never_there_is_known_by_its_nulls_when_it_comes(name: str) -> None:
    then = drift.profiles(rows(nulls=1.0), NAMES)
    assert drift.from_json(drift.to_json(then)) == then
    (found,) = drift.compared({name: then[name]}, rows(seed=1))
    assert (found.psi, found.nulls_then, found.nulls_now) == (0.0, 1.0, 0.0)
    assert found.is_null_rate_moved


def test_flags_that_turn_have_moved() -> None:
    most = np.random.default_rng(3).random(5_000) < 0.95
    now = rows(seed=1, neg_risk=pa.array(most, mask=np.arange(5_000) % 10 == 0))
    assert moved(now)["neg_risk"].is_moved


def test_profiles_come_back_from_text_as_they_went() -> None:
    made = drift.profiles(rows(), NAMES)
    assert drift.from_json(drift.to_json(made)) == made
    with pytest.raises(MalformedPayload):
        drift.from_json("no profiles")
