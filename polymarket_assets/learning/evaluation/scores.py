"""Scores of one part of the rows: what the forecasts cost, and what the model gains over each baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polymarket_assets.learning.evaluation import claims, losses
from polymarket_assets.learning.evaluation.against import Against, against_each
from polymarket_assets.learning.evaluation.intervals import Interval
from polymarket_assets.learning.evaluation.power import Power, power
from polymarket_assets.learning.evaluation.sample import Reals, Sample
from polymarket_assets.learning.out_of_fold import PRICE

# The base rate is shown, but nobody has to beat it: the price did.
NO_RIVAL = "b0"


@dataclass(frozen=True)
class Scores:
    """How the model fared on one part; `best` names the baseline of the lowest log loss that stands on all its rows."""

    part: str
    rows: int
    markets: int
    groups: int
    days: int
    log_loss: float
    brier: float
    against: dict[str, Against]
    best: str
    power: Power

    @property
    def brier_skill(self) -> Interval:
        """1 − Brier / Brier of the price."""
        return self.against[PRICE].skill.wider

    @property
    def log_loss_gain(self) -> Interval:
        """Over the price, nats."""
        return self.against[PRICE].gain.wider

    @property
    def skill_over_best(self) -> Interval:
        """1 − Brier / Brier of the best baseline."""
        return self.against[self.best].skill.wider

    @property
    def gain_over_best(self) -> Interval:
        """In log loss over the best baseline, nats: the figure that counts."""
        return self.against[self.best].gain.wider

    @property
    def gain_of_days(self) -> Interval | None:
        """Over the best baseline, between days; None: too few to tell."""
        return self.against[self.best].gain.by_day

    @property
    def detectable_logit(self) -> float:
        """Rms of the smallest correction so many groups could confirm, logits."""
        return self.power.logit

    @property
    def beats(self) -> bool:
        """Better than every baseline at the lower end of the interval."""
        return self.gain_over_best.low > 0

    @property
    def suspicious(self) -> bool:
        """Too good to be believed before an audit for leaks."""
        return claims.is_suspicious(self.brier_skill, self.groups)

    @property
    def finding(self) -> str:
        """What the figures say, in words that follow "the model"."""
        return claims.finding(self)

    @property
    def verdict(self) -> str:
        """One sentence with its figures."""
        return f"{self.part}: {self.finding}: {claims.figures(self)}"


def scores(part: str, sample: Sample, *, draws: int, seed: int) -> Scores:
    """Of one part; the same draws of groups serve all figures, so that they are paired."""
    against = against_each(sample, draws=draws, seed=seed)
    whole = {name: one.log_loss for name, one in against.items() if one.rows == len(sample.label)}
    return Scores(
        part=part,
        rows=len(sample.label),
        markets=len(sample.table.column("market_id").unique()),
        groups=sample.groups,
        days=sample.days,
        log_loss=_mean(losses.log_loss(sample.label, sample.probability), sample.weight),
        brier=_mean(losses.brier(sample.label, sample.probability), sample.weight),
        against=against,
        best=min((name for name in whole if name != NO_RIVAL), key=whole.__getitem__),
        power=power(sample.forecasts[PRICE], sample.weight, sample.group),
    )


def _mean(values: Reals, weight: Reals) -> float:
    return float(np.average(values, weights=weight))
