"""Training: XGBoost learns corrections to the price's log-odds, walk-forward, and once more on everything.

`logit(q) = logit(mid) + kappa f(x)`: the price is the base margin, at fitting and at every prediction (ML.md 2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from polymarket_assets.learning import splits
from polymarket_assets.learning.errors import TooLittleToLearn
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.served import Correction
from polymarket_assets.learning.training import explaining, walking
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets.learning.training.inner import LEAST_GROUPS_BEFORE_A_CUT
from polymarket_assets.learning.training.learning import Recipe, learnt
from polymarket_assets.learning.training.searching import Trial

SEED = 7

__all__ = ["Trained", "Trial", "train"]


@dataclass(frozen=True)
class Trained:
    """Out-of-fold rows (`out_of_fold.SCHEMA`), the model of everything, and what made them.

    `trials` are those of all folds and of the model itself, by the cut they were made for (null: the model).
    """

    out_of_fold: pa.Table
    correction: Correction
    explained: Explained
    params: dict[str, Any]
    trials: tuple[tuple[int | None, Trial], ...]


def train(
    rows: pa.Table,
    *,
    seed: int = SEED,
    planned: splits.Plan | None = None,
    capacity: Capacity | None = None,
    trials: int = 0,
    on_fold: Callable[[int, int], None] = lambda done, of: None,
) -> Trained:
    """Walk-forward predictions and the model of the rows of a training set; `trials` shapes are tried at each cut.

    Raises:
        TooLittleToLearn: there are too few labelled groups, only one outcome, or no cut with enough of them before it.
    """
    _refuse_too_little(rows)
    frame, recipe = rows.to_pandas(), Recipe(capacity or Capacity(), trials, seed)
    planned = planned or splits.plan(rows)
    folds = walking.usable(rows, frame, planned)
    if not folds:
        raise TooLittleToLearn(
            f"no cut in time has {LEAST_GROUPS_BEFORE_A_CUT} groups wholly over and both outcomes before it "
            f"({frame['group_id'].nunique()} groups in all): record or import a longer span"
        )
    predicted: list[pa.Table] = []
    tried: list[tuple[int | None, Trial]] = []
    for done, (found, asked) in enumerate(walking.walked(rows, frame, folds, recipe)):
        predicted.append(asked)
        tried += [(folds[done].cut_us, trial) for trial in found.trials]
        on_fold(done + 1, len(folds))
    over = splits.closed(rows, planned)
    final = learnt(rows.take(over), frame.iloc[over], recipe)
    tried += [(None, trial) for trial in final.trials]
    params = {**final.capacity.told(), "kappa": final.correction.shrinkage.kappa, "seed": seed, "folds": len(folds), "embargo_h": planned.embargo_us / 3.6e9, "trials": len(tried)}  # fmt: skip
    shown = explaining.explained(frame, final.correction, folds, replace(recipe, capacity=final.capacity))
    return Trained(pa.concat_tables(predicted), final.correction, shown, params, tuple(tried))


def _refuse_too_little(rows: pa.Table) -> None:
    there, outcomes = len(rows.column("group_id").unique()), len(rows.column("label").unique())
    if there < splits.LEAST_GROUPS:
        raise TooLittleToLearn(
            f"the training set has {there} labelled groups, {splits.LEAST_GROUPS} are needed: record until more markets end, fetch past days (history_markets, history_prices, resolutions, history_features) or import datasets, then materialize training_set again"
        )
    if outcomes < 2:
        raise TooLittleToLearn(f"all {there} labelled groups ended the same way: both outcomes are needed")
