"""The lake keeps whole files, counts every row once, and refuses what it cannot hold."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polymarket_assets import lake as lake_package
from polymarket_assets.lake import merging, reading, verifying, writing
from polymarket_assets.lake.errors import (
    DamagedFile,
    LakeUnwritable,
    NewerLake,
    NoLake,
    NoSuchTable,
    SchemaMismatch,
)
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.settings import NotConfigured
from polymarket_assets_tests.conftest import either_store

AT = datetime(2026, 11, 2, 13, 5, tzinfo=UTC)


def sweep(slot_at: datetime = AT, **changed: object) -> dict[str, object]:
    return {
        "tier": "t4", "slot_at": slot_at, "status": "taken", "markets": 1, "books": 1, "omitted": 0,
        "left_out": 0, "requests": 1, "bytes": 10, "run_id": "r", **changed,
    }  # fmt: skip


def publish(lake: Lake, slot_at: datetime = AT, **changed: object) -> None:
    lake.publish_rows("sweeps", [sweep(slot_at, **changed)], part=f"{slot_at:%M%S}", at=slot_at, tier="t4")


@either_store
def test_a_row_comes_back_as_it_was_published(lake: Lake) -> None:
    publish(lake)
    assert reading.rows(lake, "sweeps").select(["slot_at", "status"]).to_pylist() == [
        {"slot_at": AT, "status": "taken"}
    ]


@either_store
def test_the_same_part_again_replaces_it(lake: Lake) -> None:
    publish(lake)
    publish(lake, status="late")
    assert reading.rows(lake, "sweeps").column("status").to_pylist() == ["late"]


def test_rows_that_come_piece_by_piece_are_one_file_in_their_order(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A day of trades does not fit into memory at once."""
    monkeypatch.setattr(writing.form, "group_rows", lambda table: 4)
    rows = [history_price(n) for n in range(11)]
    pieces = [table_of("history_prices", rows[at : at + 3]) for at in range(0, 11, 3)]
    written = lake.publish_pieces("history_prices", pieces, part="venue", at=AT)
    assert (written.rows, len(reading.files(lake, "history_prices"))) == (11, 1)
    held = pq.ParquetFile(written.uri).metadata
    assert [held.row_group(n).num_rows for n in range(held.num_row_groups)] == [4, 4, 3]
    assert reading.rows(lake, "history_prices").to_pylist() == table_of("history_prices", rows).to_pylist()


@either_store
@pytest.mark.parametrize("pieces", [0, 2])
def test_a_piece_that_cannot_be_made_leaves_what_was_there(lake: Lake, pieces: int) -> None:
    """A venue that fails midway must not take the day from before."""
    lake.publish_pieces(
        "history_prices", [table_of("history_prices", [history_price(0)])], part="venue", at=AT
    )

    def made() -> Iterator[pa.Table]:
        for n in range(pieces):
            yield table_of("history_prices", [history_price(n + 5)])
        raise ConnectionResetError("the venue went")

    with pytest.raises(ConnectionResetError):
        lake.publish_pieces("history_prices", made(), part="venue", at=AT)
    assert reading.rows(lake, "history_prices").column("market_id").to_pylist() == ["pm:0"]
    assert [path.name for path in Path(lake.root).rglob("*.draft")] == []


def history_price(n: int) -> dict[str, object]:
    return {
        "market_id": f"pm:{n}", "close_day": AT.date(), "priced_at": AT, "known_at": AT, "received_at": AT, "price_e6": n, "fidelity_s": 60,
        "source": "polymarket",
    }  # fmt: skip


