"""The judge of two lakes sees what differs, and that nothing was there to compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drills import alike, one_wire
from polymarket_assets.lake import merging
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store

AT = datetime(2026, 11, 2, 13, 5, tzinfo=UTC)


def fill(lake: Lake, *rows: dict[str, Any]) -> Lake:
    for n, changed in enumerate(rows):
        row = {"session_id": "s", "sequence": n, "received_at": AT, "connection": 0, "reason": "r", "payload": "p", **changed}  # fmt: skip
        lake.publish_rows("rejects", [row], part=f"{n}", at=AT)
    return lake


@pytest.mark.parametrize(
    ("rows", "is_same"),
    [
        ([{}, {}], True),
        ([{}], False),
        ([{}, {}, {}], False),
        ([{}, {"payload": "q"}], False),
        ([{}, {"received_at": AT + timedelta(microseconds=1)}], False),
        ([], False),
    ],
)
def test_lakes_are_alike_when_every_row_is_in_both(tmp_path: Path, rows: list[dict[str, Any]], is_same: bool) -> None:  # fmt: skip
    one, other = fill(Lake(tmp_path / "one"), {}, {}), fill(Lake(tmp_path / "other"), *rows)
    (row,) = alike.compared(alike.held(one), alike.held(other), [])
    assert (row.table, row.is_same) == ("rejects", is_same)


def test_in_how_many_files_rows_lie_is_no_difference(tmp_path: Path) -> None:
    one, other = (fill(Lake(tmp_path / name), {}, {}) for name in ("one", "other"))
    merging.merge(one, "rejects", AT, now=AT + timedelta(hours=2))
    assert alike.held(one) == alike.held(other)


def test_a_column_that_is_left_out_may_differ(tmp_path: Path) -> None:
    one, other = (fill(Lake(tmp_path / name), {"payload": name}) for name in ("one", "other"))
    assert alike.held(one) != alike.held(other)
    without = {"rejects": ("payload",)}
    assert alike.held(one, without) == alike.held(other, without)


def test_two_lakes_without_what_was_to_be_compared_are_not_alike(tmp_path: Path) -> None:
    empty = alike.held(Lake(tmp_path))
    assert [row.is_same for row in alike.compared(empty, empty, ["rejects"])] == [False]
    assert list(alike.compared(empty, empty, [])) == []


@either_store
def test_a_copy_has_every_file_as_it_was(lake: Lake, tmp_path: Path) -> None:
    fill(lake, {}, {})
    merging.merge(lake, "rejects", AT, now=AT + timedelta(hours=2))
    copy = alike.copied(lake, tmp_path / "copy")
    assert copy.store.list("") == lake.store.list("")
    assert alike.held(copy) == alike.held(lake)


def test_hours_that_were_not_closed_end_the_comparison_of_one_wire(tmp_path: Path) -> None:
    """Rows of lakes in which nothing was closed are the same before and after, which shows nothing."""
    with pytest.raises(one_wire.Undone, match="no hour was closed"):
        one_wire.compact(Lake(tmp_path))


def test_parts_that_were_not_taken_away_end_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(tmp_path)
    row = {"tier": "t4", "slot_at": one_wire.AT, "status": "taken", "markets": 1, "books": 1, "omitted": 0, "left_out": 0, "requests": 1, "bytes": 10, "run_id": "r"}  # fmt: skip
    lake.publish_rows("sweeps", [row], part="1", at=one_wire.AT, tier="t4")
    with monkeypatch.context() as patched:
        patched.setattr(merging, "remove_superseded", lambda *_, **__: 0)
        with pytest.raises(one_wire.Undone, match="no part was taken away"):
            one_wire.compact(lake)
