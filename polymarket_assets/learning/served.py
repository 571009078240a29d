"""The model as it is served: a correction added to the price's own log-odds, never a probability without the price.

This file is the whole code of a logged model: MLflow copies it beside the boosters and runs it where the
platform is not installed. So it imports nothing of the platform, and training uses the encoding defined here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
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


def inside(frame: pd.DataFrame) -> Reals:
    """Column `mid`, kept half a tick (`tick_c`, cents) away from 0 and 1; null where there is no mid."""
    tick = frame["tick_c"].astype(float).fillna(FINEST_TICK_C) if "tick_c" in frame else FINEST_TICK_C
    half = np.asarray(tick / 200.0)
    found: Reals = np.clip(frame["mid"].to_numpy(dtype=float), half, 1.0 - half)
    return found


def margin(frame: pd.DataFrame) -> Reals:
    """The log-odds of `inside`."""
    price = inside(frame)
    found: Reals = np.log(price / (1.0 - price))
    return found


def has_order(rows: pd.DataFrame) -> Any:
    """Whether the outcomes are Yes and No; of two names either may come first, and a correction must not depend on which."""
    return rows["yesno_labels"].astype("boolean").fillna(True).to_numpy(dtype=bool)


_TURNED: dict[str, Any] = {
    "negated": lambda values: -values,
    "complement": lambda values: 1.0 - values,
    "unknown": lambda values: values * np.nan,
}


@dataclass(frozen=True)
class Encoding:
    """The features in the order of the boosters' columns, and the fixed words of those that are words."""

    names: tuple[str, ...]
    categories: dict[str, list[str]]
    # What features become when the outcomes change places: negated, complement, unknown, or the feature they change with.
    mirrors: dict[str, str] = field(default_factory=dict)

    def frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The boosters' columns: numbers as floats, words by their fixed lists (what is not listed is `other`)."""
        return pd.DataFrame({name: self._column(rows, name) for name in self.names}, index=rows.index)

    def mirrored(self, encoded: pd.DataFrame) -> pd.DataFrame:
        """The same rows, asked about the other outcome."""
        turned = {name: _TURNED[how](encoded[name]) if how in _TURNED else encoded[how] for name, how in self.mirrors.items() if name in encoded}  # fmt: skip
        return encoded.assign(**turned)

    def _column(self, rows: pd.DataFrame, name: str) -> Any:
        if name == "logit_mid":
            return margin(rows)
        if name not in self.categories:
            return np.asarray(rows[name].astype("float64"))
        known, words = rows[name].astype("string"), self.categories[name]
        return pd.Categorical(known.where(known.isin(words), "other"), words)


@dataclass(frozen=True)
class Shrinkage:
    """What is left of a correction: `logit q = intercept + slope · (logit(mid) + kappa · f)`; kappa 0 is the price itself."""

    kappa: float = 1.0
    intercept: float = 0.0
    slope: float = 1.0

    def probabilities(self, price: Reals, corrections: Reals) -> Reals:
        """Of prices inside (0, 1) and corrections in logits; where nothing is corrected, the price to the last bit."""
        if self.kappa == 0.0:
            return price
        odds = np.log(price / (1 - price))
        moved = self.intercept + self.slope * (odds + self.kappa * corrections)
        return np.where(moved == odds, price, 1 / (1 + np.exp(-moved)))


@dataclass(frozen=True)
class Correction:
    """Boosters of one shape, learnt from different draws of groups, and how much of what they say is believed."""

    boosters: tuple[xgboost.Booster, ...]
    encoding: Encoding
    shrinkage: Shrinkage

    def members(self, rows: pd.DataFrame) -> Reals:
        """(boosters × rows): what each adds to the price's log-odds, before it is shrunk."""
        if not self.boosters:
            return np.zeros((1, len(rows)))
        encoded, ordered = self.encoding.frame(rows), has_order(rows)
        said = self._said(encoded)
        if not ordered.all():
            other = self._said(self.encoding.mirrored(encoded[~ordered]))
            said[:, ~ordered] = (said[:, ~ordered] - other) / 2
        return said

    def _said(self, encoded: pd.DataFrame) -> Reals:
        """Without the price as margin boosters say their correction alone; it is added to the price's log-odds, always."""
        data = xgboost.DMatrix(encoded, base_margin=np.zeros(len(encoded)), enable_categorical=True)
        return np.stack(
            [booster.predict(data, output_margin=True).astype(np.float64) for booster in self.boosters]
        )

    def said(self, rows: pd.DataFrame) -> tuple[Reals, Reals]:
        """Per row the probability of the canonical outcome, null where there is no mid to start from, and the standard deviation
        of the shrunk correction over the members, logits: how much hangs on which groups were seen."""
        members = self.members(rows)
        spread: Reals = abs(self.shrinkage.slope * self.shrinkage.kappa) * members.std(0)
        return self.shrinkage.probabilities(inside(rows), members.mean(0)), spread

    def probabilities(self, rows: pd.DataFrame) -> Reals:
        """The first of `said`."""
        return self.said(rows)[0]

    def save(self, folder: Path) -> None:
        """Write native boosters and one JSON file into an empty folder."""
        for n, booster in enumerate(self.boosters):
            booster.save_model(folder / f"{n}.ubj")
        told = {"encoding": asdict(self.encoding), "shrinkage": asdict(self.shrinkage), "boosters": len(self.boosters)}  # fmt: skip
        (folder / "correction.json").write_text(json.dumps(told), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Correction:
        """Read what `save` wrote."""
        told = json.loads((folder / "correction.json").read_text(encoding="utf-8"))
        boosters = tuple(xgboost.Booster(model_file=folder / f"{n}.ubj") for n in range(told["boosters"]))
        encoding = Encoding(**{**told["encoding"], "names": tuple(told["encoding"]["names"])})
        return cls(boosters, encoding, Shrinkage(**told["shrinkage"]))


class CorrectedPrice(PythonModel):
    """Takes `mid` and the features, returns probabilities."""

    correction: Correction

    def load_context(self, context: Any) -> None:
        """Read the boosters and the encoding beside them."""
        self.correction = Correction.load(Path(context.artifacts["correction"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> Reals:
        """Probabilities of the canonical outcome."""
        return self.correction.probabilities(model_input)


mlflow.models.set_model(CorrectedPrice())
