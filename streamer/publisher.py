"""The thread that brings closed segments to the lake, in order, and keeps trying where it cannot be written."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamer.journal import JournalUnwritable, Segment
from streamer.publishing import publish_kept, reread
from streamer.rows import Rows
from streamer.sessions import Session

if TYPE_CHECKING:
    from polymarket_assets.lake.writing import Lake

log = logging.getLogger(__name__)

# Batches held in memory while the lake cannot be written; of more, only the journal knows.
BATCHES_HELD = 2
# A full disk is looked at again this often.
RETRY_S = 5.0


@dataclass
class Batch:
    """A closed segment and its rows; None: they are read from it again when their turn comes."""

    segment: Segment
    rows: Rows | None
    closed: bool = False


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
