"""The forecast of the disk is that of the hours recorded, and the commands say it and keep the lake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polymarket_assets.lake import __main__ as command
from polymarket_assets.lake import compacting, forecast, moving, reading, storage
from polymarket_assets.lake.forecast import Disk, Forecast
from polymarket_assets.lake.storage import Space
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.lake.test_compacting import AT, sweep


def hours(lake: Lake, *numbers: int) -> None:
    for hour in numbers:
        for minutes in range(0, 60, 15):
            sweep(lake, AT + timedelta(hours=hour, minutes=minutes))


def predicted(lake: Lake, at: datetime, days: Mapping[str, int] | None = None) -> Forecast:
    return forecast.forecast(lake, now=at, retention_days=days or {})


def test_growth_is_what_an_hour_of_recording_takes_whether_or_not_the_machine_was_always_on(
    lake: Lake, tmp_path: Path
) -> None:
    other = Lake(tmp_path / "always on")
    hours(lake, 0, 20)
    hours(other, *range(21))
    at = AT + timedelta(hours=21)
    rates = [predicted(each, at).disks[0].bytes_a_day for each in (lake, other)]
    assert rates[0] == pytest.approx(rates[1], rel=0.01)
    size = sum(Path(file).stat().st_size for file in reading.files(lake, "sweeps"))
    assert rates[0] == pytest.approx(size / 2 * 24)


def test_what_was_superseded_and_the_open_hour_do_not_count(lake: Lake) -> None:
    hours(lake, 0, 1)
    at = AT + timedelta(hours=2)
    before = predicted(lake, at).disks[0].bytes_a_day
    compacting.compact(lake, clock=lambda: at + compacting.GRACE)
    hours(lake, 2)
    after = predicted(lake, at + compacting.GRACE)
    sealed = sum(Path(file).stat().st_size for file in reading.files(lake, "sweeps") if "merged-" in file)
    assert after.disks[0].bytes_a_day == pytest.approx(sealed / 2 * 24)
    assert after.disks[0].bytes_a_day < before
    assert after.hours == 2


def test_a_table_that_goes_as_fast_as_it_comes_does_not_fill_the_disk(lake: Lake) -> None:
    """It would be said to fill up for ever, and nobody would believe the warning that matters."""
    hours(lake, 0, 24 * 9)
    at = AT + timedelta(days=9, hours=1)
    assert predicted(lake, at).disks[0].full_in_days is not None
    assert predicted(lake, at, {"sweeps": 90}).disks[0].full_in_days is not None
    settled = predicted(lake, at, {"sweeps": 10})
    assert settled.disks[0].full_in_days is None
    assert settled.tables[0].goes == "by retention"


def test_hours_that_move_away_fill_the_other_disk(lake: Lake, tmp_path: Path) -> None:
    hours(lake, 0, 24 * 10)
    at = AT + timedelta(days=10, hours=1)
    compacting.compact(lake, clock=lambda: at + compacting.GRACE)
    moving.move(lake, str(tmp_path / "cold"), clock=lambda: at, after=timedelta(days=9))
    hot, cold = predicted(lake, at).disks
    assert (hot.full_in_days, cold.name) == (None, "cold storage")
    assert cold.bytes_a_day > 0


@pytest.mark.parametrize(
    ("free", "level"),
    [(140, "fine"), (139, "warning"), (30, "warning"), (29, "error"), (0, "error")],
)
def test_levels_are_by_days(free: int, level: str) -> None:
    assert Disk("d", 1000, free, 10.0).level == level


def test_a_lake_to_which_nothing_comes_does_not_fill(lake: Lake) -> None:
    assert predicted(lake, AT).level == "fine"


def test_the_command_says_when_the_disk_is_full(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC).replace(minute=0)
    sweep(lake, now - timedelta(hours=2))
    assert command.main(["forecast", "--root", lake.root]) == 0
    assert "the lake's disk is full in" in " ".join(capsys.readouterr().out.split())
    monkeypatch.setattr(storage.LocalStore, "space", lambda self: Space(10**12, 10))
    assert command.main(["forecast", "--root", lake.root]) == 1


def test_the_command_keeps_the_lake_and_a_dry_run_does_nothing(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_DAYS_SWEEPS", "5")
    began = datetime.now(UTC).replace(minute=0)
    for far in (timedelta(hours=3), timedelta(days=6)):
        for minutes in range(4):
            sweep(lake, began - far + timedelta(minutes=minutes))
    held = lake.store.list("")
    assert command.main(["keep", "--dry-run", "--root", lake.root]) == 0
    said = capsys.readouterr().out
    assert "compact" in said
    assert "remove" in said
    assert lake.store.list("") == held
    assert command.main(["keep", "--root", lake.root]) == 0
    assert "4 files → 1, 4 rows" in " ".join(capsys.readouterr().out.split())
    assert reading.rows(lake, "sweeps").num_rows == 4


def test_the_command_that_failed_with_an_hour_ends_with_1_and_names_it(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep(lake, datetime.now(UTC) - timedelta(hours=3))
    Path(reading.files(lake, "sweeps")[0]).write_bytes(b"torn")
    assert command.main(["keep", "--root", lake.root]) == 1
    assert "failed" in capsys.readouterr().out
