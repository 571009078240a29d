"""What recording so much takes: computed from figures, and as the document says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import sizing
from benchmarks.sizing import CASES, FIGURES, MOST_CORE, MOST_SOCKETS, Case, known, size
from polymarket_assets_tests.conftest import PROJECT

DOCUMENTED = {name: figure.documented for name, figure in FIGURES.items()}


def test_the_document_shows_what_the_command_computes() -> None:
    """After a change: `python -m benchmarks.sizing --results /dev/null --markdown`."""
    table = sizing.markdown([size(case, DOCUMENTED) for case in CASES])
    assert table in (PROJECT / "docs" / "scaling.md").read_text()


@pytest.mark.parametrize("case", CASES)
def test_shards_are_as_many_as_sockets_and_cores_ask_for(case: Case) -> None:
    sized = size(case, DOCUMENTED)
    assert sized.sockets / sized.shards <= MOST_SOCKETS
    assert sized.messages_s / DOCUMENTED["messages_a_core_s"] / sized.shards <= MOST_CORE
    slow = size(case, {**DOCUMENTED, "messages_a_core_s": 1_000.0})
    assert slow.shards > sized.shards


def test_the_whole_venue_says_what_was_reported_of_it() -> None:
    sized = size(CASES[-1], DOCUMENTED)
    assert sized.messages_s == pytest.approx(sizing.VENUE_MESSAGES_S)
    assert sized.wire_gb == pytest.approx(sizing.VENUE_MBIT_S * 1e6 / 8 * 86_400 / 1e9)


def test_the_newest_of_what_was_measured_counts(tmp_path: Path) -> None:
    name = FIGURES["book_bytes"].figure
    rows = [{"figure": name, "value": 90.0}, {"figure": "another", "value": 1.0}, {"figure": name, "value": 80.0}, {"figure": name, "value": None}]  # fmt: skip
    results = tmp_path / "results.jsonl"
    results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    figures, measured = known(results)
    assert (figures["book_bytes"], measured) == (80.0, ["book_bytes"])
    assert known(tmp_path / "none.jsonl") == (DOCUMENTED, [])


@pytest.mark.parametrize("name", [figure.figure.split(": ", 1)[0] for figure in FIGURES.values()])
def test_figures_are_of_suites_that_exist(name: str) -> None:
    from benchmarks.__main__ import SUITES

    assert name in SUITES
