"""From the journal to sealed hours: every row once, whatever was interrupted on the way, and no hour closed too early."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from polymarket_assets.lake import manifests, merging, reading
from polymarket_assets.lake.errors import LakeUnwritable
from polymarket_assets.lake.layout import folder
from polymarket_assets.lake.schemas import TABLES as DECLARED
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import Shard
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets_tests.conftest import PROJECT, either_store
from polymarket_assets_tests.object_store import ObjectServer
from polymarket_assets_tests.streamer.odd_venue import book, condition, tokens, trade, wait_until
from streamer import journal, keeping, publisher, recovery, sealing, sessions
from streamer.entries import Gap, Heard, Listed
from streamer.keeping import Keeper
from streamer.locks import Lock
from streamer.publisher import Publisher
from streamer.recording import TABLES, microseconds
from streamer.sessions import Ended, Session

AT = datetime(2026, 11, 2, 13, 59, 30, tzinfo=UTC)
HOUR = datetime(2026, 11, 2, 13, tzinfo=UTC)
ALONE = Shard()
MARKET = Listed(f"pm:{condition(0)}", condition(0), tokens(0))


class Recording:
    """A session without sockets: what it is told is kept as the loop keeps it."""

    def __init__(self, lake: Lake, state_dir: Path, at: datetime = AT, shard: Shard = ALONE) -> None:
        self.session = sessions.begin(state_dir, shard, at)
        self.publisher = Publisher(lake, self.session)
        self.keeper = Keeper(self.session, self.publisher, microseconds(at), threading.Event())
        self.keeper.expect([MARKET])

    def hear(self, at: datetime, *messages: Any) -> None:
        heard = [Heard(microseconds(at), 0, json.dumps(message).encode()) for message in messages]
        self.keeper.keep(heard)
        for entry in heard:
            self.keeper.recorder.hear(entry)

    def tick(self, at: datetime) -> None:
        self.keeper.tick(microseconds(at), microseconds(at))

    def turn(self, at: datetime) -> None:
        self.keeper.turn(microseconds(at))
        wait_until(lambda: not self.publisher.pending, "it is published")

    def die(self) -> None:
        """What a kill leaves: an open segment and a lock that is gone."""
        self.session.lock.release()

    def stop(self, at: datetime) -> None:
        self.keeper.end(microseconds(at))
        assert self.publisher.stop(10)
        self.session.lock.release()


def txs(lake: Lake) -> list[int]:
    return sorted(
        int.from_bytes(row) for row in reading.rows(lake, "trades_raw").column("tx_hash").to_pylist()
    )


def later(**by: float) -> Any:
    return lambda: AT + timedelta(**by)


def manifest(lake: Lake, table: str, hour: datetime = HOUR) -> manifests.Manifest:
    found = manifests.read(lake.store, folder(DECLARED[table], hour))
    assert found is not None
    return found


def test_rows_are_filed_by_the_hour_they_were_received_in(lake: Lake, tmp_path: Path) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.hear(AT + timedelta(minutes=1), trade(0, 2))
    one.turn(AT + timedelta(minutes=1))
    found = [Path(file).parent.name for file in reading.files(lake, "trades_raw")]
    assert found == ["hour=13", "hour=14"]


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({"seconds": 1}, False),
        ({"seconds": 29.9}, False),
        ({"seconds": 30}, True),  # the hour is over
        ({"seconds": 61}, True),
    ],
)
def test_a_segment_is_closed_with_its_minute_and_with_its_hour(
    lake: Lake, tmp_path: Path, change: dict[str, float], due: bool
) -> None:
    """An hour can only be sealed once no open segment holds rows of it."""
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.tick(AT + timedelta(**change))
    if due:
        wait_until(lambda: txs(lake) == [1], "it is published")
    assert (one.keeper.recorder.waiting == 0) is due


def test_a_burst_is_published_early(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "PUBLISH_ROWS", 3)
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1), trade(0, 2), trade(0, 3))
    one.tick(AT)
    wait_until(lambda: txs(lake) == [1, 2, 3], "it is published")


def test_recovery_of_a_killed_session_publishes_what_it_held_and_dates_its_end(
    lake: Lake, tmp_path: Path
) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, book(tokens(0)[0]), trade(0, 1))
    one.turn(AT + timedelta(seconds=1))
    one.hear(AT + timedelta(seconds=2), trade(0, 2))
    one.tick(AT + timedelta(seconds=3))
    one.hear(AT + timedelta(seconds=3.5), trade(0, 3))
    one.die()
    (found,) = recovery.abandoned(tmp_path)
    assert recovery.recover(lake, found) == 2
    assert txs(lake) == [1, 2, 3]
    assert found.ended() == Ended(microseconds(AT + timedelta(seconds=3)), "crashed")
    assert journal.segments(found.folder) == []
    assert recovery.recover(lake, found) == 0
    sequences = reading.rows(lake, "trades_raw").column("sequence").to_pylist()
    assert sequences == [2, 3, 4], "the numbers go on from one segment to the next"


@either_store
def test_recovery_interrupted_anywhere_and_repeated_gives_every_row_once(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Recording(lake, tmp_path)
    for n in range(3):
        one.hear(AT, trade(0, n), book(tokens(0)[0]), "unreadable")
    one.die()
    writes = 0
    real = lake.store.write_table

    def failing(path: str, rows: pa.Table) -> int:
        nonlocal writes
        writes += 1
        if writes in (1, 3, 6):
            raise LakeUnwritable("no space is left")
        return real(path, rows)

    monkeypatch.setattr(lake.store, "write_table", failing)
    for _ in range(3):
        (found,) = recovery.abandoned(tmp_path)
        with pytest.raises(LakeUnwritable):
            recovery.recover(lake, found)
    (found,) = recovery.abandoned(tmp_path)
    recovery.recover(lake, found)
    assert txs(lake) == [0, 1, 2]
    assert reading.rows(lake, "book_changes").num_rows == 6
    assert reading.rows(lake, "rejects").num_rows == 3


def test_a_torn_tail_is_cut_and_everything_before_it_recovered(lake: Lake, tmp_path: Path) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1), trade(0, 2))
    (segment,) = journal.segments(one.session.folder)
    segment.write_bytes(segment.read_bytes()[:-5])
    one.die()
    recovery.recover(lake, one.session)
    assert txs(lake) == [1]


def test_a_segment_torn_in_its_first_record_ends_a_session_all_the_same(lake: Lake, tmp_path: Path) -> None:
    one = Recording(lake, tmp_path)
    (segment,) = journal.segments(one.session.folder)
    segment.write_bytes(b"\x10")
    one.die()
    assert recovery.recover(lake, one.session) == 0
    assert one.session.ended() == Ended(microseconds(HOUR), "crashed")


def test_a_lake_that_cannot_be_written_keeps_the_journal_and_is_tried_again(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Memory stays bounded: batches beyond the first are read from the journal when their turn comes."""
    monkeypatch.setattr(publisher, "RETRY_S", 0.05)
    full = True
    real = lake.store.write_table

    def failing(path: str, rows: pa.Table) -> int:
        if full:
            raise LakeUnwritable("no space is left")
        return real(path, rows)

    monkeypatch.setattr(lake.store, "write_table", failing)
    one = Recording(lake, tmp_path)
    for n in range(5):
        one.hear(AT, trade(0, n))
        one.keeper.turn(microseconds(AT))
    wait_until(lambda: one.publisher.trouble, "the trouble is told")
    assert one.publisher.pending == 5
    assert [batch.rows is None for batch in one.publisher._pending] == [False] * 2 + [True] * 3
    assert txs(lake) == []
    full = False
    wait_until(lambda: not one.publisher.pending, "the lake takes it again")
    assert txs(lake) == [0, 1, 2, 3, 4]
    assert one.publisher.trouble is None
    assert sum("no space is left" in message for message in caplog.messages) == 1
    assert len(journal.segments(one.session.folder)) == 1


