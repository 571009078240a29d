"""Benchmarks measure what they say, and one that fails is told without stopping the others."""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import benchmarks
from benchmarks import __main__ as command
from benchmarks.measuring import Figure, run
from benchmarks.rows import Failed, Row, Tell

HELPERS = {
    "learning_pieces",
    "__main__",
    "measuring",
    "rows",
    "telling",
    "kept_books",
    "wide_venue",
    "past_venue",
    "feature_lake",
    "console_lake",
    "features_in_pandas",
    "sizing",
}
QUICK = Figure("quick", "pass", "import json", rounds=1)
BROKEN = Figure("broken", "import nothing_of_that_name", "pass", rounds=1)


def test_memory_is_that_of_the_piece_alone() -> None:
    """A child's resource usage would begin with the peak of the process that started it: this one."""
    mine = bytearray(64_000_000)
    small, large = run("pass"), run("held = bytearray(64_000_000)")
    assert len(mine) == 64_000_000
    assert small.peak_mb < 40
    assert 55 < large.peak_mb - small.peak_mb < 75


def test_time_is_that_of_the_piece() -> None:
    assert run("import time; time.sleep(0.2)").wall_s > 0.2


def test_results_are_lines_of_json_and_a_failure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_figures", lambda: iter([BROKEN, QUICK]))
    out = tmp_path / "made" / "results.jsonl"
    assert command.main(["broken", "quick", "--out", str(out)]) == 1
    assert "broken could not be measured" in capfd.readouterr().err
    (line,) = map(json.loads, out.read_text().splitlines())
    assert (line["figure"], line["rounds"]) == ("quick", 1)
    assert line["wall_s"] > 0
    assert command.main(["quick", "--out", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 2


def test_every_module_is_a_figure_or_a_suite_or_helps_one() -> None:
    modules = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)}
    suites = {address.split(".")[1] for address in command.SUITES.values()}
    named = {figure.name for figure in command._figures()}
    assert named | suites | HELPERS <= modules
    assert modules - named - suites - HELPERS <= {"history_import_us"}, "only a figure whose input is absent may be missing"  # fmt: skip


def test_rows_of_a_suite_are_lines_of_json_and_what_could_not_be_measured_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    suite = ModuleType("suite")
    suite.__dict__.update(TITLE="a suite", measured=measured)
    monkeypatch.setitem(sys.modules, "a_suite", suite)
    monkeypatch.setitem(command.SUITES, "odd", "a_suite")
    out = tmp_path / "results.jsonl"
    assert command.main(["odd", "--out", str(out)]) == 1
    (line,) = map(json.loads, out.read_text().splitlines())
    assert (line["figure"], line["value"], line["met"]) == ("odd: one", 1, False)
    shown = capfd.readouterr()
    assert "a suite" in shown.out
    assert "missed" in shown.out
    assert "odd could not be measured: it rained" in shown.err


def measured(*, long: bool, tell: Tell) -> Iterator[Row]:
    tell("measuring")
    yield Row("one", 1, "s", 0.5, more=False)
    raise Failed("it rained")


def test_every_suite_can_be_measured() -> None:
    for address in command.SUITES.values():
        suite = importlib.import_module(address)
        assert suite.TITLE
        assert callable(suite.measured)
