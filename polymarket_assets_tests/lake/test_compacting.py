"""Compaction: hours that are over become one file each, nothing is lost on the way, and a failure is told and comes again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polymarket_assets.lake import compacting, manifests, merging, reading, verifying
from polymarket_assets.lake.errors import RowsDiffer
from polymarket_assets.lake.schemas import TABLES, Table
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store

AT = datetime(2026, 11, 2, 13, tzinfo=UTC)
# Every day that is looked back at is listed.
A_DAY = timedelta(days=1)
OVER = AT + timedelta(hours=1) + compacting.GRACE


def sweep(lake: Lake, at: datetime, tier: str = "t4") -> None:
    row = {
        "tier": tier, "slot_at": at, "status": "taken", "markets": 1, "books": 1, "omitted": 0, "left_out": 0,
        "requests": 1, "bytes": 10, "run_id": "r",
    }  # fmt: skip
    lake.publish_rows("sweeps", [row], part=f"{at:%H%M%S}", at=at, tier=tier)


def books(lake: Lake, at: datetime, markets: int, dice: random.Random) -> None:
    rows: list[dict[str, Any]] = [
        {
            "market_id": f"pm:0x{n}", "slot_at": at, "received_at": at, "token_id": str(n), "hash": "h",
            "bids": [{"price_e6": p * 10_000, "size_e6": dice.randrange(10**9)} for p in range(dice.randrange(6))],
            "asks": [],
        }
        for n in range(markets)
    ]  # fmt: skip
    lake.publish_rows("orderbooks", rows, part=f"{at:%H%M%S}", at=at, tier="t4")


def test_hours_that_are_over_become_one_file_each_and_the_open_one_stays(lake: Lake) -> None:
    for seconds in range(0, 7200, 600):
        sweep(lake, AT + timedelta(seconds=seconds))
        sweep(lake, AT + timedelta(seconds=seconds), "t3")
    before = reading.rows(lake, "sweeps").sort_by([("tier", "ascending"), ("slot_at", "ascending")])
    done = compacting.compact(lake, clock=lambda: OVER)
    assert (done.folders, done.files_before, done.files_after, done.rows) == (2, 12, 2, 12)
    assert done.bytes_before > done.bytes_after > 0
    assert len(reading.files(lake, "sweeps")) == 2 + 12
    assert (
        reading.rows(lake, "sweeps")
        .sort_by([("tier", "ascending"), ("slot_at", "ascending")])
        .equals(before.combine_chunks())
    )


@either_store
def test_doing_it_again_changes_nothing_and_removes_what_was_superseded_after_fifteen_minutes(
    lake: Lake,
) -> None:
    for seconds in range(0, 3600, 600):
        sweep(lake, AT + timedelta(seconds=seconds))
    compacting.compact(lake, look_back=A_DAY, clock=lambda: OVER)
    held = {path: lake.store.read_bytes(path) for path in lake.store.list("sweeps")}
    soon = compacting.compact(lake, look_back=A_DAY, clock=lambda: OVER + timedelta(minutes=14))
    assert (soon.folders, soon.removed) == (0, 0)
    assert {path: lake.store.read_bytes(path) for path in lake.store.list("sweeps")} == held
    assert compacting.compact(lake, look_back=A_DAY, clock=lambda: OVER + timedelta(minutes=16)).removed == 6
    assert len(lake.store.list("sweeps")) == 2
    assert reading.rows(lake, "sweeps").num_rows == 6


def test_readers_have_their_fifteen_minutes_from_when_an_hour_was_merged_not_from_when_the_run_began(
    lake: Lake,
) -> None:
    """A run takes up to forty minutes; the next one would remove parts whose names somebody got a minute ago."""
    sweep(lake, AT)
    sweep(lake, AT + timedelta(minutes=1))
    passing = iter(OVER + timedelta(minutes=10 * n) for n in range(9))
    compacting.compact(lake, clock=lambda: next(passing))
    folder = "sweeps/tier=t4/date=2026-11-02/hour=13"
    manifest = manifests.read(lake.store, folder)
    ended = next(passing) - timedelta(minutes=10)
    assert manifest is not None
    assert manifest.sealed_at == ended
    assert compacting.compact(lake, clock=lambda: ended + timedelta(minutes=14)).removed == 0
    assert compacting.compact(lake, clock=lambda: ended + timedelta(minutes=15)).removed == 2


def test_a_part_that_came_late_is_taken_in_by_the_next_run(lake: Lake) -> None:
    sweep(lake, AT)
    compacting.compact(lake, clock=lambda: OVER)
    sweep(lake, AT + timedelta(minutes=1))
    assert [f.path for f in compacting.due(lake, now=OVER)] == ["sweeps/tier=t4/date=2026-11-02/hour=13"]
    assert compacting.compact(lake, clock=lambda: OVER + timedelta(hours=1)).folders == 1
    assert compacting.due(lake, now=OVER + timedelta(hours=2)) == []
    assert reading.rows(lake, "sweeps").num_rows == 2


def test_the_rows_of_a_merged_file_are_compared_with_those_of_its_parts(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer or a disk that changes a number must not replace what it was to keep."""
    dice = random.Random(1)
    for slot in range(4):
        books(lake, AT + timedelta(seconds=15 * slot), 30, dice)
    before = reading.rows(lake, "orderbooks").to_pylist()

    def wrong(pieces: Any, table: Table) -> Any:
        for piece in pieces:
            changed = piece.column("bids").to_pylist()
            changed[-1] = [*changed[-1], {"price_e6": 1, "size_e6": 1}]
            bids = table.schema.field("bids")
            yield piece.set_column(piece.schema.get_field_index("bids"), bids, [pa.array(changed, bids.type)])

    with monkeypatch.context() as patched:
        sound = merging._groups
        patched.setattr(merging, "_groups", lambda table, pieces: wrong(sound(table, pieces), table))
        done = compacting.compact(lake, clock=lambda: OVER)
    assert done.folders == 0
    assert "its parts hold 120 rows" in done.failed[0]
    assert reading.rows(lake, "orderbooks").to_pylist() == before
    assert compacting.compact(lake, clock=lambda: OVER).failed == []
    assert sorted(map(str, reading.rows(lake, "orderbooks").to_pylist())) == sorted(map(str, before))


