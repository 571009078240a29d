"""Walk-forward: at each cut the baselines and a model are made of what was over before it, and asked about what came after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from polymarket_assets.learning import splits
from polymarket_assets.learning.baselines import LADDER
from polymarket_assets.learning.out_of_fold import SCHEMA
from polymarket_assets.learning.training import inner
from polymarket_assets.learning.training.learning import Learnt, Recipe, learnt
from polymarket_assets.venue.instants import EPOCH

if TYPE_CHECKING:
    import pandas as pd


def usable(rows: pa.Table, frame: pd.DataFrame, planned: splits.Plan) -> list[splits.Fold]:
    """The folds of a plan with enough before their cut."""
    counted = frame[["group_id", "label"]]
    return [fold for fold in splits.folds(rows, planned) if inner.enough(counted.iloc[fold.train])]


def walked(
    rows: pa.Table, frame: pd.DataFrame, folds: list[splits.Fold], recipe: Recipe
) -> Iterator[tuple[Learnt, pa.Table]]:
    """Fold by fold, the model of its train side and the out-of-fold rows of its test side."""
    for fold in folds:
        train, test = frame.iloc[fold.train], frame.iloc[fold.test]
        found = learnt(rows.take(fold.train), train, recipe)
        yield found, _asked(rows, fold, train, test, found)


def _asked(
    rows: pa.Table, fold: splits.Fold, train: pd.DataFrame, test: pd.DataFrame, found: Learnt
) -> pa.Table:
    kept = rows.take(fold.test)
    said: dict[str, Any] = {name: forecast(train, test) for name, forecast in LADDER.items()}
    probability, spread = found.correction.said(test)
    said |= {
        "probability": probability,
        "correction_sd": spread,
        "fold": np.full(len(test), fold.number),
        "cut_at": [EPOCH + timedelta(microseconds=fold.cut_us)] * len(test),
        "is_sealed": np.full(len(test), fold.is_sealed),
    }
    return pa.table({name: _column(said, kept, name) for name in SCHEMA.names}, schema=SCHEMA)


def _column(said: dict[str, Any], kept: pa.Table, name: str) -> Any:
    if name not in said:
        return kept.column(name)
    return pa.array(said[name], SCHEMA.field(name).type, from_pandas=True)
