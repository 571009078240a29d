"""Training: XGBoost learns corrections to the price's log-odds, walk-forward, and once more on everything.

`logit(q) = logit(mid) + f(x)`: the price is the base margin, at fitting and at every prediction (ML.md 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning import splits
from polymarket_assets.learning.errors import TooLittleToLearn
from polymarket_assets.learning.features.catalogue import FEATURES, WORDS
from polymarket_assets.learning.features.declaring import Feature

if TYPE_CHECKING:
    import pandas as pd
    import xgboost

Reals = npt.NDArray[np.float64]

# `mid` itself enters as the margin and as logit_mid.
EVERY: tuple[Feature, ...] = tuple(feature for feature in FEATURES if feature.name != "mid")
# With worse signs features of the sides of trades turn round.
LEAST_SIGN_QUALITY = 0.9
CATEGORICAL: dict[str, list[str]] = WORDS

# Capacity: deeper or longer is worse than the market on thousands of events (ML.md 2.9).
PARAMS: dict[str, Any] = {
    "objective": "binary:logistic", "eval_metric": "logloss", "max_depth": 2, "eta": 0.03, "lambda": 20.0,
    "subsample": 0.7, "colsample_bytree": 0.5, "max_bin": 256, "tree_method": "hist", "nthread": 2,
}  # fmt: skip
TREES = 100

# Capacity follows the information there is, the sum of w p (1 − p): about 0.15 a group. Below that of 1,500
# groups there are proportionally fewer trees, so that little data stay near the price: on an efficient market of
# 300 groups the full number loses 0.7 % of Brier, the scaled one 0.1 %, and planted edges are found all the same.
FULL_INFORMATION = 220.0
# A leaf holds at least this share of the information, but never more than is asked of thousands of events.
CHILD_SHARE, CHILD_LEAST, CHILD_MOST = 0.2, 1.0, 50.0

# Below these a correction is a guess about single outcomes, and an interval over groups has no meaning.
LEAST_GROUPS = 40
LEAST_GROUPS_BEFORE_A_CUT = 20

PREDICTIONS = pa.schema(
    [
        ("market_id", pa.string()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("group_id", pa.string()),
        ("source", pa.string()),
        ("label", pa.int8()),
        ("weight", pa.float64()),
        ("mid", pa.float64()),
        ("baseline_b2", pa.float64()),
        ("probability", pa.float64()),
        ("fold", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Trained:
    """Out-of-fold predictions (schema `PREDICTIONS`), the final booster, and what made them."""

    predictions: pa.Table
    model: xgboost.Booster
    feature_names: tuple[str, ...]
    params: dict[str, Any]
    gains: dict[str, float]


def train(rows: pa.Table, *, seed: int, planned: splits.Plan | None = None) -> Trained:
    """Walk-forward predictions and the final model of the rows of a training set.

    Raises:
        TooLittleToLearn: there are too few labelled groups, only one outcome, or no cut with enough of them before it.
    """
    _refuse_too_little(rows)
    frame, names = rows.to_pandas(), chosen(rows)
    planned = planned or splits.plan(rows)
    usable = [fold for fold in splits.folds(rows, planned) if _enough(frame.iloc[fold.train])]
    if not usable:
        raise TooLittleToLearn(
            f"no cut in time has {LEAST_GROUPS_BEFORE_A_CUT} groups wholly over and both outcomes before it "
            f"({frame['group_id'].nunique()} groups in all): record or import a longer span"
        )
    predicted = pa.concat_tables([_predicted(rows, frame, fold, names, seed) for fold in usable])
    params = _capacity(frame, seed)
    model = _fitted(frame, names, params)
    made = {**params, "folds": len(usable), "embargo_h": planned.embargo_us / 3.6e9}
    return Trained(predicted, model, names, made, _gains(model, names))


def chosen(rows: pa.Table) -> tuple[str, ...]:
    """The features a model of these rows learns from: those of signs only where signs are known well enough."""
    quality = pc.mean(rows.column("sign_quality")).as_py()
    has_signs = quality is not None and quality >= LEAST_SIGN_QUALITY
    return tuple(feature.name for feature in EVERY if has_signs or not feature.is_signed)


def _refuse_too_little(rows: pa.Table) -> None:
    there, outcomes = len(rows.column("group_id").unique()), len(rows.column("label").unique())
    if there < LEAST_GROUPS:
        raise TooLittleToLearn(
            f"the training set has {there} labelled groups, {LEAST_GROUPS} are needed: record until more markets end, fetch past days (history_markets, history_prices, resolutions, history_features) or import datasets, then materialize training_set again"
        )
    if outcomes < 2:
        raise TooLittleToLearn(f"all {there} labelled groups ended the same way: both outcomes are needed")


def _enough(frame: pd.DataFrame) -> bool:
    return frame["group_id"].nunique() >= LEAST_GROUPS_BEFORE_A_CUT and frame["label"].nunique() == 2


def _predicted(
    rows: pa.Table, frame: pd.DataFrame, fold: splits.Fold, names: tuple[str, ...], seed: int
) -> pa.Table:
    """The test side of a fold, predicted by what its train side taught."""
    from polymarket_assets.learning.served import probabilities

    train, test = frame.iloc[fold.train], frame.iloc[fold.test]
    booster = _fitted(train, names, _capacity(train, seed))
    columns = {
        "baseline_b2": recalibrated(train, test),
        "probability": probabilities(booster, test, list(names), CATEGORICAL),
        "fold": np.full(len(test), fold.number),
    }
    kept = rows.take(fold.test)
    return pa.table(
        {name: columns[name] if name in columns else kept.column(name) for name in PREDICTIONS.names},
        schema=PREDICTIONS,
    )


def _fitted(frame: pd.DataFrame, names: tuple[str, ...], params: dict[str, Any]) -> xgboost.Booster:
    import xgboost

    from polymarket_assets.learning.served import matrix

    data = matrix(
        frame, list(names), CATEGORICAL, label=frame["label"].to_numpy(), weight=frame["weight"].to_numpy()
    )
    learnt = {name: value for name, value in params.items() if name != "num_boost_round"}
    return xgboost.train(learnt, data, num_boost_round=params["num_boost_round"])


def recalibrated(train: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """Baseline B2: one logistic `a + b logit(mid)`, fitted on the train side."""
    from sklearn.linear_model import LogisticRegression

    from polymarket_assets.learning.served import margin

    fitted = LogisticRegression(C=1e6).fit(
        margin(train).reshape(-1, 1), train["label"], sample_weight=train["weight"]
    )
    found: Reals = fitted.predict_proba(margin(test).reshape(-1, 1))[:, 1]
    return found


def _capacity(frame: pd.DataFrame, seed: int) -> dict[str, Any]:
    """The parameters for these rows: how much may be learnt depends on how much there is to learn from."""
    information = float((frame["weight"] * frame["mid"] * (1 - frame["mid"])).sum())
    return {
        **PARAMS,
        "seed": seed,
        "min_child_weight": float(np.clip(CHILD_SHARE * information, CHILD_LEAST, CHILD_MOST)),
        "num_boost_round": max(1, round(TREES * min(1.0, information / FULL_INFORMATION))),
    }


def _gains(model: xgboost.Booster, names: tuple[str, ...]) -> dict[str, float]:
    """Each feature's share of the total gain, largest first."""
    found: dict[str, Any] = dict(model.get_score(importance_type="total_gain"))
    total = sum(found.values()) or 1.0
    return dict(sorted(((name, found.get(name, 0.0) / total) for name in names), key=lambda item: -item[1]))
