"""Every kind that people are told of is explained, and has a next step."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from polymarket_assets import health
from polymarket_assets.watching import metrics
from polymarket_assets.watching.asking import Looked
from polymarket_assets.watching.findings import Figure, Finding, Severity
from polymarket_assets.watching.kinds import EVENTS, STEPS
from polymarket_assets_tests.alerting.looks import at
from polymarket_assets_tests.conftest import PROJECT

DOCUMENT = (PROJECT / "docs" / "alerts.md").read_text()


def _found() -> set[str]:
    """The kinds that sources name."""
    said = "".join(path.read_text() for folder in ("watching", "alerting") for path in (PROJECT / "polymarket_assets" / folder).glob("*.py"))  # fmt: skip
    named = re.findall(r'(?:Finding|Event)\(\s*f?"([a-z_]+)', said) + re.findall(r'key = f"([a-z_]+):', said)
    return {*named, "model_drifted", "model_live_gap"}


def test_every_kind_has_a_step_or_is_an_event() -> None:
    assert _found() == {*STEPS, *EVENTS}


@pytest.mark.parametrize("kind", [*STEPS, *EVENTS])
def test_every_kind_is_explained(kind: str) -> None:
    assert len(re.findall(rf"^\| `{kind}[`:]", DOCUMENT, re.MULTILINE)) == 1


@pytest.mark.parametrize("source", health.SOURCES, ids=lambda source: source.name)
def test_every_source_is_explained_with_its_pace(source: health.Source) -> None:
    assert re.search(rf"^\| {source.name} \| {source.every_s:,.0f} s \| {source.confirm} \|", DOCUMENT, re.MULTILINE)  # fmt: skip


def test_figures_of_sources_that_are_not_due_are_those_of_their_last_look(tmp_path: Path) -> None:
    """No number, a file that is broken, and a source that is no more cost that figure and nothing else."""
    figure = Figure("a", "A.", 1)

    def kept(*looks: Looked, known: Iterable[str] = ("one", "two")) -> dict[str, list[Figure]]:
        return metrics.remembered(tmp_path, looks, set(known))

    assert kept(Looked("one", figures=(figure, Figure("b", "B.", float("nan"))))) == {"one": [figure]}
    assert kept(Looked("two", figures=(figure,))) == {"one": [figure], "two": [figure]}
    assert kept(known=["two"]) == {"two": [figure]}
    (tmp_path / metrics.KEPT).write_text("{")
    assert kept() == {}


def test_figures_are_as_prometheus_reads_them() -> None:
    from prometheus_client.parser import text_string_to_metric_families

    figures = [Figure("slots", "Slots.", 3, {"tier": "t4", "status": "taken"}), Figure("runs_waiting", "Runs.", 2)]  # fmt: skip
    page = metrics.text(figures, [Finding("a", Severity.CRITICAL, at(0), "")], at(0))
    samples = {(s.name, *s.labels.values()): s.value for family in text_string_to_metric_families(page) for s in family.samples}  # fmt: skip
    assert samples[("polymarket_slots", "taken", "t4")] == 3
    assert samples[("polymarket_runs_waiting",)] == 2
    assert samples[("polymarket_findings", "critical")] == 1
    assert samples[("polymarket_findings", "warning")] == 0
