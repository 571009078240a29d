"""Judging: out-of-fold rows, or stored predictions of a model, to everything that is said of them.

Five-minute games of a coin are a part of their own: without spot prices there is nothing to know of them, and there are
so many that they would drown the rest. Sealed weeks are opened on purpose only, and then alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.evaluation import claims, telling
from polymarket_assets.learning.evaluation.calibration import Calibration, calibration
from polymarket_assets.learning.evaluation.claims import Gate
from polymarket_assets.learning.evaluation.corrections import Corrections, corrections
from polymarket_assets.learning.evaluation.intervals import DRAWS
from polymarket_assets.learning.evaluation.sample import Sample, micros, sampled
from polymarket_assets.learning.evaluation.scores import Scores, scores
from polymarket_assets.learning.evaluation.slices import Slice, slices
from polymarket_assets.learning.evaluation.weeks import Weekly, weekly
from polymarket_assets.learning.out_of_fold import MODEL

ALL, UPDOWN = "all", "updown"
OPEN, SEALED, STORED = "open weeks", "sealed weeks", "stored predictions"


@dataclass(frozen=True)
class Evaluation:
    """Scores per part (the headline first, then up/down, then sources); all else is of the headline.

    `kind` says which rows these are: `OPEN`, `SEALED` or `STORED`. `calibrations`: of the model and of every baseline
    that stands on all rows. `is_updown_only`: there is nothing but up/down, and so the headline is that. `span`: from the
    first instant of the headline to its last; nothing where rows have none.
    """

    kind: str
    is_updown_only: bool
    scores: tuple[Scores, ...]
    calibrations: dict[str, Calibration]
    slices: tuple[Slice, ...]
    weekly: Weekly
    corrections: Corrections
    gates: tuple[Gate, ...]
    span: timedelta

    @property
    def overall(self) -> Scores:
        """The headline."""
        return self.scores[0]

    @property
    def verdict(self) -> str:
        """One sentence: does the model beat the market's price?"""
        return telling.verdict(self)

    @property
    def is_claim(self) -> bool:
        """Whether everything holds that "beats the market" needs."""
        return all(gate.is_held for gate in self.gates)

    def metrics(self) -> dict[str, float]:
        """Flat figures: see `telling.metrics`."""
        return telling.metrics(self)

    def metadata(self) -> dict[str, Any]:
        """What a person wants to see beside a run."""
        return telling.metadata(self)

    def table(self) -> str:
        """The scores as a Markdown table."""
        return telling.table(self.scores)


def evaluate(rows: pa.Table, *, draws: int = DRAWS, seed: int = 0, sealed: bool = False) -> Evaluation:
    """Judge out-of-fold rows (`out_of_fold.SCHEMA`; baselines and slice columns may be absent): the open weeks, or the sealed ones.

    Raises:
        NothingToJudge: no row is of that kind, or rows lack what every judgement needs.
    """
    kind = SEALED if sealed else OPEN
    kept = _of_kind(rows, sealed)
    if rows.num_rows and not kept.num_rows:
        raise NothingToJudge(f"none of {rows.num_rows:,} rows is of the {kind}: record a longer span and train again")  # fmt: skip
    return _judged(kept, kind, draws, seed)


def judge_predictions(rows: pa.Table, *, draws: int = DRAWS, seed: int = 0) -> Evaluation:
    """Judge predictions that were stored before their outcome was known (one model's; at least `sample.NEEDED` columns), all of them.

    Raises:
        NothingToJudge: there are none, or they lack what every judgement needs.
    """
    return _judged(rows, STORED, draws, seed)


def _of_kind(rows: pa.Table, sealed: bool) -> pa.Table:
    if "is_sealed" not in rows.column_names:
        return rows.slice(0, 0) if sealed else rows
    return rows.filter(pc.equal(rows.column("is_sealed").fill_null(False), sealed))


def _judged(rows: pa.Table, kind: str, draws: int, seed: int) -> Evaluation:
    every = sampled(rows)
    parts = dict(_parts(every))
    head = parts[ALL]
    judged = _scored(parts, draws, seed)
    best, weeks = judged[0].best, weekly(head, judged[0].best)
    return Evaluation(
        kind=kind,
        is_updown_only=UPDOWN not in parts and bool(_is_updown(every).all()),
        scores=judged,
        calibrations=_calibrations(head),
        slices=slices(head, best),
        weekly=weeks,
        corrections=corrections(head),
        gates=claims.gates(judged[0], head, weeks, is_sealed=kind == SEALED),
        span=_span(head),
    )


def _span(sample: Sample) -> timedelta:
    if "as_of" not in sample.table.column_names:
        return timedelta(0)
    return timedelta(microseconds=int(np.ptp(micros(sample.table, "as_of"))))


def _scored(parts: dict[str, Sample], draws: int, seed: int) -> tuple[Scores, ...]:
    """A part that is the headline by another name is not drawn again."""
    head = scores(ALL, parts[ALL], draws=draws, seed=seed)
    return head, *(
        replace(head, part=name) if part is parts[ALL] else scores(name, part, draws=draws, seed=seed)
        for name, part in parts.items()
        if name != ALL
    )


def _parts(every: Sample) -> Iterator[tuple[str, Sample]]:
    updown = _is_updown(every)
    mixed = updown.any() and not updown.all()
    head = every.part(~updown) if mixed else every
    yield ALL, head
    if mixed:
        yield UPDOWN, every.part(updown)
    if "source" in head.table.column_names:
        column = head.table.column("source")
        for source in sorted(column.unique().drop_null().to_pylist()):
            inside = pc.equal(column, source).fill_null(False).to_numpy().astype(bool)
            yield source, head if inside.all() else head.part(inside)


def _is_updown(sample: Sample) -> Any:
    if "updown_labels" not in sample.table.column_names:
        return np.zeros(len(sample.label), dtype=bool)
    return sample.table.column("updown_labels").fill_null(False).to_numpy().astype(bool)


def _calibrations(head: Sample) -> dict[str, Calibration]:
    whole = {name: q for name, q in head.forecasts.items() if not np.isnan(q).any()}
    return {name: calibration(head, q) for name, q in {MODEL: head.probability, **whole}.items()}
