"""The graph is the one agreed: a lost dependency or cadence shows up as a line of diff."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from polymarket_assets.definitions import build_defs
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.shell.picture import picture

AGREED = Path(__file__).with_name("graph.txt")


def test_the_definitions_load() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_the_graph_is_the_one_agreed() -> None:
    """To agree on another: python -m polymarket_assets_tests.shell.test_graph > polymarket_assets_tests/shell/graph.txt"""
    assert picture(build_defs()) == AGREED.read_text()


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
