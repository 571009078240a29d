"""The report of a model: one page to send to a colleague. What was found, what that rests on, and how to read it.

The verdict comes first and is worth no more than its interval, its power and its caveats, which stand on the same page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from polymarket_assets.learning.evaluation import Evaluation, report_tables
from polymarket_assets.learning.evaluation.claims import CLAIM_GROUPS
from polymarket_assets.learning.evaluation.intervals import LEAST_DAYS
from polymarket_assets.learning.evaluation.judging import OPEN, UPDOWN
from polymarket_assets.learning.evaluation.pictures import pictures
from polymarket_assets.learning.evaluation.telling import FEW_DAYS, mnats, percent
from polymarket_assets.learning.explained import Explained
from polymarket_assets.learning.out_of_fold import MODEL
from polymarket_assets.report import page as pages
from polymarket_assets.report.page import Grid, Page, Panel

NAME = "model_report"
TITLE = "Does the model beat Polymarket's own price?"
# In this order a reader asks: by how much, where, when, of what; the tables stand between.
_FIRST, _THEN = ("baselines", "skill_by_week"), ("reliability", "corrections", "feature_gain", "feature_effects", "learning_curve")  # fmt: skip


def page(
    evaluation: Evaluation, drawn: Mapping[str, Panel], facts: Sequence[tuple[str, str]], *, made_at: datetime | None = None
) -> Page:  # fmt: skip
    """The page of an evaluation: `drawn` are its `pictures`, `facts` names and values of the run (model, data, code), shown under its own."""
    at = made_at or datetime.now(UTC)
    return Page(
        name=NAME,
        title=TITLE,
        lead=answer(evaluation),
        badges=_badges(evaluation),
        facts=[*_facts(evaluation), *facts],
        notes=caveats(evaluation),
        panels=[
            report_tables.gates(evaluation),
            report_tables.baselines(evaluation),
            *_some(drawn, _FIRST),
            report_tables.weeks(evaluation),
            *_some(drawn, ("skill_by_slice",)),
            report_tables.slices(evaluation),
            report_tables.parts(evaluation),
            *_some(drawn, _THEN),
            report_tables.calibration(evaluation),
            report_tables.power(evaluation),
            _READING,
        ],
        grids=[],
        made=f"Made {at:%Y-%m-%d %H:%M} UTC. Prices are dollars a share of the canonical outcome, instants UTC.",
    )


def write(
    evaluation: Evaluation, explained: Explained, facts: Sequence[tuple[str, str]], folder: Path
) -> Path:
    """`model_report.html` in a folder, self-contained. Raises `OSError` where it cannot be written."""
    path = folder / f"{NAME}.html"
    path.write_text(pages.html(page(evaluation, pictures(evaluation, explained), facts)), encoding="utf-8")
    return path


def answer(evaluation: Evaluation) -> str:
    """The verdict in plain words, with the one figure it rests on."""
    head = evaluation.overall
    held = sum(gate.is_held for gate in evaluation.gates)
    claim = "All that a claim needs holds." if evaluation.is_claim else f"This is no claim yet: {held} of the {len(evaluation.gates)} things a claim needs hold."  # fmt: skip
    return (
        f"The model {head.finding}. On {head.groups:,} groups of markets that it had not seen, its squared error is {abs(head.brier_skill.value):.2%} "
        f"{'lower' if head.brier_skill.value >= 0 else 'higher'} than the price's (95 %: {head.brier_skill.low:+.2%} … {head.brier_skill.high:+.2%}); "
        f"its log-loss gain over the best baseline ({head.best}) is {mnats(head.gain_over_best)} thousandths of a nat. {claim}"
    )


def caveats(evaluation: Evaluation) -> list[str]:
    """What a reader must know before quoting the figure."""
    head = evaluation.overall
    apart = next((part for part in evaluation.scores if part.part == UPDOWN), None)
    told = {
        "Sealed weeks were not opened: these figures were seen while the model was being built, and may flatter it.": evaluation.kind == OPEN,
        "These are up/down series alone: without spot prices there is nothing to know about them.": evaluation.is_updown_only,
        f"Up/down series ({apart.groups if apart else 0:,} groups) stand apart and are not in the headline.": apart is not None,
        "A skill this large is likelier a leak than an edge: run the leak audit before believing it.": head.suspicious,
        f"{head.groups:,} groups are fewer than the {CLAIM_GROUPS:,} of a claim: they can refute, and cannot confirm.": head.groups < CLAIM_GROUPS,
        f"{FEW_DAYS[0].upper()}{FEW_DAYS[1:]} (under {LEAST_DAYS}).": head.gain_of_days is None,
    }  # fmt: skip
    return [text for text, holds in told.items() if holds]


def _badges(evaluation: Evaluation) -> list[str]:
    head = evaluation.overall
    beyond = (
        f"smallest edge it could confirm: {head.power.logit:.2f} logit, {head.power.brier_skill:.2%} of Brier"
    )
    return [
        evaluation.kind,
        f"{head.groups:,} groups, {head.rows:,} rows",
        f"best baseline: {head.best}",
        beyond,
    ]


def _facts(evaluation: Evaluation) -> list[tuple[str, str]]:
    head, weeks = evaluation.overall, evaluation.weekly
    line = evaluation.calibrations[MODEL].line
    return [
        ("Brier skill over the price, 95 %", percent(head.brier_skill)),
        (f"Log-loss gain over the best baseline ({head.best}), 95 %, thousandths of a nat", mnats(head.gain_over_best)),
        ("Weeks in which it gained", f"{weeks.over_best.positive} of {weeks.over_best.weeks}"),
        ("Log loss, Brier of the model", f"{head.log_loss:.4f}, {head.brier:.4f}"),
        ("Calibration slope, 95 %", f"{line.slope.value:.2f} ({line.slope.low:.2f} … {line.slope.high:.2f})" if line else "not known"),
        ("Markets, resolution days", f"{head.markets:,}, {head.days:,}" if head.days else f"{head.markets:,}, not known"),
    ]  # fmt: skip


def _some(drawn: Mapping[str, Panel], names: Sequence[str]) -> list[Panel]:
    return [drawn[name] for name in names if name in drawn]


_READING = Grid(
    "How to read this",
    ("term", "what it means"),
    (
        ("group", "Markets that one outcome can decide, with all their rows: the unit of chance. Rows of a group are one observation."),
        ("Brier skill", "1 − Brier / Brier of the price. Published honest gains are 0 … 0.7 %; above 3 % a leak is likelier than an edge."),
        ("log-loss gain", "How many thousandths of a nat (mnat) of surprise the model saves a forecast; the best baseline is the one of the lowest log loss."),
        ("95 % interval", "The wider of two bootstraps of 2,000 draws: of whole groups, and of whole resolution days. 0 inside: nothing was shown."),
        ("smallest correction", "An edge smaller than this would be missed one time in five: “does not beat” says nothing about it."),
        ("slope", "Above 1 forecasts are too timid, below 1 too bold; 1 and intercept 0 are calibrated."),
        ("adjusted p", "Benjamini-Hochberg: of the slices at or below 0.10 a tenth is expected to be chance."),
        ("out of fold", "Every forecast was made by a model trained on groups that were wholly over before it, with an embargo."),
    ),
    sentences=frozenset({1}),
)  # fmt: skip
