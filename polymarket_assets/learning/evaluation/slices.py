"""Slices: where the model is better and where worse, with the discoveries that so many looks at the data allow.

Slices describe; a claim rests on the headline alone. Those of too few groups are shown and not tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polymarket_assets.learning.evaluation import intervals, losses
from polymarket_assets.learning.evaluation.axes import AXES, Axis
from polymarket_assets.learning.evaluation.intervals import Interval
from polymarket_assets.learning.evaluation.power import Power, power
from polymarket_assets.learning.evaluation.sample import Mask, Reals, Sample
from polymarket_assets.learning.out_of_fold import PRICE

# Fewer groups give intervals that do not hold what they promise (ML.md 4.4).
LEAST_GROUPS = 300
# Of the slices called different, at most this share is expected to be chance (Benjamini and Hochberg 1995).
FALSE_DISCOVERIES = 0.10


@dataclass(frozen=True)
class Slice:
    """Skill over the price, and log-loss gain (nats) over the headline's best baseline, with the p-value of that gain.

    `adjusted_p` (Benjamini-Hochberg over all tested slices) is None where there are under `LEAST_GROUPS` groups: described only.
    """

    axis: str
    name: str
    rows: int
    groups: int
    skill: Interval
    gain: Interval
    p_value: float
    power: Power
    adjusted_p: float | None = None

    @property
    def is_discovery(self) -> bool:
        """Whether its gain differs from 0, better or worse, with all other looks paid for."""
        return self.adjusted_p is not None and self.adjusted_p <= FALSE_DISCOVERIES


def slices(sample: Sample, best: str, axes: Sequence[Axis] = AXES) -> tuple[Slice, ...]:
    """All slices of a sample; those of no row, and those of all rows, are none."""
    columns = _columns(sample, best)
    found = [
        _slice(axis.name, name, mask, sample, columns)
        for axis in axes
        if axis.column in sample.table.column_names
        for name, mask in axis.masks(sample.table)
        if mask.any() and not mask.all()
    ]
    return adjusted(found)


def adjusted(found: Sequence[Slice]) -> tuple[Slice, ...]:
    """The same slices with p-values for the looks there were."""
    from scipy.stats import false_discovery_control

    tested = [one for one in found if one.groups >= LEAST_GROUPS]
    if not tested:
        return tuple(found)
    values = false_discovery_control([one.p_value for one in tested], method="bh")
    paid = {id(one): float(value) for one, value in zip(tested, values, strict=True)}
    return tuple(replace(one, adjusted_p=paid.get(id(one))) for one in found)


def _columns(sample: Sample, best: str) -> Reals:
    """Weight, gain over the best baseline, Brier of price and model; each times weight: (n, 4)."""
    label, q = sample.label, sample.probability
    gain = losses.log_loss(label, sample.forecasts[best]) - losses.log_loss(label, q)
    briers = [losses.brier(label, forecast) for forecast in (sample.forecasts[PRICE], q)]
    return sample.weight[:, None] * np.stack([np.ones_like(q), gain, *briers], axis=1)


def _slice(axis: str, name: str, mask: Mask, sample: Sample, columns: Reals) -> Slice:
    group, kept = sample.group[mask], columns[mask]
    sums = intervals.by_cluster(group, kept, sample.groups)
    weight, gain, theirs, ours = sums.sum(0)
    skill_at, gain_at = (1 - ours / theirs if theirs else 0.0), gain / weight
    errors = [_error(sums[:, above], sums[:, below], sample) for above, below in ((3, 2), (1, 0))]
    return Slice(
        axis, name, int(mask.sum()), int((sums[:, 0] > 0).sum()),
        intervals.normal(float(skill_at), errors[0]), intervals.normal(float(gain_at), errors[1]),
        intervals.two_sided(float(gain_at), errors[1]),
        power(sample.forecasts[PRICE][mask], sample.weight[mask], group),
    )  # fmt: skip


def _error(above: Reals, below: Reals, sample: Sample) -> float:
    """The larger of the errors over groups and over resolution days, as for the headline."""
    by_group = intervals.ratio_error(above, below)
    if sample.day_of_group is None:
        return by_group
    days = intervals.by_cluster(sample.day_of_group, np.stack([above, below], axis=1), sample.days)
    if (days[:, 1] != 0).sum() < intervals.LEAST_DAYS:
        return by_group
    return max(by_group, intervals.ratio_error(days[:, 0], days[:, 1]))
