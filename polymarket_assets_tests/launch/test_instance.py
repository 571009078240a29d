"""The Dagster instance is made before several processes use it: they would make it over one another."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from launch import instance
from polymarket_assets.settings import NotConfigured
from polymarket_assets_tests.conftest import PROJECT


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "DAGSTER_HOME": str(home), "LAKE_ROOT": str(home / "lake")}


def test_an_instance_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dagster.yaml").symlink_to(PROJECT / "dagster.yaml")
    instance.make(tmp_path, environment(tmp_path))
    made = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.db")}
    assert made == {"event_log.db", "history/runs.db", "schedules/schedules.db"}
    monkeypatch.setattr(subprocess, "run", None)
    instance.make(tmp_path, environment(tmp_path))


def test_a_place_that_can_hold_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("event_log_storage: nonsense\n")
    with pytest.raises(NotConfigured, match=f"DAGSTER_HOME={tmp_path} cannot hold a Dagster instance: "):
        instance.make(tmp_path, environment(tmp_path))
