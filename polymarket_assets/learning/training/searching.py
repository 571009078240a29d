"""The search for a capacity, on inner folds only; every trial is told, because each one weighs on what may be claimed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning.baselines import by_cell
from polymarket_assets.learning.evaluation import losses
from polymarket_assets.learning.served import Encoding
from polymarket_assets.learning.training import boosting
from polymarket_assets.learning.training.capacity import Capacity, bearable
from polymarket_assets.learning.training.inner import Sides

if TYPE_CHECKING:
    import optuna
    import xgboost

Reals = npt.NDArray[np.float64]

# Trees are counted by early stopping over the inner folds together; more than this is too much for any market (ML.md 2.9).
MOST_TREES = 300
# Losses of so many first folds are seen before a trial may be given up.
PRUNED_AFTER = 1


@dataclass(frozen=True)
class Trial:
    """One attempt: its shape, and the log loss of inner folds minus that of B3; null where it was given up."""

    number: int
    capacity: Capacity
    loss: float | None
    state: str


@dataclass(frozen=True)
class _Fold:
    """An inner fold ready for boosters: both sides as XGBoost takes them, the test side as it is seen, and what B3 loses on it."""

    train: xgboost.DMatrix
    test: xgboost.DMatrix
    asked: boosting.Seen
    rows: Any
    weight: float
    loss_b3: float


def searched(
    sides: Sequence[Sides], encoding: Encoding, capacity: Capacity, *, count: int, seed: int
) -> tuple[Capacity, tuple[Trial, ...]]:
    """The best of `count` trials, of which the given capacity is the first; with none it is taken as it is."""
    if not count:
        return capacity, ()
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=PRUNED_AFTER)
    study = optuna.create_study(direction="minimize", sampler=sampler, pruner=pruner)
    study.enqueue_trial(_asked(capacity))
    folds = [_fold(side, encoding) for side in sides]
    study.optimize(lambda trial: _loss(trial, folds, seed), n_trials=count)
    trials = tuple(_told(trial) for trial in study.trials)
    return _told(study.best_trial).capacity, trials


def _asked(capacity: Capacity) -> dict[str, float]:
    told = capacity.told()
    return {name: told[name] for name in ("depth", "child", "eta", "ridge", "columns", "gamma")}


def _shape(trial: optuna.Trial) -> Capacity:
    """The space of ML.md 2.9."""
    return Capacity(
        depth=trial.suggest_int("depth", 1, 4),
        child=trial.suggest_float("child", 10, 200, log=True),
        eta=trial.suggest_float("eta", 0.01, 0.08),
        ridge=trial.suggest_float("ridge", 3, 100, log=True),
        columns=trial.suggest_float("columns", 0.3, 0.8),
        gamma=trial.suggest_float("gamma", 0, 2),
        trees=MOST_TREES,
    )


def _loss(trial: optuna.Trial, folds: Sequence[_Fold], seed: int) -> float:
    """Mean log loss minus B3's at the best number of trees, fold after fold so that a poor trial ends early."""
    import optuna

    curve, weight, loss_b3 = np.zeros(MOST_TREES), 0.0, 0.0
    shape = _shape(trial)
    # Left to the garbage collector, a pool may be shut down by one of its own threads, which cannot wait for itself.
    with closing(boosting.side_by_side(lambda fold: _curve(fold, shape, seed), folds)) as curves:
        for step, (fold, found) in enumerate(zip(folds, curves, strict=True)):
            curve += fold.weight * found
            weight, loss_b3 = weight + fold.weight, loss_b3 + fold.loss_b3
            trial.report(float((curve.min() - loss_b3) / weight), step)
            if trial.should_prune():
                raise optuna.TrialPruned
    # The number was found on less than the model is made of, and is told as that of rows that bear all of them.
    bears = float(np.mean([bearable(fold.rows) for fold in folds]))
    trial.set_user_attr("trees", round((int(curve.argmin()) + 1) / bears))
    return float((curve.min() - loss_b3) / weight)


def _curve(fold: _Fold, shape: Capacity, seed: int) -> Reals:
    """Log loss of the test side after each tree.

    Rows are asked once which leaf of each tree they fall in: an evaluation by XGBoost after each tree reads all of their features
    each time, which costs four times what the trees do.
    """
    import xgboost

    params = {**shape.within(fold.rows).params(), "seed": seed}
    booster = xgboost.train(params, fold.train, num_boost_round=MOST_TREES)
    leaves = booster.predict(fold.test, pred_leaf=True).astype(np.int64)
    label, margin, found = fold.asked.label, fold.asked.price.copy(), np.empty(MOST_TREES)
    for tree, values in enumerate(_leaf_values(booster)):
        margin += values[leaves[:, tree]]
        found[tree] = fold.asked.weight @ (np.logaddexp(0.0, margin) - label * margin)
    return np.asarray(found / fold.asked.weight.sum(), dtype=np.float64)


def _leaf_values(booster: xgboost.Booster) -> list[Reals]:
    """What each node of each tree adds, by its number; 0 where it is no leaf."""
    nodes = booster.trees_to_dataframe()
    added = np.where(nodes["Feature"] == "Leaf", nodes["Gain"], 0.0)
    found = []
    for rows in nodes.groupby("Tree").indices.values():
        number = nodes["Node"].to_numpy()[rows]
        values = np.zeros(number.max() + 1)
        values[number] = added[rows]
        found.append(values)
    return found


def _fold(side: Sides, encoding: Encoding) -> _Fold:
    import xgboost

    weight = side.test["weight"].to_numpy(dtype=float)
    label, said = side.test["label"].to_numpy(dtype=float), by_cell.forecast(side.train, side.test)
    loss_b3 = float(weight @ losses.log_loss(label, said))
    seen, asked = (boosting.both_ways(part, encoding) for part in (side.train, side.test))
    train = seen.matrix(np.ones(len(side.train)))
    test = xgboost.DMatrix(asked.encoded, enable_categorical=True)
    return _Fold(train, test, asked, side.train, float(weight.sum()), loss_b3)


def _told(trial: optuna.trial.FrozenTrial) -> Trial:
    trees = trial.user_attrs.get("trees", MOST_TREES)
    capacity = replace(Capacity(**trial.params), trees=trees) if trial.params else Capacity()
    loss = trial.value if trial.state.name == "COMPLETE" else None
    return Trial(trial.number, capacity, loss, trial.state.name.lower())
