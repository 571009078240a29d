"""What a model looks at, and how much it had to learn from: for people, and for who watches for drift."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning import splits
from polymarket_assets.learning.evaluation import losses
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.served import Correction, inside
from polymarket_assets.learning.training import boosting, inner
from polymarket_assets.learning.training.learning import INNER_MEMBERS, Recipe

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

# Effects are drawn of so many features, in so many bins of equal mass, over a sample: contributions cost a hundred predictions.
FEATURES_SHOWN, BINS, SAMPLE = 8, 12, 10_000
# Shares of the groups before the newest open cut that the learning curve is trained on.
SHARES = (0.125, 0.25, 0.5, 1.0)


def explained(frame: pd.DataFrame, correction: Correction, folds: list[splits.Fold], recipe: Recipe) -> Explained:  # fmt: skip
    """Gains and effects of a model over the rows it was made of, and what so many groups would have taught."""
    gains = _gains(correction)
    return Explained(gains, _effects(frame, correction, gains, recipe.seed), list(_curve(frame, correction, folds, recipe)))  # fmt: skip


def _gains(correction: Correction) -> dict[str, float]:
    """Each feature's share of the total gain over all members, largest first."""
    found = dict.fromkeys(correction.encoding.names, 0.0)
    for booster in correction.boosters:
        for name, gain in booster.get_score(importance_type="total_gain").items():
            found[name] += float(gain)  # type: ignore[arg-type]  # a list only of linear boosters
    total = sum(found.values()) or 1.0
    return dict(sorted(((name, gain / total) for name, gain in found.items()), key=lambda item: -item[1]))


def _effects(frame: pd.DataFrame, correction: Correction, gains: dict[str, float], seed: int) -> dict[str, list[tuple[float | str, float]]]:  # fmt: skip
    """Per feature of the largest gains, its mean contribution in bins of equal mass, or by word."""
    if not correction.boosters or not correction.shrinkage.kappa:
        return {}
    import xgboost

    sample = frame.sample(min(SAMPLE, len(frame)), random_state=seed)
    encoded = correction.encoding.frame(sample)
    data = xgboost.DMatrix(encoded, base_margin=np.zeros(len(sample)), enable_categorical=True)
    added = np.mean([booster.predict(data, pred_contribs=True) for booster in correction.boosters], axis=0)
    shrunk = correction.shrinkage.slope * correction.shrinkage.kappa * added
    shown = [name for name in list(gains)[:FEATURES_SHOWN] if gains[name] > 0]
    return {name: _binned(encoded[name], shrunk[:, encoded.columns.get_loc(name)]) for name in shown}


def _binned(values: pd.Series, added: Reals) -> list[tuple[float | str, float]]:
    import pandas as pd

    pairs = pd.DataFrame({"value": values.to_numpy(), "added": added}).dropna()
    if isinstance(values.dtype, pd.CategoricalDtype):
        return [(str(name), float(mean)) for name, mean in pairs.groupby("value")["added"].mean().items()]
    place = pd.qcut(pairs["value"].astype(float), BINS, labels=False, duplicates="drop")
    middles = pairs.groupby(place).agg({"value": "median", "added": "mean"})
    return [(float(value), float(mean)) for value, mean in middles.itertuples(index=False)]


def _curve(frame: pd.DataFrame, correction: Correction, folds: list[splits.Fold], recipe: Recipe) -> Iterator[tuple[int, float]]:  # fmt: skip
    """Groups trained on, drawn at random of those before the newest open cut, and the log-loss gain over the mid after it.

    None is shrunk: the curve tells what more groups teach, not what would be believed of it.
    """
    is_open = [fold for fold in folds if not fold.is_sealed]
    if not is_open or not correction.boosters:
        return
    fold = is_open[-1]
    group = frame["group_id"].to_numpy()[fold.train]
    order = np.random.default_rng(recipe.seed).permutation(np.unique(group))
    for share in SHARES:
        drawn = order[: max(1, round(share * len(order)))]
        taken = frame.iloc[fold.train[np.isin(group, drawn)]]
        if inner.enough(taken):
            capacity = recipe.capacity.within(taken)
            found = boosting.correction(
                taken, correction.encoding, capacity, seed=recipe.seed, members=INNER_MEMBERS
            )
            yield len(drawn), _gain(found, frame.iloc[fold.test])


def _gain(correction: Correction, test: pd.DataFrame) -> float:
    """Weighted log loss of the mid minus the model's."""
    label, weight = (test[name].to_numpy(dtype=float) for name in ("label", "weight"))
    price, model = (losses.log_loss(label, said) for said in (inside(test), correction.probabilities(test)))
    return float(np.average(price - model, weights=weight))
