"""Rows to part files: what a segment of the journal held, filed by the hour in which it was received.

A part carries its session and segment in its name, so publishing a segment again replaces its parts and
changes nothing. A segment is removed only when all of its rows are in the lake.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from streamer import journal
from streamer.entries import Entry, State, Stop, Tick, decode
from streamer.journal import JournalUnwritable, Segment
from streamer.recording import TABLES, Recorder, Row, Rows
from streamer.sessions import Ended, Session

if TYPE_CHECKING:
    import pyarrow as pa

    from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)

# A minute's delay is what a reader of the open hour accepts; shorter ones would make many small files.
PUBLISH_EVERY_S = 60.0
# About 60 MB as Python rows: what a burst may add before it is published early.
PUBLISH_ROWS = 200_000
# Frames of no rows must not let a segment grow without end.
PUBLISH_BYTES = 256 * 1024 * 1024
# Batches held in memory while the lake cannot be written; of more, only the journal knows.
BATCHES_HELD = 2
# A full disk is looked at again this often.
RETRY_S = 5.0

_HOUR_US = 3_600_000_000


@dataclass
class Batch:
    """A closed segment and its rows; None: they are read from it again when their turn comes."""

    segment: Segment
    rows: Rows | None
    closed: bool = False


def publish(lake: Lake, session_id: str, segment: Path, rows: Rows) -> int:
    """Publish a segment's rows, then remove it; returns how many there were.

    Raises:
        LakeUnwritable: the segment stays; the call can be repeated.
    """
    part = f"{session_id}-{journal.number_of(segment):06d}"
    for table in TABLES:
        for hour, filed in _by_hour(table, rows[table]).items():
            lake.publish(table, _arrow(table, filed), part=part, at=hour)
    segment.unlink()
    return sum(map(len, rows.values()))


def publish_kept(lake: Lake, session: Session, segment: Path, rows: Rows) -> int:
    """`publish`; a segment whose rows the lake refuses for ever is kept aside, whole, and the next one gets its turn.

    Raises:
        LakeUnwritable: the segment stays; the call can be repeated.
    """
    from polymarket_assets.lake.errors import SchemaMismatch

    try:
        return publish(lake, session.id, segment, rows)
    except SchemaMismatch as e:
        aside = session.set_aside(segment)
        log.error("rows of %s do not fit their table, it is kept as %s: %s", segment.name, aside, e)
        return 0


def reread(segment: Path) -> tuple[Rows, Ended | None]:
    """The rows of a segment made again from its entries, and how the session ended if it ended in it.

    A last record that is not whole was being written when the process died, and was never acted upon.
    """
    entries = _entries(segment)
    first = next(entries, None)
    if not isinstance(first, State):
        return {table: [] for table in TABLES}, None
    recorder = Recorder.resumed(first)
    ended = Ended(first.at_us, "crashed")
    for entry in entries:
        recorder.replay(entry)
        if isinstance(entry, Tick):
            ended = Ended(entry.good_us, "crashed")
        elif isinstance(entry, Stop):
            ended = Ended(entry.at_us, "stopped")
    return recorder.take(), ended


def _entries(segment: Path) -> Iterator[Entry]:
    whole = 0
    for record in journal.read(segment):
        whole += journal.whole_bytes([record])
        yield decode(record)
    torn = segment.stat().st_size - whole
    if torn:
        log.warning("%s: the last %d bytes are no whole record and are cut off", segment.name, torn)


def _by_hour(table: str, rows: list[Row]) -> dict[datetime, list[Row]]:
    """Rows by the hour that files them: of receipt, or the end of a gap."""
    filed_by = 5 if table == "stream_gaps" else 3
    hours: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        hours[row[filed_by] // _HOUR_US].append(row)
    return {datetime.fromtimestamp(hour * 3600, UTC): filed for hour, filed in hours.items()}


def _arrow(table: str, rows: list[Row]) -> pa.Table:
    import pyarrow as pa

    from polymarket_assets.lake.errors import SchemaMismatch
    from polymarket_assets.lake.schemas import TABLES as DECLARED

    schema = DECLARED[table].schema
    columns = zip(*rows, strict=True)
    try:
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as e:
        raise SchemaMismatch(f"{table}: {e}") from e
    return pa.Table.from_arrays(arrays, schema=schema)


class Publisher:
    """A thread that publishes closed segments in order, and keeps trying where the lake cannot be written."""

    def __init__(self, lake: Lake, session: Session) -> None:
        self._lake, self._session = lake, session
        self._pending: list[Batch] = []
        self._change = threading.Condition()
        self._stopping = False
        self.published = 0
        # Why nothing can be published now; None: all is well.
        self.trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it still does its work; it never ends by itself."""
        return self._thread.is_alive()

    @property
    def pending(self) -> int:
        """Closed segments that are not in the lake yet."""
        return len(self._pending)

    def add(self, segment: Segment, rows: Rows) -> None:
        """Close and publish a segment when its turn comes; rows beyond what memory is given are read again then."""
        with self._change:
            self._pending.append(Batch(segment, rows if len(self._pending) < BATCHES_HELD else None))
            self._change.notify()

    def stop(self, within_s: float) -> bool:
        """Publish everything, at most this long; whether all of it is in the lake."""
        with self._change:
            self._stopping = True
            self._change.notify()
        self._thread.join(within_s)
        return not self._pending

    def _run(self) -> None:
        while batch := self._next():
            if self._published(batch):
                with self._change:
                    self._pending.pop(0)
            elif self._stopping:
                return

    def _next(self) -> Batch | None:
        with self._change:
            while not self._pending and not self._stopping:
                self._change.wait()
            return self._pending[0] if self._pending else None

    def _published(self, batch: Batch) -> bool:
        from polymarket_assets.lake.errors import LakeUnwritable

        self._close(batch)
        path = batch.segment.path
        rows = batch.rows if batch.rows is not None else reread(path)[0]
        try:
            self.published += publish_kept(self._lake, self._session, path, rows)
        except LakeUnwritable as e:
            self._say(f"{e}; {len(self._pending)} segments wait in the journal, nothing is lost")
            with self._change:
                self._change.wait(0 if self._stopping else RETRY_S)
            return False
        self._say(None)
        return True

    def _close(self, batch: Batch) -> None:
        if batch.closed:
            return
        batch.closed = True
        try:
            batch.segment.close()
        except JournalUnwritable as e:
            log.error("%s; it is published from memory", e)

    def _say(self, trouble: str | None) -> None:
        """One line when trouble begins and one when it is over."""
        if trouble and not self.trouble:
            log.error("%s", trouble)
        elif self.trouble and not trouble:
            log.info("the lake can be written again")
        self.trouble = trouble
