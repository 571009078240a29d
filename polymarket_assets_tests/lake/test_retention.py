"""Retention: what is past its days goes whole and in two steps; what something needs stays, and that is told."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake import compacting, moving, reading, retention
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.lake.test_compacting import AT, OVER, sweep

DAYS = {"sweeps": 10}
LATER = AT + timedelta(days=10, hours=1)


def retire(lake: Lake, days: dict[str, int] = DAYS, now: datetime = LATER) -> retention.Retired:
    return retention.retire(lake, days, now=now)


def empty(lake: Lake, table: str, at: datetime, tier: str | None = None) -> None:
    lake.publish(table, TABLES[table].schema.empty_table(), part="hour", at=at, tier=tier)


@either_store
def test_whole_hours_past_their_days_go_and_younger_ones_stay(lake: Lake) -> None:
    for hours in range(3):
        sweep(lake, AT + timedelta(hours=hours))
    assert retire(lake).folders == 1
    assert reading.rows(lake, "sweeps").column("slot_at").to_pylist() == [
        AT + timedelta(hours=1),
        AT + timedelta(hours=2),
    ]


def test_a_reader_that_holds_the_names_can_read_for_fifteen_minutes(lake: Lake) -> None:
    sweep(lake, AT)
    held = reading.files(lake, "sweeps")
    retire(lake)
    assert reading.files(lake, "sweeps") == []
    assert retire(lake, now=LATER + timedelta(minutes=14)).removed == 0
    assert all(map(os.path.exists, held))
    done = retire(lake, now=LATER + timedelta(minutes=16))
    assert (done.folders, done.removed) == (0, 1)
    assert list(Path(lake.root).rglob("date=*")) == []


def test_a_table_without_a_setting_is_kept_for_ever(lake: Lake) -> None:
    sweep(lake, AT)
    assert retire(lake, {}, LATER + timedelta(days=10_000)).folders == 0
    assert reading.rows(lake, "sweeps").num_rows == 1


def test_the_open_hour_never_goes(lake: Lake) -> None:
    sweep(lake, LATER)
    assert retire(lake, {"sweeps": 2}).folders == 0


def test_a_table_that_is_remembered_by_is_refused(lake: Lake) -> None:
    empty(lake, "resolutions", AT)
    done = retire(lake, {"resolutions": 5, "training_set": 5})
    assert done.folders == 0
    assert done.kept == [
        "resolutions: it is never removed, its versions are numbered from what is there, and labels have no other home: "
        "unset RETENTION_DAYS_RESOLUTIONS (1 hours or days are past their time)",
        "training_set: it is never removed, it is one set and not filed by time: "
        "unset RETENTION_DAYS_TRAINING_SET (0 hours or days are past their time)",
    ]


@pytest.mark.parametrize("table", ["predictions", "trials"])
def test_what_a_claim_rests_on_outlives_every_setting(lake: Lake, table: str) -> None:
    """Stored forecasts are the only test set nobody can have looked at, and a trial that is forgotten is not paid for."""
    empty(lake, table, AT)
    assert retire(lake, {table: 1}, LATER + timedelta(days=10_000)).folders == 0
    assert f"RETENTION_DAYS_{table.upper()}" in str(retention.never(table, 10_000))


def test_fewer_days_than_are_looked_back_at_are_refused(lake: Lake) -> None:
    """`trades` built again from an hour that is gone would lose what was heard in it."""
    empty(lake, "trades_raw", AT)
    empty(lake, "trades", AT)
    assert "less than the 9 that are looked back at" in retire(lake, {"trades_raw": 3}).kept[0]
    assert retire(lake, {"trades_raw": 9}).folders == 1


def test_an_hour_stays_until_what_is_built_from_it_was_built(lake: Lake) -> None:
    empty(lake, "trades_raw", AT)
    done = retire(lake, {"trades_raw": 9})
    assert (done.folders, len(done.kept)) == (0, 1)
    assert "trades was not built from them: materialize trades of these hours" in done.kept[0]
    assert "date=2026-11-02/hour=13" in done.kept[0]
    empty(lake, "trades", AT)
    assert retire(lake, {"trades_raw": 9}).folders == 1


def test_what_was_built_and_is_past_its_own_days_holds_nothing_back(lake: Lake) -> None:
    empty(lake, "snapshots", AT, "t4")
    empty(lake, "features", AT)
    assert retire(lake, {"snapshots": 9}).folders == 0, "whale_events is missing"
    assert retire(lake, {"snapshots": 9, "whale_events": 9}).folders == 1


def test_rows_built_by_day_go_with_their_day(lake: Lake) -> None:
    empty(lake, "features", AT)
    lake.publish("features", TABLES["features"].schema.empty_table(), part="history", at=date(2026, 11, 2))
    days = {"features": 5}
    assert retire(lake, days).folders == 2
    retire(lake, days, LATER + timedelta(hours=1))
    retire(lake, days, LATER + timedelta(hours=2))
    assert list(Path(lake.root).rglob("date=*")) == []


def test_a_dry_run_removes_nothing_and_says_what_would_go(lake: Lake) -> None:
    sweep(lake, AT)
    found = retention.plan(lake, DAYS, now=LATER)
    assert [folder.path for folder in found.doomed] == ["sweeps/tier=t4/date=2026-11-02/hour=13"]
    assert found.doomed[0].bytes > 0
    assert reading.rows(lake, "sweeps").num_rows == 1


def test_hours_in_cold_storage_go_too(lake: Lake, tmp_path: Path) -> None:
    for minutes in range(3):
        sweep(lake, AT + timedelta(minutes=minutes))
    compacting.compact(lake, clock=lambda: OVER)
    compacting.compact(lake, clock=lambda: OVER + timedelta(hours=1))
    cold = tmp_path / "cold"
    for at in (OVER + timedelta(days=9), OVER + timedelta(days=9, hours=1)):
        moving.move(lake, str(cold), clock=lambda at=at: at, after=timedelta(days=9))  # type: ignore[misc]
    assert len(list(cold.rglob("merged-*"))) == 1
    retire(lake)
    assert reading.rows(lake, "sweeps").num_rows == 0
    cold.rename(tmp_path / "not mounted")
    (told,) = retire(lake, now=LATER + timedelta(minutes=16)).failed
    assert "which is not there: mount it" in told
    (tmp_path / "not mounted").rename(cold)
    retire(lake, now=LATER + timedelta(minutes=16))
    for root in (Path(lake.root), cold):
        assert list(root.rglob("date=*")) == []


def test_a_part_that_comes_to_a_retired_hour_is_not_lost_at_once_and_goes_with_the_next_run(
    lake: Lake,
) -> None:
    sweep(lake, AT)
    retire(lake)
    sweep(lake, AT + timedelta(minutes=1))
    assert reading.rows(lake, "sweeps").num_rows == 1
    assert retire(lake, now=LATER + timedelta(minutes=1)).folders == 1
    assert reading.rows(lake, "sweeps").num_rows == 0


def test_a_file_of_somebody_else_is_never_touched(lake: Lake) -> None:
    sweep(lake, AT)
    note = Path(lake.root) / "sweeps/tier=t4/date=2026-11-02/hour=13/notes.txt"
    note.write_text("mine")
    for hours in range(3):
        retire(lake, now=LATER + timedelta(hours=hours))
    assert note.read_text() == "mine"


@pytest.mark.parametrize("name", {**retention.AT_LEAST_DAYS, **retention.REMEMBERED, **retention.BUILT_FROM})
def test_every_rule_is_about_a_table(name: str) -> None:
    assert name in TABLES
    assert all(derived in TABLES for derived in retention.BUILT_FROM.get(name, ()))
