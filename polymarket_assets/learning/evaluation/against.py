"""The model against each baseline: what it gains, with the bounds of both bootstraps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polymarket_assets.learning.evaluation import intervals, losses
from polymarket_assets.learning.evaluation.intervals import Bounds
from polymarket_assets.learning.evaluation.sample import Reals, Sample


@dataclass(frozen=True)
class Against:
    """The model against one baseline, on the rows where that says something; gains are positive where the model is better.

    `log_loss` (nats) and `brier` are the baseline's; `gain` is in log loss, `skill` is 1 − Brier / Brier of the baseline.
    """

    baseline: str
    rows: int
    groups: int
    log_loss: float
    brier: float
    gain: Bounds
    skill: Bounds


def against_each(sample: Sample, *, draws: int, seed: int) -> dict[str, Against]:
    """The model against every baseline there is; the same draws serve all of them, so that they are paired."""
    columns = _columns(sample)
    sums = intervals.by_cluster(sample.group, np.stack(list(columns.values()), axis=1), sample.groups)
    totals = [
        _named(columns, sums.sum(0, keepdims=True)),
        _named(columns, intervals.bootstrap(sums, draws, seed)),
    ]
    if sample.day_of_group is not None and sample.days >= intervals.LEAST_DAYS:
        of_days = intervals.by_cluster(sample.day_of_group, sums, sample.days)
        totals.append(_named(columns, intervals.bootstrap(of_days, draws, seed)))
    return {name: _one(name, sample, totals) for name in sample.forecasts}


def _columns(sample: Sample) -> dict[str, Reals]:
    """What is summed per cluster, each (n,) and 0 where a baseline says nothing; what baselines share stands once."""
    label, q, weight = sample.label, sample.probability, sample.weight
    found: dict[str, Reals] = {}
    for name, forecast in sample.forecasts.items():
        here, loss = ~np.isnan(forecast), losses.log_loss(label, forecast)
        each = {
            f"weight{_among(name, sample)}": np.ones_like(q), f"ours{_among(name, sample)}": losses.brier(label, q),
            f"theirs {name}": losses.brier(label, forecast), f"loss {name}": loss, f"gain {name}": loss - losses.log_loss(label, q),
        }  # fmt: skip
        found |= {what: np.where(here, weight * values, 0.0) for what, values in each.items()}
    return found


def _among(name: str, sample: Sample) -> str:
    """What tells the rows of a baseline apart: nothing, where it stands on all of them."""
    return f" {name}" if np.isnan(sample.forecasts[name]).any() else ""


def _named(columns: dict[str, Reals], totals: Reals) -> dict[str, Reals]:
    return dict(zip(columns, totals.T, strict=True))


def _one(name: str, sample: Sample, totals: list[dict[str, Reals]]) -> Against:
    """A baseline by its sums over all clusters, over those of each draw of groups, and of days."""
    here, among = ~np.isnan(sample.forecasts[name]), _among(name, sample)
    value = totals[0]
    parts = {
        "gain": [_ratio(each[f"gain {name}"], each[f"weight{among}"]) for each in totals],
        "skill": [1 - _ratio(each[f"ours{among}"], each[f"theirs {name}"]) for each in totals],
    }
    return Against(
        baseline=name,
        rows=int(here.sum()),
        groups=len(np.unique(sample.group[here])),
        log_loss=float(value[f"loss {name}"][0] / value[f"weight{among}"][0]),
        brier=float(value[f"theirs {name}"][0] / value[f"weight{among}"][0]),
        **{what: _bounds(*figures) for what, figures in parts.items()},
    )


def _ratio(above: Reals, below: Reals) -> Reals:
    """NaN in draws that missed all groups of a rare baseline: they say nothing."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)


def _bounds(value: Reals, by_group: Reals, by_day: Reals | None = None) -> Bounds:
    figure = float(value[0])
    return Bounds(
        intervals.percentile(figure, by_group),
        None if by_day is None else intervals.percentile(figure, by_day),
    )
