"""Whether it is time to train again."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import due
from polymarket_assets_tests.learning.rows import HOUR, NOON, publish, resolution

DAY = timedelta(days=1)


def asked(folder: Path, labels: int, trained_at: datetime | None, now: datetime = NOON) -> due.Due:
    lake = Lake(folder)
    publish(lake, "resolutions", [resolution(f"pm:{n}", NOON - HOUR, n % 2) for n in range(labels)])
    return due.found(lake, trained_at=trained_at, now=now)


@pytest.mark.parametrize(
    ("labels", "trained_at", "is_due", "said"),
    [
        (39, None, False, "a first model needs 40"),
        (40, None, True, "40 markets are decided"),
        (600, NOON - 6 * DAY, False, "a week later"),
        (499, NOON - 8 * DAY, False, "500 are enough"),
        (500, NOON - 8 * DAY, True, "500 markets were decided"),
        (1, NOON - 31 * DAY, True, "a month"),
        (0, NOON - 31 * DAY, False, "0 markets"),
    ],
)
def test_models_are_made_weekly_at_the_most_and_monthly_at_the_least(tmp_path: Path, labels: int, trained_at: datetime | None, is_due: bool, said: str) -> None:  # fmt: skip
    found = asked(tmp_path, labels, trained_at)
    assert found.is_due is is_due
    assert said in found.said


def test_labels_of_before_the_training_are_not_new(tmp_path: Path) -> None:
    found = asked(tmp_path, 600, NOON - HOUR / 2, now=NOON + 8 * DAY)
    assert not found.is_due
