"""A lake in an object store: whole files or none, whatever becomes of the writer, the store and the way between them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polymarket_assets import lake as lake_package
from polymarket_assets.lake import compacting, forecast, keeping, manifests, merging, moving, objects, reading
from polymarket_assets.lake.errors import (
    BrokenManifest,
    LakeUnwritable,
    NoLake,
    StoreRefused,
    StoreUnavailable,
)
from polymarket_assets.lake.object_storage import ObjectStore
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.settings import NotConfigured, Settings
from polymarket_assets.venue.errors import Refused, Unavailable
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.lake.test_lake import publish, sweep
from polymarket_assets_tests.object_store import BUCKET, ObjectServer, Request

AT = datetime(2026, 11, 2, 13, 5, tzinfo=UTC)
# Sent in two parts: pyarrow's have 10 MB.
LARGE = 11 * 1024 * 1024
# Handed over in three pieces: there are more to come when one fails.
IN_PIECES = 25 * 1024 * 1024
SLOW_DOWN = ("503 Slow Down", "SlowDown")
FORBIDDEN = ("403 Forbidden", "AccessDenied")


def store(lake: Lake) -> ObjectStore:
    assert isinstance(lake.store, ObjectStore)
    return lake.store


def asked(server: ObjectServer, what: Callable[[Request], bool] = lambda request: True) -> list[str]:
    """Methods of what was asked about files of tables, in order."""
    return [r.method for r in server.asked if "_lake.json" not in r.path and what(r)]


def trying(lake: Lake, monkeypatch: pytest.MonkeyPatch, attempts: int = 3) -> Lake:
    """The same lake, by a client that makes further attempts; each waits longer than the one before it."""
    monkeypatch.setattr(objects, "ATTEMPTS", attempts)
    return Lake(lake.root)


def noise(size: int) -> bytes:
    return np.random.default_rng(7).bytes(size)


def test_a_file_is_one_upload_that_is_seen_when_its_parts_are_together(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    object_store.asked.clear()
    object_lake.store.write_bytes("small", b"x")
    assert asked(object_store) == ["POST", "PUT", "POST"]
    object_store.asked.clear()
    object_lake.store.write_bytes("large", noise(LARGE))
    assert asked(object_store) == ["POST", "PUT", "PUT", "POST"]
    assert object_lake.store.read_bytes("large") == noise(LARGE)
    object_store.asked.clear()
    object_lake.store.write_bytes("in pieces", noise(IN_PIECES))
    assert len(completed(object_store, "in pieces")) == 1
    assert object_lake.store.read_bytes("in pieces") == noise(IN_PIECES)
    object_lake.store.write_bytes("empty", b"")
    assert object_lake.store.read_bytes("empty") == b""


@pytest.mark.parametrize("fault", [SLOW_DOWN, FORBIDDEN])
@pytest.mark.parametrize("at", ["partNumber=2", "uploads"])
def test_an_upload_that_fails_in_the_middle_is_told_and_leaves_what_was_there(
    object_lake: Lake, object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch, fault: tuple[str, str], at: str
) -> None:  # fmt: skip
    """A stream of pyarrow that is thrown away completes its upload: with a hole where the failed part belongs."""
    object_lake.store.write_bytes("large", b"as before")
    object_store.asked.clear()
    with (
        object_store.failing(lambda r: fault if at in r.query else None),
        pytest.raises(LakeUnwritable, match="nothing half-written can be seen") as told,
    ):
        object_lake.store.write_bytes("large", noise(IN_PIECES))
    assert isinstance(told.value, Unavailable)
    assert not [r for r in object_store.asked if r.method == "POST" and r.query != "uploads"]
    assert object_lake.store.read_bytes("large") == b"as before"
    object_lake.store.write_bytes("large", b"again")
    assert object_lake.store.read_bytes("large") == b"again"


WRITER = """
import sys
from polymarket_assets.lake.writing import Lake
Lake(sys.argv[1]).store.write_bytes("sweeps/tier=t4/date=2026-11-02/hour=13/part-1.parquet", bytes(32 * 1024 * 1024))
"""


def test_a_writer_killed_in_the_middle_of_an_upload_leaves_nothing_to_be_seen(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    publish(object_lake)
    began: list[float] = []

    def slowly(request: Request) -> None:
        if "partNumber=3" in request.query:
            began.append(time.monotonic())
            time.sleep(0.5)

    object_store.fault = slowly
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, object_lake.root], cwd=PROJECT, env={**os.environ}
    )
    until = time.monotonic() + 30
    while not began and time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    assert began, "the writer got to its third part"
    object_store.fault = None
    assert object_lake.store.list("sweeps") == ["sweeps/tier=t4/date=2026-11-02/hour=13/part-0500.parquet"]
    assert reading.rows(object_lake, "sweeps").num_rows == 1


def completed(server: ObjectServer, path: str) -> list[Request]:
    """Requests that made a file of an upload."""
    return [r for r in server.asked if r.method == "POST" and "uploadId" in r.query and r.path.endswith(path)]


SHORT_OF_MEMORY = """
import sys
import pyarrow as pa
from polymarket_assets.lake import objects
from polymarket_assets.lake.writing import Lake
store = Lake(sys.argv[1]).store

