"""Rows to part files: what a segment of the journal held, filed by the hour in which it was received.

A part carries its session and segment in its name, so publishing a segment again replaces its parts and
changes nothing. A segment is removed only when all of its rows are in the lake.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from streamer import journal
from streamer.entries import Entry, State, Stop, Tick, decode
from streamer.recording import Recorder
from streamer.rows import TABLES, Rows
from streamer.sessions import Ended, Session

if TYPE_CHECKING:
    import pyarrow as pa

    from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)


def publish(lake: Lake, session_id: str, segment: Path, rows: Rows) -> int:
    """Publish a segment's rows, then remove it; returns how many there were.

    Raises:
        LakeUnwritable: the segment stays; the call can be repeated.
    """
    part = f"{session_id}-{journal.number_of(segment):06d}"
    for table in TABLES:
        for hour, filed in _by_hour(table, rows.arrow(table)):
            lake.publish(table, filed, part=part, at=hour)
    segment.unlink()
    return len(rows)


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
        return Rows("", []), None
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


def _by_hour(table: str, rows: pa.Table) -> Iterator[tuple[datetime, pa.Table]]:
    """Rows by the hour that files them: of receipt, or the end of a gap."""
    import pyarrow.compute as pc

    if not rows.num_rows:
        return
    filed_by = rows.column("to_at" if table == "stream_gaps" else "received_at")
    hours = pc.floor_temporal(filed_by, unit="hour")
    for hour in pc.unique(hours).to_pylist():
        yield hour, rows.filter(pc.equal(hours, hour))
