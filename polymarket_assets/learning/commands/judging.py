"""`evaluate`: forecasts of a file against how their markets ended; a model is not judged on what it learnt from unless that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from rich.table import Table

from polymarket_assets.lake.storage import LocalStore
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import evaluation, model_report
from polymarket_assets.learning.commands import outcomes, scoring
from polymarket_assets.learning.commands.scoring import Scored
from polymarket_assets.learning.errors import NothingToJudge
from polymarket_assets.learning.evaluation import Evaluation, pictures
from polymarket_assets.learning.evaluation.telling import mnats, percent
from polymarket_assets.learning.explained import Explained
from polymarket_assets.report import page as pages

UNSEEN, SEEN = "scored rows it had not seen", "rows it may have learnt from, no judgement"


@dataclass(frozen=True)
class Judged:
    """An evaluation, who was judged, how many rows were scored and decided, and what a reader must be warned of."""

    evaluation: Evaluation
    told: Scored
    scored: int
    decided: int
    warnings: tuple[str, ...]


def judged(lake: Lake, predictions: Path, *, now: datetime, in_sample: bool = False) -> Judged:
    """Judge a file of `score` by the outcomes that a lake has at `now`.

    Raises:
        Gone, MalformedPayload: there is no such file, or it is none of `score`.
        NothingToJudge: nothing is decided yet, or the model may have learnt from all that is.
    """
    scored, told = scoring.read(predictions)
    decided = outcomes.joined(lake, scored, told, now=now)
    if not decided.num_rows:
        raise NothingToJudge(f"none of {scored.num_rows:,} scored rows has an outcome in the lake at {lake.root} yet: materialize resolutions, or wait until markets are due")  # fmt: skip
    kept = decided if in_sample else outcomes.unseen(decided, told)
    if not kept.num_rows:
        raise NothingToJudge(_refusal(decided, told))
    found = replace(evaluation.judge_predictions(kept), kind=SEEN if _has_seen(kept, told) else UNSEEN)
    return Judged(found, told, scored.num_rows, decided.num_rows, tuple(_warnings(decided, kept, told)))


def write(found: Judged, file: Path) -> None:
    """The page of a judgement. Raises `LakeUnwritable`."""
    page = model_report.page(
        found.evaluation, pictures.pictures(found.evaluation, Explained()), _facts(found)
    )
    page = replace(page, notes=[*found.warnings, *page.notes])
    LocalStore(file.parent, called="the folder").write_bytes(file.name, pages.html(page).encode())


def shown(found: Evaluation) -> Table:
    """The parts with their power, for a terminal."""
    table = Table(title=found.verdict, title_justify="left")
    for heading in ("part", "rows", "groups", "Brier skill, 95 %", "gain over the best baseline, mnat, 95 %", "smallest, logit", "worth, Brier skill", "the model"):  # fmt: skip
        table.add_column(heading, overflow="fold")
    for s in found.scores:
        table.add_row(s.part, f"{s.rows:,}", f"{s.groups:,}", percent(s.brier_skill), f"{mnats(s.gain_over_best)} over {s.best}", f"{s.power.logit:.2f}", f"{s.power.brier_skill:.2%}", s.finding)  # fmt: skip
    return table


def _has_seen(rows: pa.Table, told: Scored) -> bool:
    return bool(outcomes.unseen(rows, told).num_rows < rows.num_rows)


def _warnings(decided: pa.Table, kept: pa.Table, told: Scored) -> Iterator[str]:
    if _has_seen(kept, told):
        yield f"IN SAMPLE: {told.model} may have learnt from {kept.num_rows - outcomes.unseen(kept, told).num_rows:,} of these {kept.num_rows:,} rows ({_until(told)}). This is no judgement of it."  # fmt: skip
    if left := decided.num_rows - kept.num_rows:
        yield f"{left:,} of {decided.num_rows:,} decided rows were left out: {told.model} may have learnt from their groups ({_until(told)})."  # fmt: skip
    yield "Baselines that are fitted (b0, b2, b2i, b3, b4) are not there: only training has the rows to fit them on. Beating the price here may be recalibration."  # fmt: skip


def _refusal(decided: pa.Table, told: Scored) -> str:
    return f"{told.model} may have learnt from all {decided.num_rows:,} decided rows ({_until(told)}), and a model judged on those is not judged: score later rows, or look at them all the same with --in-sample"


def _until(told: Scored) -> str:
    return f"its rows end at {told.learnt_until:%Y-%m-%d %H:%M} UTC" if told.learnt_until else "when its rows end is not known"  # fmt: skip


def _facts(found: Judged) -> list[tuple[str, str]]:
    told = found.told
    return [
        ("Model", told.model),
        ("Run", told.run_id or "not known"),
        ("Learnt from rows until", "nothing: it says the price" if told.says_the_price else f"{told.learnt_until:%Y-%m-%d %H:%M} UTC" if told.learnt_until else "not known"),
        ("Scored", f"{told.scored_at:%Y-%m-%d %H:%M} UTC, {found.scored:,} rows, {found.decided:,} decided"),
    ]  # fmt: skip
