"""Evaluation: is the model better than the market's own price on events it has not seen?

All scores are weighted as the training set is (each group about once); intervals come from a paired bootstrap that
draws whole groups, because one outcome decides many rows (ML.md 4).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Reals = npt.NDArray[np.float64]

ALL = "all"
# Log loss is unbounded: probabilities are kept this far from 0 and 1, as all reports of the field do.
CLIP = 1e-4
DRAWS = 2_000
LEVEL = 0.95
# Draws of the bootstrap held in memory at once.
_BATCH = 100
# Differences beyond these decimals are the order of summation: they must not decide whether an interval holds 0.
_DECIMALS = 12
# A claim needs this many groups; fewer can only refute (ML.md 4.7).
CLAIM_GROUPS = 4_000
# Published honest gains stay below 1 % of Brier: beyond that a leak is likelier than an edge (ML.md 0.9).
SUSPICIOUS_LOWER, SUSPICIOUS_SKILL, SUSPICIOUS_GROUPS = 0.01, 0.03, 300
# N = 24.7 / (d² v): 80 % power at 5 % one-sided, for a correction of rms d in logits (ML.md 4.3).
POWER = 24.7
BINS = 12


@dataclass(frozen=True)
class Interval:
    """A figure and its 95 % interval over groups."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """How one source's predictions fared; differences and skills are positive where the model is better."""

    source: str
    rows: int
    markets: int
    groups: int
    log_loss: float
    log_loss_b1: float
    log_loss_b2: float
    brier: float
    brier_b1: float
    brier_b2: float
    brier_skill: Interval
    log_loss_gain: Interval
    log_loss_gain_b2: Interval
    detectable_logit: float

    @property
    def beats(self) -> bool:
        """Better than the price and than the recalibrated price, at the lower end of both intervals."""
        return self.log_loss_gain.low > 0 and self.log_loss_gain_b2.low > 0

    @property
    def suspicious(self) -> bool:
        """Too good to be believed before an audit for leaks."""
        large = self.brier_skill.value > SUSPICIOUS_SKILL and self.groups >= SUSPICIOUS_GROUPS
        return self.brier_skill.low > SUSPICIOUS_LOWER or large

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        skill = self.brier_skill
        figures = f"Brier skill {skill.value:+.2%} (95 %: {skill.low:+.2%} … {skill.high:+.2%}) on {self.groups:,} groups"
        power = f"the smallest correction these could confirm is {self.detectable_logit:.2f} logit"
        return f"{self.source}: {_finding(self)}: {figures}; {power}"


def _finding(scores: Scores) -> str:
    if scores.suspicious:
        return (
            "seems to beat the market's price by more than is credible, audit for a leak before believing it"
        )
    if scores.beats:
        few = (
            ""
            if scores.groups >= CLAIM_GROUPS
            else f", on fewer than the {CLAIM_GROUPS:,} groups a claim needs"
        )
        return f"beats the market's price{few}"
    if scores.log_loss_gain.low > 0:
        return "beats the market's price, but not a recalibration of it"
    return "does not beat the market's price"


@dataclass(frozen=True)
class Reliability:
    """Equal-mass bins: mean predicted against the share that came true."""

    predicted: tuple[float, ...]
    observed: tuple[float, ...]


@dataclass(frozen=True)
class Evaluation:
    """Scores overall and per source (overall first), and the reliability of model and market."""

    scores: tuple[Scores, ...]
    reliability: dict[str, Reliability]

    @property
    def overall(self) -> Scores:
        """The scores over all sources."""
        return self.scores[0]

    @property
    def verdict(self) -> str:
        """One sentence: does the model beat the market's price?"""
        return self.overall.verdict

    def metrics(self) -> dict[str, float]:
        """Flat figures: `<metric>` overall, `<metric>.<source>` per source."""
        return {
            (name if scores.source == ALL else f"{name}.{scores.source}"): value
            for scores in self.scores
            for name, value in _flat(scores).items()
        }

    def metadata(self) -> dict[str, Any]:
        """What a person wants to see beside a run."""
        overall = _flat(self.overall)
        shown = (
            "rows",
            "groups",
            "brier",
            "brier_b1",
            "brier_skill",
            "brier_skill_low",
            "brier_skill_high",
            "log_loss_gain",
        )
        return {
            "verdict": self.verdict,
            **{name: overall[name] for name in shown},
            "per_source": self.table(),
        }

    def table(self) -> str:
        """The scores as a Markdown table."""
        head = "| source | rows | groups | Brier | of the price | skill, 95 % | log-loss gain, 95 % | verdict |\n|---|---|---|---|---|---|---|---|"
        lines = [
            f"| {s.source} | {s.rows:,} | {s.groups:,} | {s.brier:.4f} | {s.brier_b1:.4f} "
            f"| {s.brier_skill.value:+.2%} ({s.brier_skill.low:+.2%} … {s.brier_skill.high:+.2%}) "
            f"| {s.log_loss_gain.value:+.4f} ({s.log_loss_gain.low:+.4f} … {s.log_loss_gain.high:+.4f}) | {_finding(s)} |"
            for s in self.scores
        ]
        return "\n".join([head, *lines])


