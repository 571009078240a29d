"""One model of the rows before a cut: capacity chosen and correction shrunk on inner folds, then learnt from all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.served import Correction, Encoding, Shrinkage, inside
from polymarket_assets.learning.training import boosting, choosing, inner, searching, shrinking
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets.learning.training.searching import Trial

if TYPE_CHECKING:
    import pandas as pd

# Corrections of inner folds are means of so many members: fewer than the model has, so that kappa is rather too small.
INNER_MEMBERS = 2


@dataclass(frozen=True)
class Learnt:
    """A model, the shape it was given, and what was tried for that."""

    correction: Correction
    capacity: Capacity
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Recipe:
    """How a model is made: its shape or how many are tried beside it, and the seed of its dice."""

    capacity: Capacity = field(default_factory=Capacity)
    trials: int = 0
    seed: int = 7


def learnt(rows: pa.Table, frame: pd.DataFrame, recipe: Recipe) -> Learnt:
    """A model of labelled rows, given as a table and as a frame. Without inner folds it is the price itself."""
    sides, encoding = inner.sides(rows, frame), choosing.encoding(rows)
    if not sides:
        return Learnt(Correction((), encoding, Shrinkage(0.0)), recipe.capacity.within(frame), ())
    capacity, trials = searching.searched(sides, encoding, recipe.capacity, count=recipe.trials, seed=recipe.seed)  # fmt: skip
    shrinkage = _shrinkage(sides, encoding, recipe, capacity)
    within = capacity.within(frame)
    found = boosting.correction(frame, encoding, within, seed=recipe.seed)
    return Learnt(replace(found, shrinkage=shrinkage), within, trials)


def _shrinkage(
    sides: Sequence[inner.Sides], encoding: Encoding, recipe: Recipe, capacity: Capacity
) -> Shrinkage:
    import pandas as pd

    tests = pd.concat([side.test for side in sides])
    corrections = np.concatenate([_corrections(side, encoding, recipe, capacity) for side in sides])
    label, weight = (tests[name].to_numpy(dtype=float) for name in ("label", "weight"))
    return shrinking.fitted(
        shrinking.Seen(inside(tests), corrections, label, weight, tests["group_id"].to_numpy())
    )


def _corrections(side: inner.Sides, encoding: Encoding, recipe: Recipe, capacity: Capacity) -> boosting.Reals:
    within = capacity.within(side.train)
    found = boosting.correction(side.train, encoding, within, seed=recipe.seed, members=INNER_MEMBERS)
    return np.asarray(found.members(side.test).mean(0), dtype=np.float64)
