"""Everything that was tried is counted, whoever tried it and whatever came of it."""

from __future__ import annotations

from datetime import timedelta

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import trials
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets.learning.training.searching import Trial
from polymarket_assets_tests.learning.rows import NOON

TRIED = [(None, Trial(0, Capacity(), -0.001, "complete")), (1_700_000_000_000_000, Trial(0, Capacity(depth=4), None, "pruned"))]  # fmt: skip


def test_trials_add_up_over_trainings_and_openings(lake: Lake) -> None:
    assert trials.counted(lake) == 0
    assert trials.publish(lake, "run1", TRIED, NOON) == 2
    trials.publish(lake, "run2", TRIED, NOON)
    trials.publish_opening(lake, "run1", NOON)
    assert trials.counted(lake) == 5


def test_a_training_that_is_repeated_counts_once(lake: Lake) -> None:
    """A run that is tried again after a crash of its machine is the same run."""
    for _ in range(2):
        trials.publish(lake, "run1", TRIED, NOON)
        trials.publish_opening(lake, "run1", NOON)
    assert trials.counted(lake) == 3


def test_sealed_weeks_that_are_looked_at_again_were_opened_once(lake: Lake) -> None:
    """A challenger is asked about every day until the next comes."""
    for day in range(3):
        trials.publish_opening(lake, "run1", NOON + timedelta(days=day))
    trials.publish_opening(lake, "run2", NOON)
    assert trials.openings(lake) == trials.counted(lake) == 2


def test_a_trial_says_what_was_tried_and_for_which_cut(lake: Lake) -> None:
    trials.publish(lake, "run1", TRIED, NOON)
    found = {row["made_for"]: row for row in reading.rows(lake, "trials").to_pylist()}
    assert set(found) == {"model", "2023-11-14T22:13:20+00:00"}
    assert '"depth": 4' in found["2023-11-14T22:13:20+00:00"]["what"]
    assert found["2023-11-14T22:13:20+00:00"]["loss"] is None


def test_nothing_tried_writes_nothing(lake: Lake) -> None:
    assert trials.publish(lake, "run1", [], NOON) == 0
    assert reading.files(lake, "trials") == []
