"""What Dagster records is shown with links into it; where its storage is absent, locked or damaged the rest is shown all the same."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import dagster as dg
import pytest

from polymarket_assets.definitions import build_defs
from polymarket_assets.lake.writing import Lake
from polymarket_assets.watching import asking, opening
from polymarket_assets_tests.console.served import served, settings_of
from polymarket_assets_tests.report.rows import MINUTE, NOON, file, gap

BASE = "/api/monitoring"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of an instance with a run that failed."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text("telemetry: { enabled: false }\n")
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        run = instance.create_run_for_job(build_defs().resolve_job_def("discovery"), status=dg.DagsterRunStatus.STARTED)  # fmt: skip
        instance.report_run_failed(run)
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "lake")
    file(made, "stream_gaps", [gap(1, NOON, NOON + MINUTE)], "to_at")
    return made


def test_a_failed_run_is_an_error_and_a_finding_that_lead_to_it(home: Path, lake: Lake) -> None:
    with served(settings_of(lake, dagster_home=home, dagster_url="https://dagster.example/")) as console:
        (failed,) = [one for one in console.json(f"{BASE}/errors")["errors"] if one["kind"] == "run"]
        assert failed["text"] == "discovery failed"
        assert failed["link"].startswith("https://dagster.example/runs/")
        assert "run" not in console.json(f"{BASE}/errors")["unknown"]


def test_an_instance_that_is_not_there_is_said_where_it_would_be_asked(lake: Lake, tmp_path: Path) -> None:
    with served(settings_of(lake, dagster_home=tmp_path / "nowhere")) as console:
        assert "no Dagster instance is named" in console.json(f"{BASE}/errors")["unknown"]["run"]
        assert console.json(f"{BASE}/rejects")["found"] == []
        assert not (tmp_path / "nowhere").exists()


def test_a_storage_that_is_locked_holds_nobody_up_and_is_asked_again(home: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(asking, "LOOK_WITHIN_S", 0.3)
    monkeypatch.setattr(opening, "OPEN_WITHIN_S", 0.2)
    monkeypatch.setattr("console.monitoring.errors.EVERY_S", 0.2)
    (database,) = home.rglob("runs.db")
    held = sqlite3.connect(database, isolation_level=None)
    held.execute("pragma locking_mode = exclusive")
    held.execute("begin exclusive")
    try:
        with served(settings_of(lake, dagster_home=home)) as console:
            assert "did not name its failed runs" in console.json(f"{BASE}/errors")["unknown"]["run"]
            for path in ("rejects", "gaps", "health", "state"):
                began = time.monotonic()
                console.json(f"{BASE}/{path}")
                assert time.monotonic() - began < 2
            held.execute("rollback")
            held.close()
            until = time.monotonic() + 30
            while "run" in console.json(f"{BASE}/errors")["unknown"]:
                assert time.monotonic() < until
                time.sleep(0.1)
    finally:
        held.close()


def test_an_instance_that_could_not_be_opened_is_opened_once_it_can(home: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("console.monitoring.errors.EVERY_S", 0.2)
    (home / "dagster.yaml").write_text("nonsense: 1\n")
    with served(settings_of(lake, dagster_home=home)) as console:
        assert "cannot be opened" in console.json(f"{BASE}/errors")["unknown"]["run"]
        (home / "dagster.yaml").write_text("telemetry: { enabled: false }\n")
        until = time.monotonic() + 30
        while "run" in console.json(f"{BASE}/errors")["unknown"]:
            assert time.monotonic() < until
            time.sleep(0.1)
        assert [one["text"] for one in console.json(f"{BASE}/errors")["errors"] if one["kind"] == "run"] == ["discovery failed"]  # fmt: skip
