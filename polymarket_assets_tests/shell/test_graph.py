"""The graph is the one agreed: a lost dependency or cadence shows up as a line of diff."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from polymarket_assets.definitions import build_defs
from polymarket_assets.lake import TABLES
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.shell.picture import picture

AGREED = Path(__file__).with_name("graph.txt")


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_the_graph_is_the_one_agreed() -> None:
    """To agree on another: python -m polymarket_assets_tests.shell.test_graph > polymarket_assets_tests/shell/graph.txt"""
    assert picture(build_defs()) == AGREED.read_text()


def test_the_catalogue_shows_what_columns_hold() -> None:
    """Of every asset that fills a table, whatever tier or past it is of."""
    specs = build_defs().resolve_all_asset_specs()
    told = {
        tuple(spec.key.path): [
            (c.name, c.description) for c in spec.metadata["dagster/column_schema"].value.columns
        ]
        for spec in specs
        if "dagster/column_schema" in spec.metadata
    }
    assert (
        told[("history_features",)]
        == told[("features",)]
        == [(c.name, c.doc) for c in TABLES["features"].columns]
    )
    assert told[("snapshots", "t4")] == [(c.name, c.doc) for c in TABLES["snapshots"].columns]
    assert {spec.key.path[0] for spec in specs} - {key[0] for key in told} == {
        "evaluation",
        "kept_hours",
        "model",
        "paper_portfolio",
        "promotion",
    }


@pytest.mark.slow
def test_the_command_line_validates_with_an_empty_environment(tmp_path: Path) -> None:
    """Importing defines, it does nothing: no variable may be needed to look at the graph."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    tool = Path(sys.executable).with_name("dagster")
    ran = subprocess.run(
        [tool, "definitions", "validate", "-w", PROJECT / "workspace.yaml"],
        env=bare,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr.replace("SupersessionWarning", "")


if __name__ == "__main__":
    print(picture(build_defs()), end="")
