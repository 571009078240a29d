"""What tests share: where the recorded payloads and datasets lie, and a lake of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Before anything loads OpenMP: its threads wait for one another spinning, which workers side by side pay for.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from polymarket_assets.lake.writing import Lake

if TYPE_CHECKING:
    from polymarket_assets_tests.object_store import ObjectServer

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


# What a test says of a lake holds wherever it lies.
either_store = pytest.mark.parametrize("lake", ["folder", "object store"], indirect=True)


@pytest.fixture
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty lake in a temporary folder; see `either_store`."""
    if getattr(request, "param", "folder") == "folder":
        return Lake(tmp_path / "lake")
    found = request.getfixturevalue("object_lake")
    assert isinstance(found, Lake)
    return found


@pytest.fixture(scope="session")
def _object_server() -> Iterator[ObjectServer]:
    from polymarket_assets_tests.object_store import served

    with served() as server:
        yield server


@pytest.fixture
def object_store(
    _object_server: ObjectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ObjectServer]:
    """The object store that `AWS_ENDPOINT_URL` names, well again afterwards."""
    for name, value in _object_server.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STATE_DIR", str(tmp_path / "state"))
    # Waits before further attempts are the SDK's own and cannot be handed in: tests of attempts ask for them (`trying`).
    monkeypatch.setattr("polymarket_assets.lake.objects.ATTEMPTS", 1)
    _object_server.asked.clear()
    yield _object_server
    _object_server.fault, _object_server.wait_s = None, 0.0
    if not _object_server.is_up:
        _object_server.start()


@pytest.fixture
def object_lake(object_store: ObjectServer, tmp_path: Path) -> Lake:
    """An empty lake in an object store."""
    from polymarket_assets_tests.object_store import BUCKET

    return Lake(f"s3://{BUCKET}/{tmp_path.parent.name}/{tmp_path.name}/lake")
