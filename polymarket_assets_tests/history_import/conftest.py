"""A folder for datasets, and an import into the test's lake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from polymarket_assets.history_import import importing
from polymarket_assets.history_import.importing import ImportReport
from polymarket_assets.lake.writing import Lake

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Import = Callable[..., ImportReport]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for a dataset's files."""
    made = tmp_path / "datasets"
    made.mkdir()
    return made


@pytest.fixture
def import_(lake: Lake) -> Import:
    """Import paths into the test's lake, at `NOW` unless said otherwise."""

    def run(*paths: Path, now: datetime = NOW, only: tuple[str, ...] = ()) -> ImportReport:
        return importing.run(lake, paths, only=only, clock=lambda: now)

    return run
