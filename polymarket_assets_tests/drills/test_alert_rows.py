"""The drill of alerts forces every kind, and a row of its table is kept only where all was as promised."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from drills.alert_conditions import CONDITIONS
from drills.alert_rows import FINE, Row
from drills.forced import Condition
from polymarket_assets import health
from polymarket_assets.watching.kinds import EVENTS, STEPS
from polymarket_assets_tests.conftest import PROJECT

DOCUMENT = (PROJECT / "docs" / "alerts.md").read_text()


def test_every_kind_is_forced() -> None:
    # A source that cannot be asked is forced in test_asking; that nothing arrives is no message (test_telling).
    assert {one.kind for one in CONDITIONS} == {*STEPS, *EVENTS} - {"unknown", "alerts_undelivered"}
    assert len({one.name for one in CONDITIONS}) == len(CONDITIONS)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.kind)
def test_a_condition_is_looked_for_where_it_is_found_and_at_the_level_it_has(condition: Condition) -> None:
    assert condition.source in {source.name for source in health.SOURCES}
    assert condition.is_event is (condition.kind in EVENTS)
    (said,) = re.findall(rf"^\| `{condition.kind}[`:][^|]*\| ([^|]*) \|", DOCUMENT, re.MULTILINE)
    assert condition.level is None or condition.level in said.split("; ")


KEPT = Row("a", "k", 0, 1, 1, "429", "the disk is full", "is full", (FINE, "critical", FINE), (FINE, "critical", FINE))  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"blips": 1}, {"alerts": 0}, {"alerts": 2}, {"recoveries": 0}, {"said": ""}, {"said": "the disk is gone"}, {"health": (FINE, "warning", FINE)},
        {"health": (FINE, FINE, FINE)}, {"health": (FINE, "critical", "critical")}, {"health": ("critical", "critical", FINE)},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_is_not_as_promised_is_not_kept(changed: dict[str, object]) -> None:
    assert KEPT.is_kept
    assert not replace(KEPT, **changed).is_kept  # type: ignore[arg-type]
