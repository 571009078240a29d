"""Recovery: what earlier sessions left behind goes to the lake, and how they ended is established.

Starting, recovering and sealing share this path: whoever finds a session that nobody lives in publishes its
segments. A recorder that starts then records the interval between the two sessions as a gap.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from streamer import journal, sessions
from streamer.entries import Gap
from streamer.publishing import publish_kept, reread
from streamer.sessions import Ended, Session

if TYPE_CHECKING:
    from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)


def abandoned(state_dir: Path) -> Iterator[Session]:
    """Sessions that nobody lives in, oldest first, locked by us while we hold them."""
    for session in sessions.all_sessions(state_dir):
        if session.lock.take():
            try:
                yield session
            finally:
                session.lock.release()


def recover(lake: Lake, session: Session) -> int:
    """Publish the segments of an abandoned session and establish how it ended; returns the rows published.

    Raises:
        LakeUnwritable: what is not published stays; the call can be repeated.
    """
    published = 0
    found = journal.segments(session.folder)
    for segment in found:
        rows, ended = reread(segment)
        if segment == found[-1] and session.ended() is None:
            session.end(ended or Ended(_opened_us(segment), "crashed"))
        published += publish_kept(lake, session, segment, rows)
    if found:
        log.info("session %s: %d rows of %d segments recovered", session.id, published, len(found))
    return published


def gaps_after(session: Session, ended: Ended, began_us: int) -> list[Gap]:
    """The interval between the end of a session and the beginning of ours, in which nobody listened; none where they overlapped."""
    return [Gap(f"{session.id}:0", ended.at_us, began_us, ended.cause)] if ended.at_us < began_us else []


def _opened_us(segment: Path) -> int:
    """When a segment was opened, by its name: all that a segment torn in its first record tells."""
    return int(journal.hour_of(segment).timestamp()) * 1_000_000
