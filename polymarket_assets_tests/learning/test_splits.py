"""Folds: nothing of a group, of its labels or of later rows crosses a cut."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.lake.writing import table_of
from polymarket_assets.learning import splits
from polymarket_assets_tests.learning.synthetic import T0, training_rows

hours = st.integers(0, 24 * 120)
rows_of = st.lists(st.tuples(st.integers(0, 15), hours, hours, hours), min_size=1, max_size=60)


def table(given: list[tuple[int, int, int, int]]) -> pa.Table:
    """Rows of (group, as_of, scheduled end after it, label after that), in hours."""
    needed = {"event_id": "e", "horizon_h": 1.0, "coverage": 1.0, "sources": [], "category": "other", "source": "s", "tod_sin": 0.0, "tod_cos": 0.0,
              "neg_risk": False, "yesno_labels": False, "by_deadline": False, "dow": 0, "label": 1, "label_version": 1, "weight": 1.0}  # fmt: skip
    made: list[dict[str, Any]] = [
        {
            **needed,
            "market_id": f"m{n}",
            "group_id": f"g{group}",
            "as_of": T0 + timedelta(hours=at),
            "scheduled_end": T0 + timedelta(hours=at + end),
            "label_seen_at": T0 + timedelta(hours=at + label),
            "group_over_at": T0,
        }
        for n, (group, at, end, label) in enumerate(given)
    ]
    return table_of("training_set", made)


def micros(rows: pa.Table, name: str) -> Any:
    return rows.column(name).cast(pa.int64()).to_numpy()


@settings(max_examples=150, deadline=None)
@given(rows_of, st.integers(1, 6), st.integers(0, 10))
def test_nothing_crosses_a_cut(given: list[tuple[int, int, int, int]], cuts: int, embargo_days: int) -> None:
    rows = table(given)
    planned = splits.plan(rows, cuts=cuts, embargo=timedelta(days=embargo_days))
    groups = np.asarray(rows.column("group_id").to_pylist())
    at = micros(rows, "as_of")
    tested: list[int] = []
    for fold in splits.folds(rows, planned):
        before = fold.cut_us - planned.embargo_us
        assert not set(groups[fold.train]) & set(groups[fold.test])
        for name in ("as_of", "scheduled_end", "label_seen_at"):
            whole = np.isin(groups, groups[fold.train])
            assert (micros(rows, name)[whole] < before).all(), name
        assert (at[fold.test] >= fold.cut_us).all()
        tested += fold.test.tolist()
    assert len(tested) == len(set(tested)), "a row is tested once"


@settings(max_examples=50, deadline=None)
@given(rows_of)
def test_training_windows_expand(given: list[tuple[int, int, int, int]]) -> None:
    rows = table(given)
    trains = [
        set(fold.train.tolist()) for fold in splits.folds(rows, splits.plan(rows, embargo=timedelta(hours=1)))
    ]
    assert all(earlier <= later for earlier, later in itertools.pairwise(trains))


@settings(max_examples=50, deadline=None)
@given(rows_of, st.integers(1, 6))
def test_nothing_crosses_an_inner_cut_nor_leaves_the_train_side(given: list[tuple[int, int, int, int]], cuts: int) -> None:  # fmt: skip
    """What is fitted on inner folds knows no row of the outer test side, and of each inner cut only what was over before it."""
    rows = table(given)
    for outer in splits.folds(rows, splits.plan(rows, cuts=cuts)):
        train = rows.take(outer.train)
        before, at = outer.cut_us, micros(train, "as_of")
        assert (at < before).all()
        for fold in splits.folds(train, splits.inner(train)):
            groups = np.asarray(train.column("group_id").to_pylist())
            assert not set(groups[fold.train]) & set(groups[fold.test])
            assert (micros(train, "label_seen_at")[fold.train] < fold.cut_us).all()
            assert (at[fold.test] >= fold.cut_us).all()


def test_a_week_of_which_too_much_is_open_is_not_trained_on_before_it_is_whole() -> None:
    """Of markets by a deadline, YES comes early: the ends of a week that are there first are no fair sample."""
    rows = table([(n, 24 * n, 1, 2) for n in range(60)])
    whole_at = [T0 + timedelta(days=40) if n < 20 else T0 for n in range(60)]
    told = rows.set_column(rows.schema.get_field_index("week_complete_at"), "week_complete_at", pa.array(whole_at, pa.timestamp("us", tz="UTC")))  # fmt: skip
    for fold in splits.folds(told, splits.plan(told, embargo=timedelta(hours=1))):
        is_late = fold.cut_us > micros(told, "week_complete_at").max()
        assert bool(set(fold.train.tolist()) & set(range(20))) is bool(is_late)


def test_the_last_fifth_of_weekly_cuts_is_sealed_and_short_data_have_none() -> None:
    rows = training_rows(200, days=100)
    found = list(splits.folds(rows, splits.plan(rows)))
    sealed = [fold.is_sealed for fold in found]
    assert sealed == sorted(sealed), "the last of them"
    assert sum(sealed) == pytest.approx(len(found) / 5, abs=1)
    short = training_rows(200, days=30)
    assert not any(fold.is_sealed for fold in splits.folds(short, splits.plan(short)))


@pytest.mark.parametrize("weeks", [2, 4, 12])
def test_of_few_weeks_one_is_sealed_and_never_all(weeks: int) -> None:
    planned = splits.plan(
        training_rows(300, days=7 * weeks + 1, hours=(1.0,)), weekly_from=timedelta(weeks=1)
    )
    sealed = [cut for cut in planned.cuts if cut >= planned.sealed_from_us]
    assert len(sealed) == max(1, round(len(planned.cuts) / 5))


def test_a_group_of_which_a_market_is_still_open_is_tested_on_only() -> None:
    """Of markets that end early with YES, those that are over tell of the outcome: of the others nobody knows."""
    rows = table([(n // 4, 24 * n, 1, 2) for n in range(100)])
    is_open = [group == "g1" for group in rows.column("group_id").to_pylist()]
    over_at = [None if found else T0 for found in is_open]
    told = rows.set_column(rows.schema.get_field_index("group_over_at"), "group_over_at", pa.array(over_at, pa.timestamp("us", tz="UTC")))  # fmt: skip
    planned = splits.plan(told, embargo=timedelta(hours=1))
    open_rows = {n for n, found in enumerate(is_open) if found}
    known = [(set(fold.train.tolist()) & open_rows, set(fold.test.tolist())) for fold in splits.folds(rows, planned)]  # fmt: skip
    found = [(set(fold.train.tolist()) & open_rows, set(fold.test.tolist())) for fold in splits.folds(told, planned)]  # fmt: skip
    assert any(train for train, _ in known), "they would be trained on otherwise"
    assert not any(train for train, _ in found)
    assert [test for _, test in found] == [test for _, test in known]


def test_the_model_of_production_is_made_as_one_more_cut() -> None:
    """Labels of the last days may be disputed: no model that was judged had learnt from such."""
    rows = table([(n, 24 * n, 1, 2) for n in range(100)])
    planned = splits.plan(rows)
    known = micros(rows, "label_seen_at")
    found = splits.closed(rows, planned)
    assert known[found].max() == known.max() - planned.embargo_us, "three days, and labels come daily"
    assert len(found) == (known <= known.max() - planned.embargo_us).sum()
    assert not splits.closed(rows.slice(0, 0), planned).size


def test_long_data_are_cut_weekly() -> None:
    planned = splits.plan(training_rows(200, days=100))
    assert set(np.diff(planned.cuts)) == {7 * 86_400 * 10**6}
    assert planned.embargo_us == splits.EMBARGO / timedelta(microseconds=1)


@pytest.mark.parametrize("days", [2, 20, 50])
def test_short_data_are_cut_at_quantiles_and_the_embargo_shrinks_with_them(days: int) -> None:
    rows = training_rows(200, days=days, hours=(1.0,))
    planned = splits.plan(rows)
    at = micros(rows, "as_of")
    shares = [float((at < cut).mean()) for cut in planned.cuts]
    assert shares == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=0.03)
    assert planned.embargo_us / (at.max() - at.min()) == pytest.approx(3 / 56, rel=1e-6)


def test_no_rows_no_folds() -> None:
    rows = training_rows(0)
    assert list(splits.folds(rows, splits.plan(rows))) == []
