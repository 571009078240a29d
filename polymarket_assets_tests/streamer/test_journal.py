"""The journal keeps a prefix whatever happens to it, and what it keeps makes the same rows again."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer import journal
from streamer.entries import Gap, Heard, Listed, Markets, State, Stop, Tick, decode, encode
from streamer.journal import JournalUnwritable, Segment

AT = datetime(2026, 11, 2, 13, 59, tzinfo=UTC)


def write(folder: Path, records: list[bytes], number: int = 1) -> Path:
    segment = Segment(folder, number, AT)
    for record in records:
        segment.append([record])
    segment.close()
    return segment.path


@given(records=st.lists(st.binary(max_size=40), max_size=8), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_segment_cut_at_any_byte_gives_a_prefix(
    tmp_path_factory: pytest.TempPathFactory, records: list[bytes], data: st.DataObject
) -> None:
    """A torn tail must neither hide what came before it nor be taken for a record."""
    path = write(tmp_path_factory.mktemp("journal"), records)
    cut = data.draw(st.integers(0, path.stat().st_size))
    os.truncate(path, cut)
    found = list(journal.read(path))
    assert found == records[: len(found)]
    assert journal.whole_bytes(found) <= cut
    assert len(found) == len(records) or journal.whole_bytes(records[: len(found) + 1]) > cut


@given(where=st.integers(0, 10_000), flipped=st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_byte_ends_reading_before_its_record(
    tmp_path_factory: pytest.TempPathFactory, where: int, flipped: int
) -> None:
    records = [b"first", b"second record", b"third"]
    path = write(tmp_path_factory.mktemp("journal"), records)
    content = bytearray(path.read_bytes())
    where %= len(content)
    content[where] ^= flipped
    path.write_bytes(content)
    untouched = next(n for n in range(3) if journal.whole_bytes(records[: n + 1]) > where)
    assert list(journal.read(path)) == records[:untouched]


MARKET = Listed("pm:0x1", "0x1", ("10", "11"))


@pytest.mark.parametrize(
    "entry",
    [
        Heard(1_790_000_000_000_001, 32_767, b'{"event_type":"book"}'),
        Heard(0, -1, b""),
        State(5, "s", 7, 2, {"pm:0x1": 2}, (MARKET,)),
        Markets((MARKET,)),
        Gap("s:1", 3, 4, "closed", 0, None),
        Tick(9, 8),
        Stop(10),
    ],
)
def test_an_entry_comes_back_as_it_was_written(entry: object) -> None:
    assert decode(encode(entry)) == entry  # type: ignore[arg-type]


def test_segments_are_told_by_number_and_hour(tmp_path: Path) -> None:
    second, first = write(tmp_path, [], 2), write(tmp_path, [], 1)
    (tmp_path / "lock").touch()
    assert journal.segments(tmp_path) == [first, second]
    assert (journal.number_of(second), journal.hour_of(second)) == (2, datetime(2026, 11, 2, 13, tzinfo=UTC))


def test_a_full_disk_leaves_whole_records_and_the_call_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a record in the middle would hide everything appended after it."""
    segment = Segment(tmp_path, 1, AT)
    segment.append([b"one"])
    real = os.write

    def half(fd: int, content: bytes) -> int:
        if len(content) < 12:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(fd, content[:7])

    with monkeypatch.context() as patched:
        patched.setattr(journal.os, "write", half)
        with pytest.raises(JournalUnwritable, match="No space left"):
            segment.append([b"two"])
    segment.append([b"three"])
    segment.close()
    assert list(journal.read(segment.path)) == [b"one", b"three"]


def test_a_segment_that_took_nothing_leaves_nothing_behind(tmp_path: Path) -> None:
    segment = Segment(tmp_path, 1, AT)
    segment.discard()
    assert journal.segments(tmp_path) == []
    Segment(tmp_path, 1, AT).close()
