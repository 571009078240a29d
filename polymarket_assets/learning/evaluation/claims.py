"""Claims: what figures allow to be said, in words, and what a claim needs beyond a good figure (ML.md 4.7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymarket_assets.learning.evaluation import losses
from polymarket_assets.learning.evaluation.intervals import Interval
from polymarket_assets.learning.evaluation.sample import Codes, Reals, Sample
from polymarket_assets.learning.evaluation.weeks import LEAST_WEEKS, Weekly, weeks_of
from polymarket_assets.learning.out_of_fold import PRICE

if TYPE_CHECKING:
    from polymarket_assets.learning.evaluation.scores import Scores

# A claim needs this many groups; fewer can only refute (ML.md 4.7).
CLAIM_GROUPS = 4_000
# Published honest gains stay below 1 % of Brier: beyond that a leak is likelier than an edge (ML.md 0.9).
SUSPICIOUS_LOWER, SUSPICIOUS_SKILL, SUSPICIOUS_GROUPS = 0.01, 0.03, 300
# An edge that is there shows in most weeks.
CLAIM_WEEKS = 2 / 3
# How baselines are called in a sentence.
CALLED = {
    PRICE: "the market's price", "b0": "the base rate by category", "b1m": "the microprice", "b1n": "the price over the sum of its set",
    "b2": "a recalibration of it", "b2i": "an isotonic recalibration of it", "b3": "a recalibration of it by category, horizon and negRisk",
    "b4": "a linear model of its log-odds",
}  # fmt: skip


@dataclass(frozen=True)
class Gate:
    """One thing a claim needs, whether it is so, and the figure."""

    name: str
    is_held: bool
    told: str


def is_suspicious(skill: Interval, groups: int) -> bool:
    """Whether a Brier skill over the price is larger than anybody honest ever published."""
    return skill.low > SUSPICIOUS_LOWER or (skill.value > SUSPICIOUS_SKILL and groups >= SUSPICIOUS_GROUPS)


def finding(scores: Scores) -> str:
    """What the figures of a part say of the model."""
    if scores.suspicious:
        return (
            "seems to beat the market's price by more than is credible, audit for a leak before believing it"
        )
    if scores.beats:
        few = f", on fewer than the {CLAIM_GROUPS:,} groups a claim needs"
        return f"beats the market's price{'' if scores.groups >= CLAIM_GROUPS else few}"
    if scores.log_loss_gain.low > 0:
        return f"beats the market's price, but not {CALLED[scores.best]}"
    if scores.log_loss_gain.high < 0:
        return "is worse than the market's price"
    return "does not beat the market's price"


def figures(scores: Scores) -> str:
    """The skill over the price, the gain over the best baseline, and what could have been seen."""
    skill, gain = scores.brier_skill, scores.gain_over_best
    return (
        f"Brier skill {skill.value:+.2%} (95 %: {skill.low:+.2%} … {skill.high:+.2%}), log-loss gain over {scores.best} {gain.value:+.4f} "
        f"({gain.low:+.4f} … {gain.high:+.4f}), on {scores.groups:,} groups; the smallest correction these could confirm is {scores.power.logit:.2f} logit"
    )


def gates(scores: Scores, sample: Sample, weekly: Weekly, *, is_sealed: bool) -> tuple[Gate, ...]:
    """Everything a claim needs; one gate that does not hold and there is none."""
    best, tested = scores.gain_over_best, weekly.over_best
    share = tested.positive / tested.weeks
    gain = losses.log_loss(sample.label, sample.forecasts[scores.best])
    gain = sample.weight * (gain - losses.log_loss(sample.label, sample.probability))
    weakest = {what: _weakest(codes, gain) for what, codes in _alternatives(sample)}
    return (
        Gate("judged on sealed weeks", is_sealed, "sealed weeks" if is_sealed else "sealed weeks were not opened"),
        Gate("lower bound of the log-loss gain over the best baseline above 0", best.low > 0, f"{1e3 * best.low:+.2f} thousandths of a nat over {scores.best}"),
        Gate(f"at least {CLAIM_GROUPS:,} groups", scores.groups >= CLAIM_GROUPS, f"{scores.groups:,}"),
        Gate("two thirds of at least 4 weeks positive", share >= CLAIM_WEEKS and tested.weeks >= LEAST_WEEKS, f"{tested.positive} of {tested.weeks}"),
        *(Gate(f"positive without any one {what}", low > 0, f"at least {1e3 * low / sample.weight.sum():+.2f} thousandths of a nat") for what, low in weakest.items()),
        Gate("not too good to be true", not scores.suspicious, f"skill {scores.brier_skill.value:+.2%}"),
    )  # fmt: skip


def _alternatives(sample: Sample) -> Iterable[tuple[str, Codes]]:
    if "category" in sample.table.column_names:
        encoded = sample.table.column("category").combine_chunks().dictionary_encode(null_encoding="encode")
        yield "category", np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    yield "week", weeks_of(sample)


def _weakest(codes: Codes, gain: Reals) -> float:
    """The least sum of gains that is left when the rows of one code are taken out: nothing, where there is one code."""
    _, place = np.unique(codes, return_inverse=True)
    by_code = np.bincount(place, gain)
    return float(by_code.sum() - by_code.max())
