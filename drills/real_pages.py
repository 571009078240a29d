"""What the drill of real data writes: a page for each judgement, an index of them, and the same table for a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from drills.real_judging import Judgement, Source
from polymarket_assets.learning import model_report
from polymarket_assets.learning.evaluation.claims import CLAIM_GROUPS
from polymarket_assets.learning.evaluation.telling import mnats, percent
from polymarket_assets.report import page as pages
from polymarket_assets.report.page import Grid, Page

_FOUND = ("source", "model", "groups", "kappa", "sealed rows", "finding", "page")
_FIGURES = ("source", "model", "rows", "groups", "Brier skill, 95 %", "gain over the best baseline, mnat, 95 %", "smallest, logit", "weeks gained")  # fmt: skip
_OF_SOURCES = ("source", "from", "to", "rows", "groups", "events", "torn", "joined", "sealed from")
_READING = (
    "over all: one model, trained walk-forward on everything that was over before a cut, whatever its source; alone: a model that saw this source only. Where a source has both, both are judged on the rows that both were asked about.",
    "A model over all knows of a source only what came before: of one that begins late and lasts for days it has seen nothing, and its figure there is whether what it learnt elsewhere carries over.",
    "Each source is sealed by its own weeks (the last fifth; none where it spans under eight weeks); sealed rows were not looked at. The headline over all sources is sealed by all weeks together, so its open part ends before the last sources begin.",
    "Torn: events of the dataset whose markets stand in several groups, which would make intervals too narrow. Joined: groups of several events, which makes them wider than the dataset asks for.",
    f"Smallest: the rms correction that so many groups confirm four times in five; a claim needs {CLAIM_GROUPS:,} groups.",
)  # fmt: skip


def shown(known: list[Source], judgements: list[Judgement]) -> Table:
    """For a terminal."""
    table = Table(title=f"{len(known)} real sources against the market's own price", title_justify="left")
    for heading in (*_FIGURES, "finding"):
        table.add_column(heading, overflow="fold")
    for one in judgements:
        table.add_row(*_figures(one), _finding(one))
    return table


def write(known: list[Source], judgements: list[Judgement], folder: Path) -> Path:
    """`index.html` and, in a folder for each judgement, `model_report.html`; returns the index."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in judgements:
        if one.evaluation:
            (where := folder / _folder(one)).mkdir(exist_ok=True)
            model_report.write(one.evaluation, one.explained, _facts(one), where)
    index = folder / "index.html"
    index.write_text(pages.html(_index(known, judgements)), encoding="utf-8")
    return index


def _index(known: list[Source], judgements: list[Judgement]) -> Page:
    return Page(
        name="index",
        title="Real sources against the market's own price",
        lead=_lead(judgements),
        badges=[f"{len(known)} sources", f"{sum(source.rows for source in known):,} rows"],
        facts=[(source.name, f"{source.groups:,} groups, {source.first_at:%Y-%m-%d} … {source.last_at:%Y-%m-%d}") for source in known],
        notes=_READING,
        panels=[
            Grid("What was found", _FOUND, [_found(one) for one in judgements], "", frozenset({2, 3, 4}), frozenset({5})),
            Grid("Figures", _FIGURES, [_figures(one) for one in judgements], "mnat: thousandths of a nat of log loss; positive is better than the baseline.", frozenset(range(2, 8))),
            Grid("Sources", _OF_SOURCES, [_source(source) for source in known], "Groups are markets that one outcome can decide: the unit of every interval.", frozenset(range(3, 8))),
        ],
        grids=[],
        made=f"Made {datetime.now(UTC):%Y-%m-%d %H:%M} UTC from datasets of third parties.",
    )  # fmt: skip


def _lead(judgements: list[Judgement]) -> str:
    telling = [one for one in judgements if one.evaluation and one.is_telling]
    beaten = [one for one in telling if one.evaluation and one.evaluation.overall.beats]
    told = ", ".join(f"{one.source} ({one.called})" for one in beaten) or "none"
    return f"Of {len(telling)} judgements with groups enough to tell, {len(beaten)} beat every baseline at the lower end of the interval: {told}."


def _found(one: Judgement) -> tuple[str, ...]:
    if one.evaluation is None:
        return one.source, one.called, "–", "–", f"{one.sealed:,}", _finding(one), "–"
    return one.source, one.called, f"{one.evaluation.overall.groups:,}", f"{one.kappa:.2f}", f"{one.sealed:,}", _finding(one), f"{_folder(one)}/model_report.html"  # fmt: skip


def _figures(one: Judgement) -> tuple[str, ...]:
    if one.evaluation is None:
        return one.source, one.called, *["–"] * 6
    head, weeks = one.evaluation.overall, one.evaluation.weekly.over_best
    return (
        one.source, one.called, f"{head.rows:,}", f"{head.groups:,}", percent(head.brier_skill), f"{mnats(head.gain_over_best)} over {head.best}",
        f"{head.power.logit:.2f}", f"{weeks.positive} of {weeks.weeks}",
    )  # fmt: skip


def _finding(one: Judgement) -> str:
    if one.evaluation is None:
        return one.why
    apart = "; up/down series alone" if one.evaluation.is_updown_only else ""
    if one.too_good:
        apart += f"; {', '.join(one.too_good)} gain more over the price than is credible: doubt the data"
    return f"{one.evaluation.overall.finding if one.is_telling else 'too few groups to tell'}{apart}"


def _source(source: Source) -> tuple[str, ...]:
    sealed = f"{source.sealed_from:%Y-%m-%d}" if source.sealed_from else "nothing: under 8 weeks"
    counts = (source.rows, source.groups, source.events, source.torn, source.joined)
    return source.name, f"{source.first_at:%Y-%m-%d}", f"{source.last_at:%Y-%m-%d}", *(f"{n:,}" for n in counts), sealed  # fmt: skip


def _facts(one: Judgement) -> list[tuple[str, str]]:
    return [
        ("Source", one.source),
        ("Model", one.called),
        ("Kappa of the model of everything", f"{one.kappa:.2f}"),
        ("Sealed rows, not looked at", f"{one.sealed:,}"),
        ("Rows that the other model was not asked about, left out", f"{one.left_out:,}"),
    ]


def _folder(one: Judgement) -> str:
    return pages.file_name(f"{one.source} {one.called}".replace(" ", "-"))
