"""Sealed files: sorted for those who look for one market, the same bytes for the same rows, and no bound but the disk's."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polymarket_assets.lake import form, manifests, merging, reading, sorting
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.layout import folder
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets_tests.conftest import either_store

AT = datetime(2026, 11, 2, 13, tzinfo=UTC)
SEALED_AT = AT + timedelta(hours=2)


def change(n: int, dice: random.Random) -> dict[str, Any]:
    at = AT + timedelta(microseconds=997 * n)
    return {
        "session_id": "20261102T130000Z-0-abc123", "connection": n % 3, "sequence": n, "received_at": at, "row": n % 2,
        "venue_at": at if n % 5 else None, "market_id": f"pm:0x{dice.randrange(40):064x}", "kind": "change",
        "is_bid": n % 2 == 0, "price_e6": dice.randrange(1, 100) * 10_000, "size_e6": dice.randrange(10**9), "epoch": 1,
    }  # fmt: skip


def publish(lake: Lake, rows: list[dict[str, Any]], each: int) -> None:
    """The rows in parts of so many, as they came."""
    for start in range(0, len(rows), each):
        lake.publish_rows("book_changes", rows[start : start + each], part=f"{each}-{start:06d}", at=AT)


def some_changes(count: int) -> list[dict[str, Any]]:
    dice = random.Random(count)
    return [change(n, dice) for n in range(count)]


def sealed(lake: Lake, table: str = "book_changes") -> manifests.Manifest:
    return merging.merge(lake, table, AT, now=SEALED_AT)


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred rows are more than memory may hold."""
    monkeypatch.setattr(sorting, "RUN_BYTES", 16 * 1024)
    monkeypatch.setattr(sorting, "BLOCK_BYTES", 1024)
    monkeypatch.setattr(sorting, "_BATCH_ROWS", 64)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("each", [100, 700, 3000])
def test_rows_beyond_memory_come_out_in_order_and_complete(lake: Lake, each: int) -> None:
    rows = some_changes(3000)
    publish(lake, rows, each)
    manifest = sealed(lake)
    expected = table_of("book_changes", rows).sort_by(
        [(c, "ascending") for c in form.order(TABLES["book_changes"])]
    )
    assert reading.rows(lake, "book_changes").equals(expected)
    assert (manifest.rows, manifest.first, manifest.last) == (
        3000,
        rows[0]["received_at"],
        rows[-1]["received_at"],
    )
    assert list((Path(lake.root) / ".scratch").iterdir()) == []


@pytest.mark.usefixtures("little_memory")
def test_the_same_rows_give_the_same_bytes_whatever_parts_they_came_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one sealing or in several: a file that differs would look like one that was changed."""
    monkeypatch.setattr(form, "_GROUP_ROWS", 450)
    rows = some_changes(2000)
    names = []
    for each in (130, 1000, 2000):
        lake = Lake(tmp_path / str(each))
        publish(lake, rows[:1000], each)
        sealed(lake)
        publish(lake, rows[1000:], each + 1)
        names.append(sealed(lake).files[0].name)
        footer = pq.ParquetFile(reading.files(lake, "book_changes")[0]).metadata
        assert [footer.row_group(n).num_rows for n in range(footer.num_row_groups)] == [450] * 4 + [200]
    assert len(set(names)) == 1


@either_store
def test_a_reader_of_one_market_can_skip_the_others(lake: Lake) -> None:
    publish(lake, some_changes(500), 100)
    sealed(lake)
    group = pq.ParquetFile(reading.files(lake, "book_changes")[0]).metadata.row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    assert columns["market_id"].statistics.min < columns["market_id"].statistics.max
    assert columns["market_id"].has_column_index
    assert "DELTA_BINARY_PACKED" in columns["received_at"].encodings
    assert "RLE_DICTIONARY" in columns["price_e6"].encodings
    assert [key.column_index for key in group.sorting_columns][:2] == [6, 3], "market_id, then received_at"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_sealed_and_its_order_tells_rows_apart(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    assert set(table.key) <= set(form.order(table))
    pq.write_table(table.schema.empty_table(), tmp_path / "file", **form.options(table))


@either_store
def test_rows_of_lists_come_back_as_they_were(lake: Lake) -> None:
    level = {"price_e6": 10_000, "size_e6": 5_000_000}
    row = {"market_id": "pm:0x1", "slot_at": AT, "received_at": AT, "token_id": "1", "bids": [level] * 2, "asks": [], "hash": "h"}  # fmt: skip
    lake.publish_rows("orderbooks", [row], part="0", at=AT, tier="t4")
    merging.merge(lake, "orderbooks", AT, now=SEALED_AT, tier="t4")
    (found,) = reading.rows(lake, "orderbooks").to_pylist()
    assert found == {**row, "venue_at": None, "tick_e6": None, "last_trade_e6": None}


def test_what_a_sealing_that_died_left_is_removed_with_the_parts(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, some_changes(5), 5)

    def dying(*_: object) -> None:
        raise LakeUnwritable("no space is left")

    with monkeypatch.context() as patched:
        patched.setattr(manifests, "write", dying)
        with pytest.raises(LakeUnwritable):
            sealed(lake)
    where = Path(lake.root) / folder(TABLES["book_changes"], AT)
    (orphan,) = where.glob("merged-*")
    assert reading.rows(lake, "book_changes").num_rows == 5, "a file that no manifest names does not count"
    publish(lake, some_changes(9)[5:], 4)
    draft = where / ".part-x.parquet.1.draft"
    scratch = Path(lake.root) / ".scratch" / "abc" / "000000.parquet"
    scratch.parent.mkdir(parents=True)
    for left in (draft, scratch):
        left.write_bytes(b"half")
    manifest = sealed(lake)
    later = SEALED_AT + timedelta(minutes=16)
    assert merging.remove_superseded(lake, "book_changes", AT, now=later) == 3
    assert draft.exists(), "somebody may be writing it"
    for left in (draft, scratch):
        os.utime(left, (0, 0))
    assert merging.remove_superseded(lake, "book_changes", AT, now=later) == 2
    assert not orphan.exists()
    os.utime(scratch.parent, (0, 0))
    merging.remove_superseded(lake, "book_changes", AT, now=later)
    assert not scratch.parent.exists()
    assert {path.name for path in where.iterdir()} == {"_manifest.json", manifest.files[0].name}


def test_a_disk_that_fills_while_sealing_leaves_everything_as_it_was(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(lake, some_changes(50), 10)
    before = {path: lake.store.read_bytes(path) for path in lake.store.list("book_changes")}

    def full(self: pq.ParquetWriter, rows: pa.Table, **_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(LakeUnwritable, match="no space is left"):
            sealed(lake)
    assert {path: lake.store.read_bytes(path) for path in lake.store.list("book_changes")} == before
    assert not [name for _, _, names in os.walk(lake.root) for name in names if "draft" in name]
    assert sealed(lake).rows == 50