@either_store
def test_two_lines_give_a_notebook_every_table(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(lake)
    monkeypatch.setenv("LAKE_ROOT", lake.root)
    connection = lake_package.connect()
    assert connection.sql("select count(*) from sweeps").fetchall() == [(1,)]
    for name, table in TABLES.items():
        assert connection.sql(f"select * from {name}").columns == list(table.names)


@either_store
def test_other_readers_open_the_files(lake: Lake) -> None:
    publish(lake)
    found = lake_package.files("sweeps", root=lake.root)
    assert pl.read_parquet(found).height == pq.read_table(found[0]).num_rows == 1


@either_store
def test_a_span_selects_the_hours_it_touches(lake: Lake) -> None:
    for hours in range(3):
        publish(lake, AT + timedelta(hours=hours))
    assert len(reading.files(lake, "sweeps", Span.hour(AT + timedelta(hours=1)))) == 1
    assert len(reading.files(lake, "sweeps", Span(AT, AT + timedelta(hours=1)))) == 2
    assert len(reading.files(lake, "sweeps", tier="t3")) == 0


def test_rows_rebuilt_by_day_stand_beside_hourly_ones(lake: Lake) -> None:
    """History is computed a day at a time into the same table that recording fills by the hour."""
    empty = TABLES["features"].schema.empty_table()
    lake.publish("features", empty, part="0", at=AT)
    lake.publish("features", empty, part="history", at=date(2026, 11, 2))
    assert len(reading.files(lake, "features", Span.hour(AT))) == 2


def test_whether_a_table_holds_anything_is_answered_by_its_newest_file(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """The watchdog asks every twenty seconds, of listings of months."""
    assert not lake.store.any("markets")
    (Path(lake.root) / "markets/date=2026-11-03/hour=00").mkdir(parents=True)
    (Path(lake.root) / "markets/date=2026-11-03/hour=00/.part-0.parquet.7.draft").touch()
    assert not lake.store.any("markets"), "a draft is no file yet"
    for day in range(1, 29):
        folder = Path(lake.root) / f"markets/date=2026-10-{day:02d}/hour=13"
        folder.mkdir(parents=True)
        (folder / "part-0.parquet").touch()
    seen, walk = [], os.walk
    monkeypatch.setattr(os, "walk", lambda top: (seen.append(step[0]) or step for step in walk(top)))
    assert lake.store.any("markets")
    shown = [os.path.relpath(folder, lake.root) for folder in seen]
    assert shown == ["markets", "markets/date=2026-11-03", "markets/date=2026-11-03/hour=00", "markets/date=2026-10-28", "markets/date=2026-10-28/hour=13"]  # fmt: skip


def test_sealing_keeps_every_row_once_before_during_and_after(lake: Lake) -> None:
    for minutes in range(3):
        publish(lake, AT + timedelta(minutes=minutes))
    held = reading.files(lake, "sweeps")
    sealed_at = AT + timedelta(hours=2)
    manifest = merging.merge(lake, "sweeps", AT, now=sealed_at, tier="t4")
    assert manifest.rows == reading.rows(lake, "sweeps").num_rows == 3
    assert len(reading.files(lake, "sweeps")) == 1
    assert all(os.path.exists(file) for file in held), "a reader may still hold the parts' names"
    assert merging.merge(lake, "sweeps", AT, now=sealed_at + timedelta(hours=1), tier="t4") == manifest
    assert merging.remove_superseded(lake, "sweeps", AT, now=sealed_at, tier="t4") == 0
    assert (
        merging.remove_superseded(lake, "sweeps", AT, now=sealed_at + timedelta(minutes=16), tier="t4") == 3
    )
    assert reading.rows(lake, "sweeps").num_rows == 3


def test_parts_that_come_after_sealing_count_at_once_and_are_taken_in_by_the_next(lake: Lake) -> None:
    """The streamer may still publish into an hour that was sealed in the middle: no row may hide or double."""
    publish(lake)
    seals = [AT + timedelta(hours=n) for n in (1, 2, 3)]
    first = merging.merge(lake, "sweeps", AT, now=seals[0], tier="t4", through=AT)
    late = AT + timedelta(minutes=1)
    publish(lake, late)
    held = reading.files(lake, "sweeps")
    assert len(held) == reading.rows(lake, "sweeps").num_rows == 2
    second = merging.merge(lake, "sweeps", AT, now=seals[1], tier="t4", through=late)
    assert (first.rows, second.rows, reading.rows(lake, "sweeps").num_rows) == (1, 2, 2)
    assert all(os.path.exists(file) for file in held)
    merging.remove_superseded(lake, "sweeps", AT, now=seals[2], tier="t4")
    assert not any(os.path.exists(file) for file in held)
    publish(lake, late)
    assert reading.rows(lake, "sweeps").num_rows == 2, (
        "a part published once more is in the merged file already"
    )


def test_sealing_later_notes_that_nothing_came(lake: Lake) -> None:
    publish(lake)
    first = merging.merge(lake, "sweeps", AT, now=AT, tier="t4", through=AT)
    later = merging.merge(lake, "sweeps", AT, now=AT, tier="t4", through=AT + timedelta(minutes=1))
    assert (later.through, later.files) == (AT + timedelta(minutes=1), first.files)
    assert merging.merge(lake, "sweeps", AT, now=AT + timedelta(hours=1), tier="t4", through=AT) == later


def test_an_hour_in_which_nothing_happened_can_be_sealed(lake: Lake) -> None:
    assert merging.merge(lake, "trades_raw", AT, now=AT + timedelta(hours=1)).rows == 0
    assert reading.rows(lake, "trades_raw").num_rows == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": None}, "sweeps: .*'status' with null"),
        ({"markets": "many"}, "sweeps"),
        ({"markets": 2**40}, "sweeps"),
        ({"colour": "red"}, "no column colour"),
    ],
)
def test_rows_of_another_form_are_refused_and_leave_nothing(
    lake: Lake, changed: dict[str, object], said: str
) -> None:
    with pytest.raises(SchemaMismatch, match=said):
        publish(lake, **changed)
    assert reading.files(lake, "sweeps") == []


