"""Benchmarks measure what they say, and one that fails is told without stopping the others."""

from __future__ import annotations

import json
import pkgutil
from pathlib import Path

import pytest

import benchmarks
from benchmarks import __main__ as command
from benchmarks.measuring import Figure, run

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


def test_every_module_is_a_figure_named_after_it() -> None:
    modules = {module.name for module in pkgutil.iter_modules(benchmarks.__path__)} - {
        "__main__",
        "measuring",
        "kept_books",
        "wide_venue",
    }
    named = {figure.name for figure in command._figures()}
    assert named <= modules
    assert modules - named <= {"history_import_us", command.STREAM}, (
        "only a figure whose input is absent may be missing"
    )