def test_a_journal_that_cannot_be_written_holds_everything_up_until_it_can(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is read meanwhile, so nothing heard is lost and memory does not grow."""
    monkeypatch.setattr(keeping, "RETRY_S", 0.02)
    one = Recording(lake, tmp_path)
    failures = iter([journal.JournalUnwritable("no space is left")] * 3)
    real = one.keeper._segment.append

    def failing(records: list[bytes]) -> None:
        if failure := next(failures, None):
            raise failure
        real(records)

    monkeypatch.setattr(one.keeper._segment, "append", failing)
    one.hear(AT, trade(0, 1))
    one.turn(AT)
    assert txs(lake) == [1]
    assert sum("nothing is read until it can be written" in message for message in caplog.messages) == 1


@either_store
def test_an_hour_is_sealed_when_it_is_over_and_no_journal_holds_anything_of_it(
    lake: Lake, tmp_path: Path
) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.keeper.gaps([Gap("g:1", microseconds(AT - timedelta(seconds=9)), microseconds(AT), "closed", 0)])
    assert sealing.seal(lake, tmp_path, clock=later(seconds=31)).sealed == {}
    held = sealing.seal(lake, tmp_path, clock=later(minutes=2))
    assert (held.sealed, held.held) == ({}, (HOUR,))
    one.turn(AT + timedelta(seconds=40))
    assert sealing.seal(lake, tmp_path, clock=later(seconds=60)).sealed == {}, "its grace is not over"
    done = sealing.seal(lake, tmp_path, clock=later(minutes=2))
    assert done.sealed == {
        HOUR: {"stream_gaps": 1, "trades_raw": 1, "book_changes": 0, "market_events": 0, "rejects": 0}
    }
    assert (manifest(lake, "trades_raw").rows, manifest(lake, "trades_raw").gaps) == (1, 1)
    assert manifest(lake, "rejects").through == HOUR + timedelta(hours=1)
    assert manifest(lake, "trades_raw").first == manifest(lake, "trades_raw").last == AT


def test_sealing_twice_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1), trade(0, 2), book(tokens(0)[0]))
    one.stop(AT + timedelta(seconds=1))
    sealing.seal(lake, tmp_path, clock=later(minutes=2))
    before = {path: lake.store.read_bytes(path) for table in TABLES for path in lake.store.list(table)}
    again = sealing.seal(lake, tmp_path, clock=later(minutes=5))
    assert (again.sealed, again.removed) == ({}, 0)
    assert {
        path: lake.store.read_bytes(path) for table in TABLES for path in lake.store.list(table)
    } == before
    assert sealing.seal(lake, tmp_path, clock=later(minutes=30)).removed == 2, (
        "the parts, when no reader holds them"
    )
    assert txs(lake) == [1, 2]


def test_an_hour_at_rest_is_left_alone_until_something_comes_into_it(
    object_lake: Lake, object_store: ObjectServer, tmp_path: Path
) -> None:
    """In an object store each of the hours of a week would be asked for five times seven times, every ten minutes."""
    one = Recording(object_lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.stop(AT + timedelta(seconds=1))

    def asked_of_hours(**ahead: float) -> int:
        object_store.asked.clear()
        sealing.seal(object_lake, tmp_path, clock=later(**ahead))
        return sum("list-type" not in r.query and "/date=" in r.path for r in object_store.asked)

    assert asked_of_hours(hours=1) > 0, "sealed"
    assert asked_of_hours(hours=2) > 0, "what was superseded goes"
    assert asked_of_hours(hours=3) > 0, "not for so long yet"
    assert asked_of_hours(hours=5) == 0
    row = reading.rows(object_lake, "trades_raw").slice(0, 1)
    object_lake.publish("trades_raw", row, part="late", at=AT)
    assert asked_of_hours(hours=6) > 0
    assert manifest(object_lake, "trades_raw").rows == 2


@either_store
def test_sealing_recovers_what_nobody_else_will(lake: Lake, tmp_path: Path) -> None:
    """A streamer that was killed and not started again must not keep its hours open for ever."""
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.die()
    assert list(sealing.seal(lake, tmp_path, clock=later(minutes=2)).sealed) == [HOUR]
    assert txs(lake) == [1]
    assert one.session.ended() is not None, "the next start accounts for the time between"


def test_hours_listened_to_without_a_word_are_sealed_empty(lake: Lake, tmp_path: Path) -> None:
    one = Recording(lake, tmp_path)
    one.keeper.turn(microseconds(AT + timedelta(hours=2)))
    wait_until(lambda: not one.publisher.pending, "nothing is left to publish")
    report = sealing.seal(lake, tmp_path, clock=later(hours=2))
    assert list(report.sealed) == [HOUR, HOUR + timedelta(hours=1)]
    assert manifest(lake, "trades_raw").rows == 0


class Obeying:
    """A loop's tick, without the loop: does what `flush` asks, as soon as it is asked."""

    def __init__(self, recording: Recording, at: datetime) -> None:
        self.recording, self.at = recording, at

    def sleep(self, _: float) -> None:
        self.recording.tick(self.at)
        time.sleep(0.01)


def test_sealing_until_now_takes_what_a_running_session_has_heard_and_again_what_came_since(
    lake: Lake, tmp_path: Path
) -> None:
    one = Recording(lake, tmp_path)
    obeying = Obeying(one, AT)
    one.hear(AT, trade(0, 1))
    sealing.seal(lake, tmp_path, clock=later(seconds=1), until_now=True, sleep=obeying.sleep)
    assert txs(lake) == [1]
    assert manifest(lake, "trades_raw").through == AT + timedelta(seconds=1)
    one.hear(AT + timedelta(seconds=2), trade(0, 2))
    one.turn(AT + timedelta(seconds=3))
    assert txs(lake) == [1, 2], "what comes after the seal is not hidden by it"
    sealing.seal(lake, tmp_path, clock=later(seconds=4), until_now=True, sleep=obeying.sleep)
    assert (txs(lake), manifest(lake, "trades_raw").rows) == ([1, 2], 2)
    one.stop(AT + timedelta(seconds=5))
    done = sealing.seal(lake, tmp_path, clock=later(minutes=2))
    assert manifest(lake, "trades_raw").through == HOUR + timedelta(hours=1)
    assert list(done.sealed) == [HOUR]
    assert txs(lake) == [1, 2]


def test_a_session_that_does_not_publish_is_named_and_nothing_sealed(lake: Lake, tmp_path: Path) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    with pytest.raises(Unavailable, match="did not publish 1 segments"):
        sealing.seal(lake, tmp_path, clock=later(seconds=1), until_now=True, sleep=lambda _: None)
    assert lake.store.list("trades_raw") == []


def test_rows_that_fit_no_table_are_kept_aside_whole(lake: Lake, tmp_path: Path) -> None:
    """One impossible row must not keep everything after it out of the lake."""
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    impossible = list(one.keeper.recorder.rows.others["trades_raw"][0])
    impossible[DECLARED["trades_raw"].names.index("price_e6")] = 2**40
    one.keeper.recorder.rows.others["trades_raw"].append(tuple(impossible))
    one.turn(AT)
    one.hear(AT, trade(0, 2))
    one.turn(AT)
    assert txs(lake) == [2]
    (aside,) = (tmp_path / "stream" / ".refused").iterdir()
    assert aside.name == f"{one.session.id}-000001-20261102T13.journal"
    assert next(sessions.all_sessions(tmp_path)).id == one.session.id


def test_a_session_lives_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    session = sessions.begin(tmp_path, Shard(3, 5), AT)
    assert list(recovery.abandoned(tmp_path)) == []
    assert (session.shard, session.began_at) == (Shard(3, 5), AT)
    session.lock.release()
    assert [found.id for found in recovery.abandoned(tmp_path)] == [session.id]
    Session(session.folder).forget()
    assert list(sessions.all_sessions(tmp_path)) == []


def test_a_table_that_takes_too_much_memory_does_not_keep_the_others_open(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1), book(tokens(0)[0]))
    one.stop(AT + timedelta(seconds=1))
    real = merging.merge

    def greedy(lake: Lake, table: str, hour: datetime, **given: Any) -> manifests.Manifest:
        if table == "book_changes":
            raise MemoryError("malloc of size 5 failed")
        return real(lake, table, hour, **given)

    with monkeypatch.context() as patched:
        patched.setattr(merging, "merge", greedy)
        report = sealing.seal(lake, tmp_path, clock=later(minutes=2))
    assert report.failed == (
        "book_changes of 2026-11-02 13:00 takes more memory than sealing is given (malloc of size 5 failed)",
    )
    assert manifest(lake, "trades_raw").rows == 1
    assert reading.rows(lake, "book_changes").num_rows == 2
    assert sealing.seal(lake, tmp_path, clock=later(minutes=3)).failed == ()
    assert manifest(lake, "book_changes").rows == 2


