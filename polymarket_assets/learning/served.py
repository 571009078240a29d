"""The model as it is served: a correction added to the price's own log-odds, never a probability without the price.

This file is the whole code of a logged model: MLflow copies it beside the booster and runs it where the
platform is not installed. So it imports nothing of the platform, and training uses the encoding defined here.
"""

from __future__ import annotations

import json
from typing import Any

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost
from mlflow.pyfunc.model import PythonModel

Reals = npt.NDArray[np.float64]

# Half of the venue's finest tick bounds the log-odds where the tick then in force is not known.
FINEST_TICK_C = 0.1


def margin(frame: pd.DataFrame) -> Reals:
    """The log-odds of column `mid`, kept half a tick (`tick_c`, cents) away from 0 and 1; null where there is no mid."""
    tick = frame["tick_c"].astype(float).fillna(FINEST_TICK_C) if "tick_c" in frame else FINEST_TICK_C
    half = np.asarray(tick / 200.0)
    inside = np.clip(frame["mid"].to_numpy(dtype=float), half, 1.0 - half)
    found: Reals = np.log(inside / (1.0 - inside))
    return found


def encode(frame: pd.DataFrame, names: list[str], categories: dict[str, list[str]]) -> pd.DataFrame:
    """The model's columns: numbers as floats, categories by their fixed lists (what is not listed is `other`)."""
    encoded: dict[str, Any] = {}
    for name in names:
        column: Any = margin(frame) if name == "logit_mid" else frame[name]
        if name in categories:
            known = pd.Series(column, index=frame.index).astype("string")
            column = pd.Categorical(known.where(known.isin(categories[name]), "other"), categories[name])
        else:
            column = np.asarray(pd.Series(column).astype("float64"))
        encoded[name] = column
    return pd.DataFrame(encoded, index=frame.index)


def matrix(
    frame: pd.DataFrame, names: list[str], categories: dict[str, list[str]], **more: Any
) -> xgboost.DMatrix:
    """Rows as XGBoost takes them, the price as base margin: at fitting and at every prediction."""
    encoded = encode(frame, names, categories)
    return xgboost.DMatrix(encoded, base_margin=margin(frame), enable_categorical=True, **more)


def probabilities(
    booster: xgboost.Booster, frame: pd.DataFrame, names: list[str], categories: dict[str, list[str]]
) -> Reals:
    """The model's probability of the canonical outcome, per row; null where there is no mid to start from."""
    found = booster.predict(matrix(frame, names, categories)).astype(np.float64)
    return np.where(frame["mid"].isna().to_numpy(), np.nan, found)


class CorrectedPrice(PythonModel):
    """Takes `mid` and the features, returns probabilities."""

    def load_context(self, context: Any) -> None:
        """Read the booster (native format) and the encoding beside it."""
        self.booster = xgboost.Booster(model_file=context.artifacts["booster"])
        with open(context.artifacts["encoding"], encoding="utf-8") as file:
            encoding = json.load(file)
        self.names: list[str] = encoding["names"]
        self.categories: dict[str, list[str]] = encoding["categories"]

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Reals:
        """Probabilities of the canonical outcome."""
        return probabilities(self.booster, model_input, self.names, self.categories)


mlflow.models.set_model(CorrectedPrice())