class Short:
    size = 40 * 1024 * 1024

    def slice(self, begin, size):
        if begin:
            raise MemoryError
        return pa.py_buffer(bytes(size))

try:
    store._put("large", Short())
except MemoryError:
    print("none left")
"""


def test_a_writer_short_of_memory_between_two_slices_completes_nothing_not_even_at_its_end(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    """pyarrow completes a stream that is thrown away; a third of a file would stand for all of it."""
    ended = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY, object_lake.root], cwd=PROJECT, capture_output=True, text=True
    )
    assert (ended.stdout, ended.returncode) == ("none left\n", 0)
    assert [r for r in object_store.asked if "partNumber=1" in r.query], "it had begun"
    assert completed(object_store, "large") == []
    assert object_lake.store.read_bytes("large") is None


def test_a_writer_interrupted_between_two_slices_completes_the_file_or_nothing(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    began: list[int] = []
    object_store.fault = lambda r: began.append(1) if "partNumber=2" in r.query else None  # type: ignore[func-returns-value]
    object_store.wait_s = 0.2
    process = subprocess.Popen([sys.executable, "-c", WRITER, object_lake.root], cwd=PROJECT, stderr=subprocess.DEVNULL)  # fmt: skip
    until = time.monotonic() + 30
    while not began and time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    object_store.wait_s = 0.0
    assert began, "the writer got to its second part"
    whole = 32 * 1024 * 1024
    assert list(object_lake.store.sizes("sweeps").values()) in ([whole], [])


def test_an_upload_holds_a_piece_of_a_file_at_a_time(object_lake: Lake, object_store: ObjectServer) -> None:
    """The process that seals is given a gigabyte, and an hour may be larger than that."""
    most, over = [0], threading.Event()
    before = pa.total_allocated_bytes()

    def watch() -> None:
        while not over.wait(0.002):
            most.append(pa.total_allocated_bytes() - before)

    content = pa.py_buffer(bytes(64 * 1024 * 1024))
    watching = threading.Thread(target=watch)
    watching.start()
    object_store.wait_s = 0.1
    store(object_lake)._put("large", content)
    object_store.wait_s = 0.0
    over.set()
    watching.join()
    assert max(most) < 40 * 1024 * 1024
    assert (len(completed(object_store, "large")), object_lake.store.sizes("")["large"]) == (1, content.size)


KILLED_BEFORE_SENDING = """
import os, signal, sys
from polymarket_assets.lake.object_storage import ObjectStore
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.lake.test_object_store import publish
ObjectStore._send = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
publish(Lake(sys.argv[1]))
"""


def test_what_a_killed_writer_was_making_holds_nothing_up_and_goes(object_lake: Lake, tmp_path: Path) -> None:
    """It lies in folders as in the lake: taken for a file, it would end every sealing and keeping from then on."""
    killed = subprocess.run([sys.executable, "-c", KILLED_BEFORE_SENDING, object_lake.root], cwd=PROJECT)
    assert killed.returncode == -signal.SIGKILL
    drafts = tmp_path / "state" / "object-store"
    assert [path for path in drafts.rglob("*") if path.is_file()]
    for minute in range(2):
        publish(object_lake, AT + timedelta(minutes=minute))
    over, back = AT + timedelta(hours=2), timedelta(days=1)
    compacting.compact(object_lake, clock=lambda: over, look_back=back)
    publish(object_lake, AT + timedelta(minutes=10))
    # A folder is as old as the last thing that went from it: one goes with each look.
    for _ in range(6):
        for path in drafts.rglob("*"):
            os.utime(path, (0, 0))
        object_lake.store.remove_drafts("sweeps")
    done = compacting.compact(object_lake, clock=lambda: over + timedelta(minutes=16), look_back=back)
    assert (done.failed, done.folders) == ([], 1)
    assert list(drafts.rglob("tmp*")) == []


@pytest.mark.parametrize("name", ["a failure in passing", "two of them"])
def test_what_fails_in_passing_is_tried_again_by_itself(
    object_lake: Lake, object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lake = trying(object_lake, monkeypatch)
    left = [SLOW_DOWN] * (1 if name == "a failure in passing" else 2)
    with object_store.failing(lambda r: left.pop() if left else None):
        publish(lake)
    left = [SLOW_DOWN]
    with object_store.failing(lambda r: left.pop() if left else None):
        assert reading.rows(lake, "sweeps").num_rows == 1


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_attempts_end(object_lake: Lake, object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch, attempts: int) -> None:  # fmt: skip
    lake = trying(object_lake, monkeypatch, attempts)
    object_store.asked.clear()
    with object_store.failing(lambda r: SLOW_DOWN), pytest.raises(LakeUnwritable, match="too much to do"):
        lake.store.write_bytes("x", b"x")
    assert asked(object_store) == ["POST"] * attempts


def test_a_store_that_is_gone_is_named_and_the_lake_goes_on_when_it_is_back(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    publish(object_lake)
    files = reading.files(object_lake, "sweeps")
    object_store.stop()
    with pytest.raises(LakeUnwritable, match="does not answer"):
        publish(object_lake, AT + timedelta(minutes=1))
    for read in (
        lambda: reading.rows(object_lake, "sweeps"),
        lambda: reading.footer(files[0]),
        lambda: object_lake.store.read_bytes("_lake.json"),
    ):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            read()
    object_store.start()
    publish(object_lake, AT + timedelta(minutes=1))
    assert reading.rows(object_lake, "sweeps").num_rows == 2


def test_a_query_whose_store_fails_says_so(object_lake: Lake, object_store: ObjectServer) -> None:
    """DuckDB hands on the text of an error and no more; an outage must not be taken for a damaged file."""
    publish(object_lake)
    files = reading.files(object_lake, "sweeps")
    with (
        object_store.failing(lambda r: FORBIDDEN),
        reading.opening.connected() as connection,
        pytest.raises(StoreRefused, match="refuses these credentials"),
    ):
        reading.add_view(connection, "sweeps", files)
    with (
        object_store.failing(lambda r: FORBIDDEN),
        pytest.raises(StoreRefused, match="refuses these credentials"),
        reading.opening.connected() as connection,
    ):
        connection.execute("select * from read_parquet($files)", {"files": files})


def test_an_outage_after_a_connection_was_made_is_told_too(
    object_lake: Lake, object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what is not held, DuckDB asks when it is queried: for its error everybody would have to know DuckDB."""
    monkeypatch.setattr(objects, "WHOLE_BYTES", 0)
    publish(object_lake)
    with (
        pytest.raises(StoreRefused, match="refuses these credentials"),
        lake_package.connected(object_lake.root) as connection,
        object_store.failing(lambda r: FORBIDDEN),
    ):
        connection.sql("select distinct run_id from sweeps").fetchall()


