"""Strategies: what each wants of every decision, from what was known at it alone. One function each, all data.

A belief is the least that a share is thought to be worth: the lower end of what the forecast says, by its own doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from polymarket_assets.learning.backtest.rules import Rules

Reals = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

MODEL, B2, B3, RANDOM, LONGSHOTS = "model", "b2", "b3", "random side", "all-NO longshots"

# The control buys NO of all that is priced at or below this …
LONGSHOT = 0.15
# … as one does who takes a longshot for worth half its price. Kalshi's takers at 5 cents win 4.2 % (ML.md 1.1): no edge so large is claimed.
LONGSHOT_WORTH = 0.5
# Log-odds stay finite.
_CLIP = 1e-6


@dataclass(frozen=True)
class Wishes:
    """Of each decision the outcome wanted (−1: none), what a share of it is believed to be worth, and its mid then."""

    outcome: Whole
    belief: Reals
    mid: Reals

    @classmethod
    def between(cls, low: Reals, high: Reals, mid: Reals) -> Wishes:
        """YES where all that is believed lies above the mid, NO where all lies below it; no bound, no wish."""
        outcome = np.select([low > mid, high < mid], [0, 1], -1)
        is_no = outcome == 1
        return cls(outcome, np.where(is_no, 1 - high, low), np.where(is_no, 1 - mid, mid))

    def order(self, decisions: pa.Table) -> Whole:
        """Row numbers of the wishes as they are decided: by instant, of one instant the strongest belief first."""
        wanted = np.flatnonzero(self.outcome >= 0)
        at = decisions.column("as_of").to_numpy().astype("int64")[wanted]
        name = decisions.column("market_id").to_numpy()[wanted].astype(str)
        edge = (self.belief - self.mid)[wanted]
        found: Whole = wanted[np.lexsort((name, -edge, at))]
        return found


def _forecast(column: str) -> Callable[[pa.Table, Rules, int], Wishes]:
    """Bets where the forecast of a column differs from the price by more than `z` standard deviations of the model's correction.

    Baselines are given the model's doubt, so that the forecast is all that differs.
    """

    def wishes(decisions: pa.Table, rules: Rules, seed: int) -> Wishes:
        mid, middle = _real(decisions, "mid"), _logit(_real(decisions, column))
        doubt = rules.z * _real(decisions, "correction_sd")
        return Wishes.between(_expit(middle - doubt), _expit(middle + doubt), mid)

    return wishes


def _random_side(decisions: pa.Table, rules: Rules, seed: int) -> Wishes:
    """The model's convictions with the side thrown by a coin, one for each group: what its costs and sizes lose without its eyes."""
    mid, doubt = _real(decisions, "mid"), rules.z * _real(decisions, "correction_sd")
    names, group = np.unique(decisions.column("group_id").to_numpy().astype(str), return_inverse=True)
    coin = np.random.default_rng(seed).choice([-1.0, 1.0], len(names))[group]
    middle = _logit(mid) + coin * (_logit(_real(decisions, MODEL_COLUMN)) - _logit(mid))
    return Wishes.between(_expit(middle - doubt), _expit(middle + doubt), mid)


def _longshots(decisions: pa.Table, rules: Rules, seed: int) -> Wishes:
    """NO of every longshot, whatever the model says."""
    mid = _real(decisions, "mid")
    high = np.where(mid <= LONGSHOT, LONGSHOT_WORTH * mid, np.nan)
    return Wishes.between(np.full(len(mid), np.nan), high, mid)


MODEL_COLUMN = "probability"
STRATEGIES: Mapping[str, Callable[[pa.Table, Rules, int], Wishes]] = {
    MODEL: _forecast(MODEL_COLUMN),
    B3: _forecast("b3"),
    B2: _forecast("b2"),
    RANDOM: _random_side,
    LONGSHOTS: _longshots,
}


def _real(decisions: pa.Table, name: str) -> Reals:
    """A column as floats; null is NaN, and NaN wishes nothing."""
    return np.asarray(decisions.column(name).cast(pa.float64()).to_numpy(), dtype=np.float64)


def _logit(probability: Reals) -> Reals:
    inside = np.clip(probability, _CLIP, 1 - _CLIP)
    found: Reals = np.log(inside) - np.log1p(-inside)
    return found


def _expit(odds: Reals) -> Reals:
    from scipy.special import expit

    found: Reals = expit(odds)
    return found
