"""Leaks that are planted and looked for: the tests of the audit, run for `make ml-acceptance`, and a choice made on the weeks it is judged by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np

from polymarket_assets.learning import evaluation, training
from polymarket_assets.learning.audit.guards import GUARDS
from polymarket_assets.learning.evaluation import Interval
from polymarket_assets.learning.training.capacity import Capacity
from polymarket_assets_tests.learning.synthetic import permuted, training_rows

_TESTS = "polymarket_assets_tests/learning/test_leak_audit.py::test_a_planted_leak_is_found"
_AT_MOST_S = 600
# Of the choice on test weeks: few groups and short data, so that luck is large and a dozen walks take a minute or two.
_GROUPS, _DAYS, _SHAPES = 1_500, 40, 8


@dataclass(frozen=True)
class Leak:
    """A leak of ML.md 2.5 by its number, what was planted and which guard saw it."""

    named: str
    told: str
    is_stopped: bool


def stopped() -> list[Leak]:
    """Every planted leak, and whether its guard turned red. A guard without a planted leak is one that is not stopped."""
    with TemporaryDirectory() as folder:
        report = Path(folder) / "planted.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", f"--junitxml={report}", _TESTS]
        subprocess.run(command, capture_output=True, timeout=_AT_MOST_S, check=False)
        ran = dict(_ran(report)) if report.exists() else {}
    return [
        Leak(guard.leaks, f"{guard.name}: {', '.join(found) or 'nothing was planted'}", bool(found) and all(ran[f'{guard.name}: {name}'] for name in found))
        for guard in GUARDS
        if (found := [key.removeprefix(f"{guard.name}: ") for key in ran if key.startswith(f"{guard.name}: ")]) is not None
    ]  # fmt: skip


def chosen_on_test_weeks(seed: int = 1) -> Leak:
    """L15: of shapes tried on labels that mean nothing, the one that does best on the weeks it is judged by, beside a choice made on inner folds."""
    rows = permuted(training_rows(_GROUPS, seed=seed, days=_DAYS), seed)
    dice = np.random.default_rng(seed)
    shapes = [Capacity(depth=int(dice.integers(1, 5)), child=float(dice.uniform(10, 200)), eta=float(dice.uniform(0.01, 0.08))) for _ in range(_SHAPES)]  # fmt: skip
    picked = max(
        (_skill(training.train(rows, capacity=shape)) for shape in shapes), key=lambda skill: skill.value
    )
    nested = _skill(training.train(rows, trials=_SHAPES))
    told = f"the best of {_SHAPES} shapes on its test weeks {picked.value:+.2%}; chosen on inner folds {nested.value:+.2%} ({nested.low:+.2%} … {nested.high:+.2%})"
    return Leak("L15", told, nested.low <= 0 <= nested.high)


def _skill(trained: training.Trained) -> Interval:
    return evaluation.evaluate(trained.out_of_fold).overall.brier_skill


def _ran(report: Path) -> Iterator[tuple[str, bool]]:
    """Each test by what it planted, and whether it passed."""
    for case in ElementTree.parse(report).iter("testcase"):
        named = case.attrib["name"].partition("[")[2].removesuffix("]")
        yield named, not list(case)
