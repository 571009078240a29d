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
    "console",
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


# Files that open a DuckDB of their own: over tables in memory, and no file of a lake.
IN_MEMORY = {"polymarket_assets/lake/text_form.py"}
# The modules that know how a file of a lake is opened, wherever it lies.
OPENING = "polymarket_assets/lake/opening.py"
_BARE = {"connect", "execute", "sql", "query", "read_parquet", "from_parquet", "default_connection"}


def bare_duckdb(source: str) -> list[int]:
    """The lines that ask DuckDB itself rather than a connection."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr in _BARE) == ("duckdb", True)
    ]


def test_files_of_a_lake_are_opened_through_the_lake() -> None:
    """DuckDB alone reads folders, and fails where the lake is in an object store: long after every test on a disk was green."""
    files = [file for package in ("polymarket_assets", "streamer", "launch") for file in (PROJECT / package).rglob("*.py")]  # fmt: skip
    found = {f"{file.relative_to(PROJECT)}" for file in files if bare_duckdb(file.read_text())}
    assert found == {OPENING, *IN_MEMORY}


@pytest.mark.parametrize(("source", "lines"), [("duckdb.execute('x')", [1]), ("\nwith duckdb.connect(): pass", [2]), ("connection.execute('x'); duckdb.Error", [])])  # fmt: skip
def test_a_bare_duckdb_is_seen(source: str, lines: list[int]) -> None:
    assert bare_duckdb(source) == lines
