"""Cold storage: hours move to another disk, and readers find each row once, in the middle of a move and after a kill."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from polymarket_assets import lake as lake_package
from polymarket_assets.lake import compacting, manifests, merging, moving, reading, storage
from polymarket_assets.lake.errors import ColdAway, ColdElsewhere
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.lake.test_compacting import AT, OVER, sweep

AFTER = timedelta(days=30)
LATER = AT + timedelta(days=31)


@pytest.fixture
def cold_root(tmp_path: Path) -> str:
    return str(tmp_path / "other disk" / "cold")


@pytest.fixture
def sealed(lake: Lake) -> Lake:
    """Two sealed hours of four rows each, without superseded parts, and a row of today."""
    for minutes in range(0, 120, 15):
        sweep(lake, AT + timedelta(minutes=minutes))
    compacting.compact(lake, clock=lambda: OVER + timedelta(hours=1))
    compacting.compact(lake, clock=lambda: OVER + timedelta(hours=2))
    sweep(lake, LATER)
    return lake


def move(lake: Lake, root: str, now: datetime = LATER, **more: Any) -> moving.Moved:
    return moving.move(lake, root, clock=lambda: now, after=AFTER, **more)


def test_old_hours_move_and_every_reader_sees_them_as_before(sealed: Lake, cold_root: str) -> None:
    before = reading.rows(sealed, "sweeps")
    done = move(sealed, cold_root)
    assert (done.folders, done.files, done.failed) == (2, 2, [])
    assert reading.rows(sealed, "sweeps").equals(before)
    found = lake_package.files("sweeps", root=sealed.root)
    assert sum(file.startswith(cold_root) for file in found) == 2
    assert pl.read_parquet(found).height == 9
    assert lake_package.connect(sealed.root).sql("select count(*) from sweeps").fetchall() == [(9,)]


def test_the_copies_left_behind_go_after_fifteen_minutes(sealed: Lake, cold_root: str) -> None:
    move(sealed, cold_root)
    held = list(Path(sealed.root).rglob("merged-*"))
    assert len(held) == 2, "a reader may still hold their names"
    assert move(sealed, cold_root, LATER + timedelta(minutes=14)).removed == 0
    assert move(sealed, cold_root, LATER + timedelta(minutes=16)).removed == 2
    assert not any(path.exists() for path in held)
    assert reading.rows(sealed, "sweeps").num_rows == 9
    again = move(sealed, cold_root, LATER + timedelta(hours=1))
    assert (again.folders, again.removed) == (0, 0)


def test_a_kill_anywhere_in_a_move_loses_and_doubles_nothing(
    sealed: Lake, cold_root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dying(*_: object, **__: object) -> None:
        raise Killed

    for where, what in ((storage, "_digest"), (manifests, "write")):
        with monkeypatch.context() as patched:
            patched.setattr(where, what, dying)
            with pytest.raises(Killed):
                move(sealed, cold_root)
        assert reading.rows(sealed, "sweeps").num_rows == 9
    assert move(sealed, cold_root).folders == 2
    assert reading.rows(sealed, "sweeps").num_rows == 9


def test_what_a_move_that_died_left_on_the_other_disk_goes(sealed: Lake, cold_root: str) -> None:
    move(sealed, cold_root)
    draft = Path(cold_root) / f"sweeps/tier=t4/date={AT:%Y-%m-%d}/hour=13/.merged-x.parquet.1.draft"
    draft.write_bytes(b"half")
    os.utime(draft, (0, 0))
    assert move(sealed, cold_root, LATER + timedelta(hours=1)).removed == 3
    assert not draft.exists()


def test_an_hour_that_is_not_what_it_was_when_it_was_sealed_stays_and_is_told(
    sealed: Lake, cold_root: str
) -> None:
    rotten, *_ = sorted(Path(sealed.root).rglob("merged-*"))
    rotten.write_bytes(rotten.read_bytes()[:-1] + b"x")
    done = move(sealed, cold_root)
    assert done.folders == 1
    assert "its checksum was" in done.failed[0]
    assert not list(Path(cold_root).rglob("hour=13/*")), "nothing half-written or wrong is left there"


def test_a_row_that_comes_to_a_moved_hour_counts_and_brings_it_back_until_the_next_move(
    sealed: Lake, cold_root: str
) -> None:
    """The streamer publishes what a journal held for weeks, when it is started again."""
    move(sealed, cold_root)
    sweep(sealed, AT + timedelta(minutes=1))
    assert reading.rows(sealed, "sweeps").num_rows == 10
    merging.merge(sealed, "sweeps", AT, now=LATER + timedelta(hours=1), tier="t4")
    assert reading.rows(sealed, "sweeps").num_rows == 10
    for hours in (2, 3):
        move(sealed, cold_root, LATER + timedelta(hours=hours))
        merging.remove_superseded(sealed, "sweeps", AT, now=LATER + timedelta(hours=hours + 1), tier="t4")
        assert reading.rows(sealed, "sweeps").num_rows == 10
    assert len(list(Path(cold_root).rglob("hour=13/*"))) == 1
    assert [path.name for path in Path(sealed.root).rglob(f"date={AT:%Y-%m-%d}/hour=13/*")] == [
        "_manifest.json"
    ]


def test_a_cold_disk_that_is_not_mounted_is_named(sealed: Lake, cold_root: str) -> None:
    """Hours that are silently missing would look like hours in which nothing happened."""
    move(sealed, cold_root)
    Path(cold_root).rename(Path(cold_root).with_name("elsewhere"))
    with pytest.raises(ColdAway, match=r"lies in cold storage at .*, which is not there: mount it"):
        reading.rows(sealed, "sweeps")
    with pytest.raises(ColdAway, match="mount it; nothing was moved"):
        move(sealed, cold_root)
    assert not Path(cold_root).exists()


@pytest.mark.parametrize(
    ("root", "said"),
    [("s3://bucket/cold", "object stores"), ("{lake}/cold", "one in the other"), ("{lake}/..", "one in the other")],
)  # fmt: skip
def test_a_place_that_cannot_be_cold_storage_is_refused(sealed: Lake, root: str, said: str) -> None:
    with pytest.raises(ColdElsewhere, match=said):
        move(sealed, root.format(lake=sealed.root))


def test_another_place_is_refused_while_hours_lie_in_the_first(
    sealed: Lake, cold_root: str, tmp_path: Path
) -> None:
    move(sealed, cold_root)
    with pytest.raises(ColdElsewhere, match="were moved to"):
        move(sealed, str(tmp_path / "third"))


def test_what_collectors_read_whole_stays_where_they_are(lake: Lake, cold_root: str) -> None:
    """A disk that is not mounted would stop resolving, and with it every label."""
    for name in moving.STAYS:
        lake.publish(name, TABLES[name].schema.empty_table(), part="0", at=AT)
        merging.merge(lake, name, AT, now=OVER)
    sweep(lake, AT)
    merging.merge(lake, "sweeps", AT, now=OVER, tier="t4")
    assert [folder.table.name for folder in moving.due(lake, now=LATER, after=AFTER)] == ["sweeps"]


def test_a_run_that_has_no_more_time_says_what_it_leaves(sealed: Lake, cold_root: str) -> None:
    seconds: Iterator[float] = iter([0.0, 1.0, 99.0])
    done = move(sealed, cold_root, within_s=10, monotonic=lambda: next(seconds))
    assert (done.folders, done.left) == (1, 1)
    assert [f.path[-2:] for f in moving.due(sealed, now=LATER, after=AFTER)] == ["14"]