def test_a_digest_tells_one_row_from_two_of_it(lake: Lake) -> None:
    sweep(lake, AT)
    files = reading.files(lake, "sweeps")
    verifying.require_same(TABLES["sweeps"], files, files)
    with pytest.raises(RowsDiffer, match="its parts hold 1 rows"):
        verifying.require_same(TABLES["sweeps"], files, files * 2)
    with pytest.raises(RowsDiffer):
        verifying.require_same(TABLES["sweeps"], files, [])


def test_a_damaged_part_is_told_and_keeps_no_other_hour_back(lake: Lake) -> None:
    for hours in range(3):
        for minutes in range(3):
            sweep(lake, AT + timedelta(hours=hours, minutes=minutes))
    broken = Path(reading.files(lake, "sweeps")[0])
    content = broken.read_bytes()
    broken.write_bytes(content[:4] + bytes(len(content) - 200) + content[-196:])
    done = compacting.compact(lake, clock=lambda: OVER + timedelta(hours=2))
    assert (done.folders, len(done.failed)) == (2, 1)
    assert "hour=13" in done.failed[0]
    broken.write_bytes(content)
    assert compacting.compact(lake, clock=lambda: OVER + timedelta(hours=2)).folders == 1
    assert reading.rows(lake, "sweeps").num_rows == 9


def test_a_run_that_has_no_more_time_says_what_it_leaves_and_begins_with_the_oldest(lake: Lake) -> None:
    for hours in range(3):
        sweep(lake, AT + timedelta(hours=hours))
    seconds = iter([0.0, 1.0, 99.0, 99.0])
    heard: list[str] = []
    done = compacting.compact(
        lake, clock=lambda: OVER + timedelta(hours=2), within_s=10, monotonic=lambda: next(seconds),
        on_folder=lambda folder: heard.append(folder.path[-2:]),
    )  # fmt: skip
    assert (done.folders, done.left, heard) == (1, 2, ["13"])


def test_a_table_whose_part_is_replaced_by_a_later_build_is_left_alone(lake: Lake) -> None:
    """A manifest knows parts by name: a build that replaces one would count for nothing."""
    assert not {"trades", "trade_hours", "features", "whale_events", "training_set"} & set(
        compacting.WRITTEN_IN_PARTS
    )
    lake.publish("features", TABLES["features"].schema.empty_table(), part="recorded", at=AT)
    assert compacting.compact(lake, clock=lambda: OVER).folders == 0


@either_store
def test_a_kill_between_the_file_and_its_name_is_made_good_by_the_next_run(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(lake, AT)
    sweep(lake, AT + timedelta(minutes=1))

    class Killed(BaseException):
        pass

    def dying(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(manifests, "write", dying)
        with pytest.raises(Killed):
            compacting.compact(lake, look_back=A_DAY, clock=lambda: OVER)
    assert reading.rows(lake, "sweeps").num_rows == 2
    assert compacting.compact(lake, look_back=A_DAY, clock=lambda: OVER).folders == 1
    compacting.compact(lake, look_back=A_DAY, clock=lambda: OVER + timedelta(hours=1))
    assert reading.rows(lake, "sweeps").num_rows == 2
    assert len(lake.store.list("sweeps")) == 2


def test_a_manifest_that_comes_while_a_folder_is_listed_is_heeded(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing made before it shows parts that are gone for good a moment later."""
    for minutes in range(2):
        sweep(lake, AT + timedelta(minutes=minutes))
    listed = lake.store.list("sweeps")
    compacting.compact(lake, clock=lambda: OVER)
    compacting.compact(lake, clock=lambda: OVER + timedelta(hours=1))

    def former(prefix: str) -> Sequence[str]:
        return [path for path in listed if path.startswith(prefix)]

    monkeypatch.setattr(lake.store, "list", former)
    assert reading.rows(lake, "sweeps").num_rows == 2
