"""The documents name what there is: a setting, table, asset or command that nobody can find is not there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.settings import Settings
from polymarket_assets_tests.conftest import PROJECT

README = (PROJECT / "README.md").read_text()
COMMANDS = (
    "console",
    "polymarket_assets.doctor",
    "polymarket_assets.history_import",
    "polymarket_assets.lake",
    "polymarket_assets.learning",
    "polymarket_assets.report",
    "streamer",
    "simulator",
)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme_with_its_meaning(name: str) -> None:
    shown = "RETENTION_DAYS_<TABLE>" if name == "retention_days" else name.upper()
    rows = [line for line in README.splitlines() if line.startswith(f"| `{shown}` |")]
    assert len(rows) == 1
    assert rows[0].endswith(f"| {Settings.model_fields[name].description} |")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README


def test_every_asset_is_in_the_readme() -> None:
    for key in build_defs().get_repository_def().asset_graph.get_all_asset_keys():
        shown = re.sub(r"/t[1-3]$", "/t0", key.to_user_string())
        assert f"`{shown}`" in README, key


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_exists(command: str) -> None:
    assert f"python -m {command}" in README
    assert (PROJECT / command.replace(".", "/") / "__main__.py").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str) -> None:
    told = subprocess.run([sys.executable, "-m", command, "--help"], cwd=PROJECT, capture_output=True, text=True, timeout=60)  # fmt: skip
    assert told.returncode == 0
    assert told.stdout.startswith(f"usage: python -m {command}")


def test_every_make_target_is_in_the_readme() -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    for target in targets:
        assert f"make {target}" in README, target


@pytest.mark.parametrize(
    "document", ["README.md", *(f"docs/{path.name}" for path in (PROJECT / "docs").glob("*.md"))]
)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    file = PROJECT / document
    for target in re.findall(r"\]\((?!http)([^)#]+)", file.read_text()):
        assert (file.parent / target).exists(), target