def test_a_bucket_that_is_not_there_is_no_empty_lake(object_store: ObjectServer) -> None:
    """Absence is not emptiness: a streamer would record on, a model be trained on nothing."""
    with pytest.raises(StoreRefused, match="no bucket nowhere: make it"):
        Lake("s3://nowhere/lake")


def test_a_bucket_that_goes_later_is_told_too(object_store: ObjectServer) -> None:
    object_store.bucket("going")
    lake = Lake("s3://going/lake")
    object_store.bucket("going", "DELETE")
    lake.store._stood_at = None  # type: ignore[attr-defined]
    for look in (lambda: reading.rows(lake, "sweeps"), lambda: lake.store.any("markets"), lambda: manifests.read(lake.store, "sweeps")):  # fmt: skip
        with pytest.raises(StoreRefused, match="no bucket going"):
            look()
    with pytest.raises(LakeUnwritable, match="no bucket going"):
        publish(lake)


@pytest.mark.parametrize("fault", [FORBIDDEN, ("403 Forbidden", "InvalidAccessKeyId"), ("403 Forbidden", "SignatureDoesNotMatch")])  # fmt: skip
def test_refused_credentials_are_no_empty_lake_and_not_shown(
    object_lake: Lake, object_store: ObjectServer, fault: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    publish(object_lake)
    with object_store.failing(lambda r: fault):
        for look in (lambda: reading.rows(object_lake, "sweeps"), lambda: Lake(object_lake.root), lambda: object_lake.store.any("sweeps")):  # fmt: skip
            with pytest.raises(StoreRefused, match="AWS_ACCESS_KEY_ID") as told:
                look()
            assert isinstance(told.value, Refused)
            assert "a-secret" not in f"{told.value!r} {told.value.__cause__}"
    assert "a-secret" not in "".join(capsys.readouterr())


def test_a_prefix_with_nothing_in_it_is_no_lake_for_who_only_reads(object_lake: Lake) -> None:
    with pytest.raises(NoLake, match="no lake at s3://"):
        lake_package.open_existing(object_lake.root)
    publish(object_lake)
    assert lake_package.open_existing(object_lake.root).store.stands()


def test_two_lakes_of_a_bucket_are_apart(object_store: ObjectServer, tmp_path: Path) -> None:
    """A prefix is not a beginning of names: `lake` and `lake2` have one."""
    one, other = (Lake(f"s3://{BUCKET}/{tmp_path.name}/{name}") for name in ("lake", "lake2"))
    publish(one)
    assert (len(one.store.list("")), other.store.list("")) == (2, [])


def test_every_page_of_a_long_listing_counts(object_lake: Lake, object_store: ObjectServer) -> None:
    base = object_lake.root.removeprefix(f"s3://{BUCKET}/")
    names = [f"sweeps/part-{n:04d}.parquet" for n in range(1100)]
    object_store.put(f"{base}/{name}" for name in names)
    object_store.asked.clear()
    assert object_lake.store.sizes("sweeps") == dict.fromkeys(names, 1)
    assert asked(object_store) == ["GET", "GET"], "a thousand to a page"


def test_removing_again_is_fine_and_what_is_left_of_folders_is_no_file(object_lake: Lake) -> None:
    publish(object_lake)
    (path,) = object_lake.store.list("sweeps")
    for _ in range(2):
        object_lake.store.remove(path)
    object_lake.store.remove_emptied(path.rsplit("/", 1)[0])
    assert object_lake.store.list("sweeps") == []
    assert not object_lake.store.any("sweeps")


def test_polars_and_pyarrow_read_what_files_names(object_lake: Lake) -> None:
    publish(object_lake)
    found = lake_package.files("sweeps", root=object_lake.root)
    assert pl.read_parquet(found).height == pq.read_table(found[0]).num_rows == 1


def test_one_process_looks_after_a_lake_and_the_forecast_says_that_it_has_no_end(object_lake: Lake) -> None:
    publish(object_lake)
    rules, now, back = keeping.Rules({}), AT + timedelta(hours=3), timedelta(days=1)
    with object_lake.store.alone("keeping"), pytest.raises(keeping.LakeBusy):
        keeping.keep(object_lake, rules, clock=lambda: now, look_back=back)
    done = keeping.keep(object_lake, rules, clock=lambda: now, look_back=back)
    assert done.compacted.folders == 1
    assert (done.forecast.level, done.forecast.disks[0].full_in_days) == (forecast.FINE, None)
    assert "does not fill" in str(done.forecast.disks[0])


def test_hours_move_from_an_object_store_to_a_folder_and_are_read_there(
    object_lake: Lake, tmp_path: Path
) -> None:
    publish(object_lake)
    merging.merge(object_lake, "sweeps", AT, now=AT + timedelta(hours=2), tier="t4")
    before = reading.rows(object_lake, "sweeps")
    done = moving.move(
        object_lake, str(tmp_path / "cold"), clock=lambda: AT + timedelta(days=40), after=timedelta(days=30)
    )
    assert (done.files, done.failed) == (1, [])
    assert reading.files(object_lake, "sweeps")[0].startswith(str(tmp_path / "cold"))
    assert reading.rows(object_lake, "sweeps").equals(before)


def test_settings_are_not_read_again_for_every_file(
    object_lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four milliseconds of a processor for each of thousands of files."""
    for minute in range(3):
        publish(object_lake, AT + timedelta(minutes=minute))
    read: list[int] = []

    def noted() -> Settings:
        read.append(1)
        return Settings()

    monkeypatch.setattr("polymarket_assets.settings.load", noted)
    assert reading.rows(object_lake, "sweeps").num_rows == 3
    assert read == []
    with lake_package.connected(object_lake.root) as connection:
        assert connection.sql("select count(*) from sweeps").fetchall() == [(3,)]
    assert len(read) == 1, "where a connection may spill is asked once"


@pytest.mark.parametrize("root", ["s3://bucket/lake#part", "s3://bucket/lake?x=1", "s3://key:secret@bucket/lake"])  # fmt: skip
def test_an_address_that_holds_more_than_a_place_is_refused(root: str) -> None:
    """What stands behind a # would be left out, and another lake be written."""
    with pytest.raises(NoLake, match="no credentials and no options"):
        objects.key(root)


def test_files_larger_than_are_read_whole_are_read_in_ranges(
    object_lake: Lake, object_store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "WHOLE_BYTES", 1024)
    rows = table_of(
        "sweeps", [sweep(AT + timedelta(microseconds=n), run_id=f"{n * n}") for n in range(4_000)]
    )
    object_lake.publish("sweeps", rows, part="many", at=AT, tier="t4")
    object_store.asked.clear()
    assert reading.rows(object_lake, "sweeps").equals(rows)
    connection = reading.connect(object_lake)
    expected = pa.compute.count_distinct(rows["run_id"]).as_py()
    assert connection.sql("select count(distinct run_id) from sweeps").fetchall() == [(expected,)]
    connection.close()
    assert object_lake.store.list("sweeps")


def test_a_reader_keeps_its_names_for_fifteen_minutes_while_an_hour_is_merged(object_lake: Lake) -> None:
    for minute in range(3):
        publish(object_lake, AT + timedelta(minutes=minute))
    held, before = reading.files(object_lake, "sweeps"), reading.rows(object_lake, "sweeps")
    with reading.opening.connected() as connection:
        reading.add_view(connection, "sweeps", held)
        over = AT + timedelta(hours=2)
        compacting.compact(object_lake, clock=lambda: over, look_back=timedelta(days=1))
        soon = compacting.compact(
            object_lake, clock=lambda: over + timedelta(minutes=14), look_back=timedelta(days=1)
        )
        assert (soon.removed, connection.sql("select count(*) from sweeps").fetchall()) == (0, [(3,)])
    assert sum(reading.footer(file).metadata.num_rows for file in held) == 3
    assert len(reading.files(object_lake, "sweeps")) == 1
    assert reading.rows(object_lake, "sweeps").sort_by("slot_at").equals(before.sort_by("slot_at"))
    late = compacting.compact(
        object_lake, clock=lambda: over + timedelta(minutes=16), look_back=timedelta(days=1)
    )
    assert (late.removed, reading.rows(object_lake, "sweeps").num_rows) == (3, 3)
    with pytest.raises(FileNotFoundError):
        reading.footer(held[0])


def test_a_part_published_again_is_read_as_it_is_now(object_lake: Lake) -> None:
    publish(object_lake)
    assert reading.rows(object_lake, "sweeps")["status"].to_pylist() == ["taken"]
    publish(object_lake, status="late")
    assert reading.rows(object_lake, "sweeps")["status"].to_pylist() == ["late"]
    with reading.opening.connected() as connection:
        reading.add_view(connection, "sweeps", reading.files(object_lake, "sweeps"))
        assert connection.sql("select status from sweeps").fetchall() == [("late",)]


def test_a_manifest_replaced_while_it_is_read_is_read_as_it_is_now(
    object_lake: Lake, object_store: ObjectServer
) -> None:
    """pyarrow asks how long a file is, then for so much of it."""
    publish(object_lake)
    manifest = merging.merge(object_lake, "sweeps", AT, now=AT + timedelta(hours=2), tier="t4")
    folder = "sweeps/tier=t4/date=2026-11-02/hour=13"
    longer = msgspec.structs.replace(manifest, superseded=("part-1.parquet",) * 9)
    left = [longer]

    def replaced(request: Request) -> None:
        if request.method == "GET" and "_manifest" in request.path and left:
            base = object_lake.root.removeprefix(f"s3://{BUCKET}/")
            object_store.put([f"{base}/{folder}/_manifest.json"], msgspec.json.encode(left.pop()))

    with object_store.failing(replaced):
        assert manifests.read(object_lake.store, folder) == longer
    object_lake.store.write_bytes(f"{folder}/_manifest.json", b'{"table": "sw')
    with pytest.raises(BrokenManifest):
        manifests.read(object_lake.store, folder)


def test_whoever_writes_needs_a_state_dir_and_who_reads_does_not(
    object_lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Locks in a folder that each process guesses for itself keep no two keepers apart."""
    from polymarket_assets.lake.__main__ import main

    publish(object_lake)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATE_DIR")
    lake = Lake(object_lake.root)
    assert reading.rows(lake, "sweeps").num_rows == 1
    for write in (lambda: publish(lake, AT + timedelta(minutes=1)), lambda: keeping.keep(lake, keeping.Rules({}), clock=lambda: AT)):  # fmt: skip
        with pytest.raises(NotConfigured, match="STATE_DIR is not set"):
            write()
    assert [main([command, "--root", lake.root]) for command in ("tables", "keep")] == [0, 1]
    assert "STATE_DIR is not set" in capsys.readouterr().err
    exported = ["export", "sweeps", "--root", lake.root, "--out", str(tmp_path / "out")]
    assert main(exported) == 0, "only reads"


@pytest.mark.parametrize("command", ["tables", "forecast"])
def test_the_commands_take_an_address(object_lake: Lake, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    from polymarket_assets.lake.__main__ import main

    publish(object_lake)
    monkeypatch.setenv("LAKE_ROOT", object_lake.root)
    assert main([command]) == 0
    assert main([command, "--root", "s3://nowhere/lake"]) == 1
    assert "no bucket nowhere" in capsys.readouterr().err