def test_a_sealing_process_has_so_much_memory_and_no_more() -> None:
    code = "from streamer import sealing; sealing.limit(); bytearray(sealing.MEMORY_BYTES + 1)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "MemoryError"


def test_of_two_sealings_the_second_has_nothing_to_do(lake: Lake, tmp_path: Path) -> None:
    """Streamers that are killed and started again must not leave a queue of sealings behind."""
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.stop(AT + timedelta(seconds=1))
    first = Lock(sessions.home(tmp_path) / "seal.lock")
    assert first.take()
    assert sealing.seal(lake, tmp_path, clock=later(minutes=2)).sealed == {}
    first.release()
    assert list(sealing.seal(lake, tmp_path, clock=later(minutes=2)).sealed) == [HOUR]


@either_store
def test_readers_have_their_fifteen_minutes_from_when_a_table_was_sealed(lake: Lake, tmp_path: Path) -> None:
    """Sealing the hours of an outage takes long; dated with its beginning, their parts would go with the next run."""
    one = Recording(lake, tmp_path)
    one.hear(AT, trade(0, 1))
    one.stop(AT + timedelta(seconds=5))
    asked: list[datetime] = []

    def ticking() -> datetime:
        asked.append(AT + timedelta(hours=2, minutes=len(asked)))
        return asked[-1]

    report = sealing.seal(lake, tmp_path, clock=ticking)
    assert list(report.sealed) == [HOUR]
    dated = [manifest(lake, table).sealed_at for table in TABLES]
    assert len(set(dated)) == len(TABLES)
    assert min(dated) > asked[0]
