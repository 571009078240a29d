"""Inner folds: everything that is chosen or fitted beside the trees is fitted on them, inside the train side of a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.learning import splits

if TYPE_CHECKING:
    import pandas as pd

# Below these a correction is a guess about single outcomes.
LEAST_GROUPS_BEFORE_A_CUT = 20


@dataclass(frozen=True)
class Sides:
    """Rows before a cut, and rows after it."""

    train: pd.DataFrame
    test: pd.DataFrame


def sides(rows: pa.Table, frame: pd.DataFrame) -> list[Sides]:
    """The inner folds of labelled rows that have enough before their cut, in order of time."""
    found = (
        Sides(frame.iloc[fold.train], frame.iloc[fold.test])
        for fold in splits.folds(rows, splits.inner(rows))
    )
    return [side for side in found if enough(side.train)]


def enough(frame: pd.DataFrame) -> bool:
    """Whether rows before a cut can teach anything."""
    return frame["group_id"].nunique() >= LEAST_GROUPS_BEFORE_A_CUT and frame["label"].nunique() == 2
