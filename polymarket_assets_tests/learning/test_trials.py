"""Everything that was tried is counted, whoever tried it and whatever came of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from polymarket_assets.lake import TABLES, reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import trials
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.served import Correction, Encoding, Shrinkage
from polymarket_assets.learning.training import Trained
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


def trained(*tried: tuple[int | None, Trial]) -> Trained:
    """A training of deep trees that tried so much."""
    rows = TABLES["trials"].schema.empty_table()
    correction = Correction((), Encoding((), {}), Shrinkage())
    return Trained(rows, correction, Explained(), {**Capacity(depth=3).told(), "kappa": 0.5}, tried)


@pytest.mark.parametrize(("tried", "count"), [([], 1), (TRIED, 2), (TRIED[1:], 2)], ids=["no search", "a search", "a search at cuts only"])  # fmt: skip
def test_every_training_counts_with_the_shape_of_its_model_at_least(lake: Lake, tried: list[tuple[int | None, Trial]], count: int) -> None:  # fmt: skip
    """Fifty trainings without a search are fifty attempts, of which the best looks good by chance."""
    trials.publish(lake, "run1", trials.of(trained(*tried)), NOON)
    assert trials.counted(lake) == count
    models = [row for row in reading.rows(lake, "trials").to_pylist() if row["made_for"] == trials.MODEL]
    assert len(models) == 1
    assert ('"depth": 3' in models[0]["what"]) is (tried != TRIED)


def test_nothing_tried_writes_nothing(lake: Lake) -> None:
    assert trials.publish(lake, "run1", [], NOON) == 0
    assert reading.files(lake, "trials") == []