def evaluate(predictions: pa.Table, *, draws: int = DRAWS, seed: int = 0) -> Evaluation:
    """Judge out-of-fold predictions (schema `training.PREDICTIONS`), overall and per source."""
    sources = sorted(predictions.column("source").unique().to_pylist())
    parts = [(ALL, predictions)] + [
        (source, predictions.filter(pc.equal(predictions.column("source"), source))) for source in sources
    ]
    reliability = {
        name: _reliability(predictions, column)
        for name, column in (("model", "probability"), ("market", "mid"))
    }
    return Evaluation(tuple(_scores(source, part, draws, seed) for source, part in parts), reliability)


def _scores(source: str, part: pa.Table, draws: int, seed: int) -> Scores:
    label, weight, mid = (_reals(part, name) for name in ("label", "weight", "mid"))
    forecasts = {"": _reals(part, "probability"), "_b1": mid, "_b2": _reals(part, "baseline_b2")}
    losses = {f"log_loss{name}": _log_loss(label, q) for name, q in forecasts.items()}
    losses |= {f"brier{name}": (q - label) ** 2 for name, q in forecasts.items()}
    names, sums = list(losses), _by_group(part, [weight, *(weight * loss for loss in losses.values())])
    means = dict(zip(names, sums[:, 1:].sum(0) / sums[:, 0].sum(), strict=True))
    drawn = dict(zip(names, _bootstrap(sums, draws, seed).T, strict=True))
    spread = float(np.average(mid * (1 - mid), weights=weight))
    return Scores(
        source=source,
        rows=part.num_rows,
        markets=len(part.column("market_id").unique()),
        groups=len(sums),
        **{name: float(mean) for name, mean in means.items()},
        brier_skill=_interval(_skill(means), _skill(drawn)),
        log_loss_gain=_interval(
            means["log_loss_b1"] - means["log_loss"], drawn["log_loss_b1"] - drawn["log_loss"]
        ),
        log_loss_gain_b2=_interval(
            means["log_loss_b2"] - means["log_loss"], drawn["log_loss_b2"] - drawn["log_loss"]
        ),
        detectable_logit=float(np.sqrt(POWER / (len(sums) * spread))),
    )


def _log_loss(label: Reals, probability: Reals) -> Reals:
    inside = np.clip(probability, CLIP, 1 - CLIP)
    found: Reals = -np.where(label == 1, np.log(inside), np.log1p(-inside))
    return found


def _skill(losses: dict[str, Any]) -> Any:
    return 1 - losses["brier"] / losses["brier_b1"]


def _by_group(part: pa.Table, columns: list[Reals]) -> Reals:
    """Sums of each column per group."""
    _, group = np.unique(part.column("group_id").to_numpy(zero_copy_only=False), return_inverse=True)
    return np.stack([np.bincount(group, column) for column in columns], axis=1)


def _bootstrap(sums: Reals, draws: int, seed: int) -> Reals:
    """Mean losses of `draws` samples of whole groups, drawn with replacement; paired, as all losses share the draw."""
    dice, groups = np.random.default_rng(seed), len(sums)
    batches = [min(_BATCH, draws - at) for at in range(0, draws, _BATCH)]
    drawn = [dice.multinomial(groups, np.full(groups, 1 / groups), size=size) @ sums for size in batches]
    totals = np.concatenate(drawn)
    found: Reals = totals[:, 1:] / totals[:, :1]
    return found


def _interval(value: float, drawn: Reals) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(*(round(float(figure), _DECIMALS) for figure in (value, low, high)))


def _reliability(part: pa.Table, column: str) -> Reliability:
    predicted, label, weight = (_reals(part, name) for name in (column, "label", "weight"))
    order = np.argsort(predicted, kind="stable")
    mass = np.cumsum(weight[order])
    bins = np.minimum((mass / mass[-1] * BINS - 1e-9).astype(int), BINS - 1)
    each = [
        np.bincount(bins, weight[order] * values[order], BINS)
        for values in (np.ones_like(weight), predicted, label)
    ]
    held = each[0] > 0
    return Reliability(
        tuple((each[1][held] / each[0][held]).tolist()), tuple((each[2][held] / each[0][held]).tolist())
    )


def _flat(scores: Scores) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, value in asdict(scores).items():
        if isinstance(value, dict):
            figures |= {name: value["value"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
        elif name != "source":
            figures[name] = float(value)
    return figures


def _reals(part: pa.Table, name: str) -> Reals:
    found: Any = part.column(name).to_numpy()
    return np.asarray(found, dtype=np.float64)