def test_a_full_disk_leaves_no_half_file_and_says_so(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(lake)

    def full(rows: object, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", full)
        with pytest.raises(LakeUnwritable, match="no space is left"):
            publish(lake, AT + timedelta(minutes=1))
    assert not [name for _, _, names in os.walk(lake.root) for name in names if "draft" in name]
    assert reading.rows(lake, "sweeps").num_rows == 1
    publish(lake, AT + timedelta(minutes=1))
    assert reading.rows(lake, "sweeps").num_rows == 2


def test_what_cannot_be_removed_is_told(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that turns read-only must end sealing in a sentence, to be repeated."""
    lake.store.write_bytes("sweeps/part-1.parquet", b"")

    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(LakeUnwritable, match=r"it is read-only \(sweeps/part-1.parquet was not removed\)"):
        lake.store.remove("sweeps/part-1.parquet")


@pytest.mark.parametrize(
    ("root", "said"),
    [("/proc/lake", "its folder cannot be made"), ("{file}/lake", "a file stands where a folder belongs")],
)
def test_a_root_that_cannot_be_a_folder_is_named(root: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(LakeUnwritable, match=f"cannot be written: {said}"):
        publish(Lake(root.format(file=file)))


def test_a_lake_of_a_newer_version_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "_lake.json").write_text('{"format": 99, "and": "more"}')
    with pytest.raises(NewerLake, match="has format 99, this version reads up to 1: update the platform"):
        Lake(tmp_path)


def without(file: str, *columns: str) -> None:
    pq.write_table(pq.read_table(file).drop_columns(list(columns)), file)


def test_a_file_of_another_form_is_named_when_read(lake: Lake) -> None:
    publish(lake)
    file = reading.files(lake, "sweeps")[0]
    without(file, "status")
    for read in (lambda: reading.rows(lake, "sweeps"), lambda: reading.connect(lake)):
        with pytest.raises(SchemaMismatch, match="status"):
            read()


def test_hours_recorded_before_a_column_was_thought_of_are_read_with_nulls(lake: Lake) -> None:
    """A lake is recorded over months of versions: its hours must not be lost with each new column."""
    publish(lake)
    publish(lake, AT + timedelta(minutes=1), reason="late")
    old, _ = reading.files(lake, "sweeps")
    without(old, "reason")
    names = list(TABLES["sweeps"].names)
    for _ in range(2):
        assert reading.rows(lake, "sweeps").column("reason").to_pylist() == [None, "late"]
        found = reading.connect(lake).sql("select * from sweeps order by slot_at")
        assert (found.columns, [row[names.index("reason")] for row in found.fetchall()]) == (
            names,
            [None, "late"],
        )
        merging.merge(
            lake, "sweeps", AT, now=AT + timedelta(hours=2), tier="t4", verify=verifying.require_same
        )


def test_a_lake_all_of_which_is_older_than_a_column_has_it_all_the_same(lake: Lake) -> None:
    publish(lake)
    without(reading.files(lake, "sweeps")[0], "reason", "latency_ms")
    found = reading.connect(lake).sql("select * from sweeps where reason is null and status = 'taken'")
    assert (found.columns, len(found.fetchall())) == (list(TABLES["sweeps"].names), 1)
    merging.merge(lake, "sweeps", AT, now=AT + timedelta(hours=2), tier="t4", verify=verifying.require_same)
    assert reading.rows(lake, "sweeps").num_rows == 1


@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_older_than_any_of_its_optional_columns(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    optional = [column.name for column in table.columns if column.nullable]
    file = tmp_path / "old.parquet"
    pq.write_table(table.schema.empty_table().drop_columns(optional), file)
    with duckdb.connect() as connection:
        reading.add_view(connection, name, [str(file)])
        assert connection.sql(f"select * from {name}").columns == list(table.names)
    rows = reading.completed(table, reading.require_declared(table, str(file)).read())
    assert rows.schema.names == list(table.names)


def test_a_damaged_file_is_named_when_read(lake: Lake) -> None:
    publish(lake)
    (file,) = reading.files(lake, "sweeps")
    Path(file).write_bytes(Path(file).read_bytes()[:100])
    for read in (lambda: reading.connect(lake), lambda: reading.rows(lake, "sweeps")):
        with pytest.raises(DamagedFile, match=file):
            read()


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("gs://bucket/lake", "name a folder, or s3://"),
        ("s3://", "name a folder"),
        ("s3://key:pass@bucket/lake", "holds no credentials"),
        ("{file}", "is a file and no lake"),
    ],
)
def test_what_can_be_no_lake_is_named(root: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(NoLake, match=said):
        lake_package.connect(root.format(file=file))


def test_a_mistyped_table_is_answered_with_those_there_are(lake: Lake) -> None:
    with pytest.raises(NoSuchTable, match="no table 'tradez'; tables are markets"):
        reading.files(lake, "tradez")


def test_without_a_root_the_setting_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAKE_ROOT", raising=False)
    with pytest.raises(NotConfigured, match="LAKE_ROOT is not set"):
        lake_package.connect()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_declares_a_key_of_required_columns(name: str) -> None:
    table = TABLES[name]
    nullable = {column.name for column in table.columns if column.nullable}
    assert set(table.key) <= set(table.names) - nullable
    assert table.filed_by is None or table.filed_by in set(table.names) - nullable
    assert table_of(name, []).schema == table.schema
