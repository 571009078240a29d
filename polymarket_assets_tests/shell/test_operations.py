"""The hourly run that looks after the lake reports what it did, warns of the disk, and says what failed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from polymarket_assets import jobs
from polymarket_assets.assets import operations
from polymarket_assets.lake import reading, storage
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.storage import Space
from polymarket_assets.lake.writing import Lake
from polymarket_assets.partitions import utc_now
from polymarket_assets.resources import LakeResource, SettingsResource
from polymarket_assets_tests.lake.test_compacting import sweep

# Within the look-back and over, whatever the clock says.
BEGAN = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)


@pytest.fixture
def recorded(lake: Lake) -> Lake:
    for minutes in range(0, 120, 10):
        sweep(lake, BEGAN + timedelta(minutes=minutes))
    return lake


def kept(lake: Lake, **settings: str) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [operations.kept_hours],
        resources={"lake": LakeResource(root=lake.root), "settings": SettingsResource(replaced=settings)},
    )


def metadata(done: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = done.asset_materializations_for_node("kept_hours")
    return {name: value.value for name, value in event.metadata.items()}


def checks(done: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {found.check_name: found for found in done.get_asset_check_evaluations()}


def test_a_run_says_how_many_files_and_bytes_there_were_before_and_after(recorded: Lake) -> None:
    said = metadata(kept(recorded))
    assert (said["hours_compacted"], said["files_before"], said["files_after"], said["rows"]) == (
        2,
        12,
        2,
        12,
    )
    assert len(reading.files(recorded, "sweeps")) == 2
    assert str(said["forecast"]).startswith("the lake's disk is full in")
    assert checks(kept(recorded))["disk_lasts"].passed


@pytest.mark.parametrize(
    ("days", "passed", "severity"),
    [(20, True, "WARN"), (10, False, "WARN"), (2, False, "ERROR")],
)
def test_a_disk_that_fills_is_a_warning_and_then_an_error(
    recorded: Lake, monkeypatch: pytest.MonkeyPatch, days: int, passed: bool, severity: str
) -> None:
    kept(recorded)
    from polymarket_assets.lake import forecast

    a_day = forecast.forecast(recorded, now=utc_now(), retention_days={}).disks[0].bytes_a_day
    monkeypatch.setattr(storage.LocalStore, "space", lambda self: Space(10**12, int(days * a_day)))
    found = checks(kept(recorded))["disk_lasts"]
    assert (found.passed, found.severity.value) == (passed, severity)


def test_an_hour_that_fails_is_a_warning_and_the_others_are_done(recorded: Lake) -> None:
    Path(reading.files(recorded, "sweeps")[0]).write_bytes(b"PAR1 and no more")
    done = kept(recorded)
    found = checks(done)["nothing_failed"]
    assert not found.passed
    assert f"hour={BEGAN:%H}" in str(found.metadata["failed"].value)
    assert metadata(done)["hours_compacted"] == 1


def test_what_stays_past_its_days_is_told(recorded: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS_RESOLUTIONS", "1")
    table = TABLES["resolutions"]
    recorded.publish("resolutions", table.schema.empty_table(), part="1", at=BEGAN - timedelta(days=3))
    assert "unset RETENTION_DAYS_RESOLUTIONS" in str(metadata(kept(recorded))["stays_past_its_days"])


def test_two_runs_never_meet(recorded: Lake) -> None:
    with recorded.store.alone("keeping") as ours:
        assert ours
        failed = dg.materialize(
            [operations.kept_hours],
            resources={"lake": LakeResource(root=recorded.root), "settings": SettingsResource()},
            raise_on_error=False,
        )
    assert not failed.success
    assert kept(recorded).success


def test_it_runs_in_the_batch_lane_and_alone() -> None:
    assert jobs.KEEPING.tags["lane"] == "batch"
    assert jobs.KEEPING.tags["alone"] == "keeping"
