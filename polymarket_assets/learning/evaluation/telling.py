"""Telling: an evaluation as a sentence, as flat figures for a tracker, and as a table for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from polymarket_assets.learning.evaluation.intervals import Bounds, Interval
from polymarket_assets.learning.out_of_fold import MODEL, PRICE

if TYPE_CHECKING:
    from polymarket_assets.learning.evaluation.judging import Evaluation
    from polymarket_assets.learning.evaluation.scores import Scores

_HEADINGS = ("part", "rows", "groups", "Brier", "skill over the price, 95 %", "log-loss gain over the best baseline, 95 %", "smallest correction, logit", "finding")  # fmt: skip
_SHOWN = ("rows", "groups", "brier", "brier_mid", "brier_skill", "brier_skill_low", "brier_skill_high", "log_loss_gain", "log_loss_gain_best", "detectable_logit")  # fmt: skip
# What is written where an interval over days would say nothing.
FEW_DAYS = "intervals are over groups alone: too few resolution days to tell how days differ"


def verdict(evaluation: Evaluation) -> str:
    """Of the headline; rows that are no ordinary ones are named."""
    only = ", up/down series alone" if evaluation.is_updown_only else ""
    few = "" if evaluation.overall.gain_of_days else f"; {FEW_DAYS}"
    return f"{evaluation.kind}{only}: {evaluation.overall.verdict.removeprefix('all: ')}{few}"


def metrics(evaluation: Evaluation) -> dict[str, float]:
    """Flat figures: `<metric>` of the headline, `<baseline>/<metric>` of it against each baseline, `<part>/<metric>` of other parts and
    `slices/<axis> <slice>`, log-loss gain over the best baseline. A tracker shows what stands before a slash as one section."""
    head, *others = evaluation.scores
    found = _flat(head) | _against(head) | _tested(evaluation)
    for part in others:
        found |= {f"{part.part}/{name}": value for name, value in _flat(part).items()}
    return found | {_plain(f"slices/{one.axis} {one.name}"): one.gain.value for one in evaluation.slices}


def curves(
    evaluation: Evaluation, learning_curve: Sequence[tuple[int, float]]
) -> dict[str, dict[int, float]]:
    """What is a line rather than a figure, by step: a tracker draws one such line over another, run by run. Skill by week, and its
    reliability (came true less predicted, points, by the predicted cents); the gain over the price by the groups learnt from, mnat."""
    weeks = {n: week.brier_skill for n, week in enumerate(evaluation.weekly.weeks)}
    bins = evaluation.calibrations[MODEL].reliability.bins
    off = {round(100 * one.predicted): 100 * (one.observed.value - one.predicted) for one in bins}
    taught = {groups: 1e3 * gain for groups, gain in learning_curve}
    found = {"skill_by_week": weeks, "reliability_by_cents": off, "gain_by_groups": taught}
    return {f"curves/{name}": line for name, line in found.items()}


def metadata(evaluation: Evaluation) -> dict[str, Any]:
    """The verdict, the headline's figures and the table of parts."""
    figures = metrics(evaluation)
    return {
        "verdict": evaluation.verdict,
        "rows_judged": evaluation.kind,
        **{name: figures[name] for name in _SHOWN},
        "per_part": evaluation.table(),
    }


def table(scores: Sequence[Scores]) -> str:
    """A line for each part, in Markdown."""
    lines = [
        [
            s.part, f"{s.rows:,}", f"{s.groups:,}", f"{s.brier:.4f}", percent(s.brier_skill),
            f"{nats(s.gain_over_best)} ({s.best})", f"{s.power.logit:.2f}", s.finding,
        ]
        for s in scores
    ]  # fmt: skip
    return "\n".join(f"| {' | '.join(line)} |" for line in (_HEADINGS, ["---"] * len(_HEADINGS), *lines))


def percent(figure: Interval) -> str:
    """A skill with its interval."""
    return f"{figure.value:+.2%} ({figure.low:+.2%} … {figure.high:+.2%})"


def nats(figure: Interval) -> str:
    """A gain in log loss with its interval."""
    return f"{figure.value:+.4f} ({figure.low:+.4f} … {figure.high:+.4f})"


def mnats(figure: Interval) -> str:
    """The same in thousandths of a nat, as gains are that small."""
    return f"{1e3 * figure.value:+.2f} ({1e3 * figure.low:+.2f} … {1e3 * figure.high:+.2f})"


def _flat(scores: Scores) -> dict[str, float]:
    found: dict[str, float] = _interval("brier_skill", scores.brier_skill)
    found |= _interval("log_loss_gain_best", scores.gain_over_best)
    found |= _interval("log_loss_gain", scores.log_loss_gain)
    found |= {
        "rows": scores.rows, "markets": scores.markets, "groups": scores.groups, "resolution_days": scores.days,
        "log_loss": scores.log_loss, "brier": scores.brier, "detectable_logit": scores.power.logit,
        "detectable_brier_skill": scores.power.brier_skill, "effective_groups": scores.power.effective_groups,
    }  # fmt: skip
    price = scores.against[PRICE]
    found |= {"log_loss_mid": price.log_loss, "brier_mid": price.brier}
    found |= _interval("brier_skill_best", scores.skill_over_best)
    return {name: float(value) for name, value in found.items()}


def _against(scores: Scores) -> dict[str, float]:
    """Each baseline's own figures, and gains over it with both kinds of interval."""
    found: dict[str, float] = {}
    for name, one in scores.against.items():
        told = {"log_loss": one.log_loss, "brier": one.brier, "rows": float(one.rows)}
        told |= _bounds("log_loss_gain", one.gain) | _bounds("brier_skill", one.skill)
        found |= {f"{name}/{figure}": value for figure, value in told.items()}
    return found


def _plain(name: str) -> str:
    """A name without what trackers refuse: words, dots and dashes stay, and slashes between sections."""
    section, _, rest = name.partition("/")
    return f"{section}/{re.sub(r'[^A-Za-z0-9_. -]', '-', rest)}"


def _bounds(name: str, bounds: Bounds) -> dict[str, float]:
    both = _interval(f"{name}_by_group", bounds.by_group)
    return both | (_interval(f"{name}_by_day", bounds.by_day) if bounds.by_day else {})


def _interval(name: str, figure: Interval) -> dict[str, float]:
    return {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}


def _tested(evaluation: Evaluation) -> dict[str, float]:
    """Calibration, weeks, corrections and gates of the headline."""
    of_model, tests = evaluation.calibrations[MODEL], evaluation.weekly.over_best
    parts, line = of_model.murphy, of_model.line
    found: dict[str, float | None] = {
        "murphy_reliability": parts.reliability, "murphy_resolution": parts.resolution, "murphy_uncertainty": parts.uncertainty,
        "murphy_within_bins": parts.within_bins, "ece": of_model.reliability.ece, "ece_of_noise": of_model.reliability.ece_of_noise,
        "auc": of_model.auc, "correction_rms_logit": evaluation.corrections.rms, "weeks": tests.weeks, "weeks_positive": tests.positive,
        "weeks_p_value": tests.p_value, "weeks_sign_p_value": tests.sign_p_value, "gates_held": sum(g.is_held for g in evaluation.gates),
        "gates": len(evaluation.gates), "slices_discovered": sum(s.is_discovery for s in evaluation.slices),
    }  # fmt: skip
    if line:
        found |= _interval("calibration_slope", line.slope) | _interval(
            "calibration_intercept", line.intercept
        )
    return {name: float(value) for name, value in found.items() if value is not None}
