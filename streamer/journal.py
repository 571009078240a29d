"""The journal: append-only segments of a session, the first and safest place of everything heard.

    STATE_DIR/stream/<session>/000001-20261102T13.journal      <number>-<hour it was opened in>
    STATE_DIR/stream/<session>/lock                            held while the session lives
    STATE_DIR/stream/<session>/ended.json                      how it ended, once all of it is published

A record is its length and CRC-32 (little endian, four bytes each) and its content. It is handed to the
operating system at once and reaches the disk within a second, so a killed process loses nothing and a
power cut at most that second. Reading ends before the first record that is not whole: a cut at any byte
leaves a prefix of what was written.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import struct
import threading
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from polymarket_assets.venue.errors import Unavailable

log = logging.getLogger(__name__)

# What a power cut may take: the promise is a second, and an fsync costs milliseconds.
SYNC_EVERY_S = 1.0
# A record longer than this is not one of ours: the length itself is damaged.
MAX_RECORD_BYTES = 64 * 1024 * 1024

_HEADER = struct.Struct("<II")
_NAME = re.compile(r"(\d{6,})-(\d{8}T\d{2})\.journal")


class JournalUnwritable(Unavailable):
    """The journal cannot be appended to now; what was appended before is whole."""


class Segment:
    """One segment, open for appending; a thread of its own hands it to the disk.

    Raises:
        JournalUnwritable: it cannot be made.
    """

    def __init__(self, folder: Path, number: int, at: datetime) -> None:
        self.number = number
        self.path = folder / f"{number:06d}-{at.astimezone(UTC):%Y%m%dT%H}.journal"
        self.bytes = 0
        try:
            self._fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except OSError as e:
            raise JournalUnwritable(f"the journal {self.path} cannot be begun: {e.strerror}") from e
        self._closing = threading.Event()
        self._syncing = threading.Thread(target=self._sync_regularly, name="fsync", daemon=True)
        self._syncing.start()

    def append(self, records: Iterable[bytes]) -> None:
        """Append whole records, or none of them.

        Raises:
            JournalUnwritable: the operating system would not take them; repeat the call.
        """
        content = b"".join(_framed(record) for record in records)
        try:
            taken = os.write(self._fd, content)
            while taken < len(content):
                taken += os.write(self._fd, content[taken:])
        except OSError as e:
            os.ftruncate(self._fd, self.bytes)
            raise JournalUnwritable(f"the journal {self.path} cannot be written: {e.strerror}") from e
        self.bytes += len(content)

    def sync(self) -> None:
        """Hand everything appended to the disk. Raises `JournalUnwritable`."""
        try:
            os.fdatasync(self._fd)
        except OSError as e:
            raise JournalUnwritable(
                f"the journal {self.path} cannot be handed to the disk: {e.strerror}"
            ) from e

    def close(self) -> None:
        """Close it, on the disk. Raises `JournalUnwritable` when the disk would not take it."""
        self._closing.set()
        self._syncing.join()
        try:
            self.sync()
        finally:
            os.close(self._fd)

    def discard(self) -> None:
        """Close it and take it away: nothing was ever appended to it."""
        with contextlib.suppress(JournalUnwritable):
            self.close()
        with contextlib.suppress(OSError):
            self.path.unlink()

    def _sync_regularly(self) -> None:
        while not self._closing.wait(SYNC_EVERY_S):
            try:
                self.sync()
            except JournalUnwritable as e:
                log.error("%s; what was heard in the last second is not safe from a power cut", e)


def _framed(record: bytes) -> bytes:
    return _HEADER.pack(len(record), zlib.crc32(record)) + record


def read(path: Path) -> Iterator[bytes]:
    """The whole records of a segment, oldest first; what follows the first damaged one is not returned."""
    with path.open("rb") as file:
        while len(header := file.read(_HEADER.size)) == _HEADER.size:
            length, checksum = _HEADER.unpack(header)
            if length > MAX_RECORD_BYTES:
                return
            record = file.read(length)
            if len(record) < length or zlib.crc32(record) != checksum:
                return
            yield record


def whole_bytes(records: Iterable[bytes]) -> int:
    """The bytes that these records take up in a segment."""
    return sum(_HEADER.size + len(record) for record in records)


def segments(folder: Path) -> list[Path]:
    """The segments of a session, oldest first."""
    return sorted(path for path in folder.glob("*.journal") if _NAME.fullmatch(path.name))


def number_of(segment: Path) -> int:
    """The number of a segment within its session, by its name."""
    return int(_matched(segment)[1])


def hour_of(segment: Path) -> datetime:
    """The start of the hour a segment was opened in; it holds nothing received earlier."""
    return datetime.strptime(_matched(segment)[2], "%Y%m%dT%H").replace(tzinfo=UTC)


def _matched(segment: Path) -> re.Match[str]:
    found = _NAME.fullmatch(segment.name)
    if found is None:
        raise ValueError(f"{segment} is not a segment of a journal")
    return found
