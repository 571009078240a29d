"""What tests share: where the recorded payloads and datasets lie, and a lake of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from polymarket_assets.lake.writing import Lake

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: {variable} names the folder")
    return folder


@pytest.fixture(scope="session")
def recorded_dir() -> Path:
    """Recorded payloads of the venue."""
    return _folder("RECORDED_DIR", SHARED / "polymarket" / "recorded")


@pytest.fixture(scope="session")
def datasets_dir() -> Path:
    """Third-party datasets of resolved markets."""
    return _folder("DATASETS_DIR", SHARED / "datasets")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """An empty lake in a temporary folder."""
    return Lake(tmp_path / "lake")
