"""Power: the smallest correction to the price that a sample could confirm, and what it would be worth.

A correct correction of rms d logits gains d² v / 2 nats, v = mean p (1 − p), and needs N = 24.7 / (d² v) independent
groups for 80 % power at 5 % one-sided (ML.md 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polymarket_assets.learning.evaluation.sample import Codes, Reals, summed

NEEDED = 24.7


@dataclass(frozen=True)
class Power:
    """Groups that count (Kish: as many as equal weights would make them), and the smallest correction they confirm.

    `logit`: its rms, logits; `brier_skill` and `log_loss_gain`: what it is worth, shares and nats.
    """

    effective_groups: float
    logit: float
    brier_skill: float
    log_loss_gain: float


def power(mid: Reals, weight: Reals, group: Codes) -> Power:
    """Of rows with these prices, weights and groups.

    The skill is d² mean (p (1 − p))² / mean p (1 − p): to first order, a correction moves a probability by d p (1 − p).
    """
    spread = mid * (1 - mid)
    v, v2 = np.average(spread, weights=weight), np.average(spread**2, weights=weight)
    count = kish(summed(group, weight, int(group.max()) + 1))
    d2 = NEEDED / (count * v) if v > 0 else np.inf
    return Power(count, float(np.sqrt(d2)), float(d2 * v2 / v) if v > 0 else float("nan"), float(d2 * v / 2))


def kish(weights: Reals) -> float:
    """Effective size (sum w)² / sum w² (Kish 1965); weights of 0 change nothing."""
    return float(weights.sum() ** 2 / (weights**2).sum())
