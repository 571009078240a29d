"""Leaks that are planted and looked for: the tests of the audit, run for `make ml-acceptance`, and a choice made on the weeks it is judged by."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_numeric_dtype

from polymarket_assets.learning import evaluation, training
from polymarket_assets.learning.audit.guards import GUARDS
from polymarket_assets.learning.evaluation import losses
from polymarket_assets.learning.evaluation.telling import percent
from polymarket_assets.learning.promotion import gates
from polymarket_assets.learning.served import Shrinkage, inside
from polymarket_assets.learning.training import choosing
from polymarket_assets_tests.learning.synthetic import permuted, training_rows

Reals = npt.NDArray[np.float64]

_TESTS = "polymarket_assets_tests/learning/test_leak_audit.py::test_a_planted_leak_is_found"
_AT_MOST_S = 600
# Of the choice on test weeks: few groups and short data, so that luck is large and all of it takes a minute or two.
_GROUPS, _DAYS, _SHAPES = 1_500, 40, 8
# What each of two features moves the price by in the rules that are tried there, logits, and how a gate's word reads.
_MOVED, _GRANTED = 0.03, {True: "granted", False: "refused"}


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


def chosen_on_test_weeks(seed: int) -> Leak:
    """L15: of many rules tried on labels that mean nothing, the one that does best on the weeks it is judged by. It must pass for a
    gain where one look is paid for, be refused where all are, and not be there where everything is chosen on inner folds."""
    rows = permuted(training_rows(_GROUPS, seed=seed, days=_DAYS), seed)
    nested = training.train(rows, trials=_SHAPES).out_of_fold
    asked = rows.filter(pc.greater_equal(rows.column("as_of"), pc.min(nested.column("as_of"))))
    best, looks = _luckiest(asked)
    picked = evaluation.judge_predictions(asked.append_column("probability", pa.array(best))).overall
    honest = evaluation.evaluate(nested).overall.brier_skill
    one, every = (gates.paid(picked.log_loss_gain, paid).is_held for paid in (1, looks))
    told = f"the best of {looks:,} rules on its test weeks {percent(picked.brier_skill)}, {_GRANTED[one]} for one look, {_GRANTED[every]} once all are paid for; chosen on inner folds {percent(honest)}"
    return Leak("L15", told, one and not every and honest.low <= 0 <= honest.high)


def _luckiest(asked: pa.Table) -> tuple[Reals, int]:
    """Rules move the price by whether two features lie above their medians or below: what the best of them says, and how many there are."""
    rows = asked.to_pandas()
    price, label, weight = inside(rows), rows["label"].to_numpy(dtype=float), rows["weight"].to_numpy()
    names = [one.name for one in choosing.EVERY if is_numeric_dtype(rows[one.name])]
    moves = _MOVED * np.where(rows[names] > rows[names].median(), 1.0, -1.0).T
    least, best, looks = np.inf, price, 0
    for n, one in enumerate(moves):
        for first, second in product((1.0, -1.0), repeat=2):
            said = Shrinkage().probabilities(price, first * one + second * moves[n + 1 :])
            lost = losses.log_loss(label, said) @ weight
            looks += len(lost)
            if len(lost) and lost.min() < least:
                least, best = lost.min(), said[lost.argmin()]
    return best, looks


def _ran(report: Path) -> Iterator[tuple[str, bool]]:
    """Each test by what it planted, and whether it passed."""
    for case in ElementTree.parse(report).iter("testcase"):
        named = case.attrib["name"].partition("[")[2].removesuffix("]")
        yield named, not list(case)
