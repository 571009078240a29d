"""The search: losses after each tree are those XGBoost would have told, at a fraction of what telling costs it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
import xgboost

from polymarket_assets.learning.training import boosting, inner, searching
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets_tests.learning.commands.lakes import ENCODING
from polymarket_assets_tests.learning.synthetic import training_rows


@pytest.mark.parametrize("yesno", [True, False], ids=["Yes and No", "named outcomes, seen from both sides"])
def test_losses_after_each_tree_are_those_of_xgboost(yesno: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_TREES", 40)
    rows = training_rows(300, edge=0.8, days=40)
    frame = rows.to_pandas().assign(yesno_labels=yesno)
    fold = searching._fold(inner.sides(rows, frame)[0], ENCODING)
    shape = replace(Capacity(), depth=3, child=1.0, eta=0.3)
    told: dict[str, Any] = {}
    test = fold.asked.matrix(np.ones(len(fold.asked.row)), fold.train)
    params = {**shape.within(fold.rows).params(), "seed": 7}
    xgboost.train(params, fold.train, 40, evals=[(test, "test")], evals_result=told, verbose_eval=False)
    wanted = np.array(told["test"]["logloss"])
    assert searching._curve(fold, shape, 7) == pytest.approx(wanted, abs=1e-6)
    assert np.ptp(wanted) > 1e-3, "trees that add nothing would make any two curves equal"


def test_a_trial_that_is_given_up_waits_for_its_boosters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left to the garbage collector, one of its own threads may be the one that shuts the pool down."""
    rows = training_rows(150, days=40)
    folds = [searching._fold(side, ENCODING) for side in inner.sides(rows, rows.to_pandas())]
    monkeypatch.setattr(searching, "_curve", lambda fold, shape, seed: np.ones(searching.MOST_TREES))
    monkeypatch.setattr(optuna.trial.Trial, "should_prune", lambda self: True)
    closed: list[bool] = []
    honest = boosting.side_by_side

    def watched(*asked: Any) -> Any:
        try:
            yield from honest(*asked)
        finally:
            closed.append(True)

    monkeypatch.setattr(boosting, "side_by_side", watched)
    with pytest.raises(optuna.TrialPruned) as kept:
        searching._loss(optuna.create_study().ask(), folds, 7)
    assert (closed, kept.type) == ([True], optuna.TrialPruned)
