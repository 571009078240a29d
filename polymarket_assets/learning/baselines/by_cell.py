"""B3: the mid recalibrated by category, horizon and negRisk: the structure of the bias as it is published [le2026].

Every cell has an intercept and a slope of its own, which add to those of all; a ridge holds both to zero, so that a cell of
few groups follows the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from polymarket_assets.learning import horizons
from polymarket_assets.learning.baselines import ridge
from polymarket_assets.learning.baselines.recalibrated import PENALTY, logit_mid

if TYPE_CHECKING:
    import pandas as pd

Reals = npt.NDArray[np.float64]

# Cells differ from all by some 0.2 in intercept and slope: a normal prior of that standard deviation.
CELL_PENALTY = 1 / 0.2**2


def forecast(train: pd.DataFrame, test: pd.DataFrame) -> Reals:
    """Probabilities of the test rows; a cell that was not there before follows all."""
    cells = {name: n for n, name in enumerate(sorted(set(_cells(train))))}
    penalty = np.r_[np.full(2, PENALTY), np.full(2 * len(cells), CELL_PENALTY)]
    label, weight = (np.asarray(train[name], dtype=np.float64) for name in ("label", "weight"))
    b = ridge.fitted(_design(train, cells), label, weight, logit_mid(train), penalty)
    return ridge.forecast(_design(test, cells), b, logit_mid(test))


def _cells(frame: pd.DataFrame) -> list[str]:
    horizon = horizons.numbered(np.asarray(frame["horizon_h"], dtype=np.float64))
    return [f"{a}|{b}|{c}" for a, b, c in zip(frame["category"], horizon, frame["neg_risk"], strict=True)]


def _design(frame: pd.DataFrame, cells: dict[str, int]) -> Any:
    """(rows × (2 + 2 cells)): one and the logit for all, and again in the columns of the row's cell."""
    from scipy.sparse import csr_array

    logits = logit_mid(frame)
    cell = np.array([cells.get(name, -1) for name in _cells(frame)], dtype=np.int64)
    rows, known = np.arange(len(frame)), cell >= 0
    places = [np.zeros_like(rows), np.ones_like(rows), 2 + 2 * cell, 3 + 2 * cell]
    values = [np.ones(len(frame)), logits, known.astype(float), logits * known]
    columns = np.concatenate(
        [np.where(known, place, 0) if n > 1 else place for n, place in enumerate(places)]
    )
    shape = (len(frame), 2 + 2 * len(cells))
    return csr_array((np.concatenate(values), (np.tile(rows, 4), columns)), shape=shape)
