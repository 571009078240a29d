"""The layers hold: the domain does not know that it is orchestrated, and the recorder starts light."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from polymarket_assets_tests.conftest import PROJECT

DOMAIN = [
    "polymarket_assets/venue",
    "polymarket_assets/lake",
    "polymarket_assets/collecting",
    "polymarket_assets/learning",
    "polymarket_assets/history_import",
    "polymarket_assets/doctor",
    "polymarket_assets/report",
    "polymarket_assets/alerting",
    "streamer",
    "simulator",
    "launch",
]

# Package -> what it may not import.
FORBIDDEN = {
    **{package: {"dagster"} for package in DOMAIN},
    "simulator": {"dagster", "polymarket_assets", "streamer", "launch"},
    "polymarket_assets/venue": {
        "dagster",
        "duckdb",
        "pyarrow",
        "streamer",
        "polymarket_assets.lake",
        "polymarket_assets.collecting",
    },
    "polymarket_assets/lake": {
        "dagster",
        "requests",
        "streamer",
        "polymarket_assets.collecting",
        "polymarket_assets.learning",
    },
    "streamer": {"dagster", "mlflow", "xgboost", "pandas"},
}

# File -> what it may import all the same: the catalogue of features is data, and columns of the lake follow from it.
ALLOWED = {
    "polymarket_assets/lake/schemas/learning.py": {
        "polymarket_assets.learning.features",
        "polymarket_assets.learning.features.catalogue",
        "polymarket_assets.learning.features.declaring",
        "polymarket_assets.learning.features.declaring.Kind",
    },
}


def imported(file: Path) -> set[str]:
    """Every module a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_only_what_its_layer_may(package: str) -> None:
    files = list((PROJECT / package).rglob("*.py"))
    assert files, f"there is no {package}"
    for file in files:
        for name in imported(file) - ALLOWED.get(str(file.relative_to(PROJECT)), set()):
            found = [bad for bad in FORBIDDEN[package] if name == bad or name.startswith(bad + ".")]
            assert not found, f"{file.relative_to(PROJECT)} imports {name}"
