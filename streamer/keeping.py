"""Keeping what was heard: the journal first, then rows, and a new segment when the present one is due.

Belongs to the loop's thread. A journal that cannot be written stops everything until it can: nothing is
read from the sockets meanwhile, so memory does not grow; the venue closes them, and that is a gap.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from streamer.entries import Entry, Gap, Heard, Interrupted, Listed, Markets, Stop, Tick, encode
from streamer.journal import JournalUnwritable, Segment
from streamer.publisher import Publisher
from streamer.recording import Recorder
from streamer.sessions import Ended, Session

log = logging.getLogger(__name__)

# A minute's delay is what a reader of the open hour accepts; shorter ones would make many small files.
PUBLISH_EVERY_S = 60.0
# Ten megabytes as they wait: what a burst may add before it is published early.
PUBLISH_ROWS = 200_000
# Ten seconds at the venue's highest rates. A rejected frame is its own row, in up to four times its bytes, and three
# batches may lie in memory.
PUBLISH_BYTES = 64 * 1024 * 1024
# A full disk is tried again this often.
RETRY_S = 1.0
# A crash is dated to this.
TICK_EVERY_US = 1_000_000
# Frames of a market given up may still be on their way for this long.
REMEMBERED_US = 10 * 60 * 1_000_000

_US = 1_000_000


def instant(at_us: int) -> datetime:
    """Microseconds since the epoch as an aware instant."""
    return datetime.fromtimestamp(at_us / _US, UTC)


class Keeper:
    """Journal, recorder and publisher of one session."""

    def __init__(
        self, session: Session, publisher: Publisher, now_us: int, stopping: threading.Event
    ) -> None:
        self.session, self.publisher = session, publisher
        self.recorder = Recorder(session.id)
        self.gap_count = 0
        # Why nothing can be journalled now; None: all is well.
        self.trouble: str | None = None
        self._given_up: dict[str, int] = {}
        self._expected: dict[str, Listed] = {}
        self._stopping = stopping
        self._ticked_us = now_us
        self._number = 0
        self._segment: Segment | None = self._open(now_us)

    def keep(self, entries: Iterable[Entry]) -> None:
        """Journal entries, waiting while the disk takes nothing; gives up only when told to stop, and says so."""
        records = [encode(entry) for entry in entries]
        is_last = False
        while records:
            try:
                self._writable().append(records)
            except JournalUnwritable as e:
                self._say(f"{e}; nothing is read until it can be written")
                self._relieve()
                if is_last:
                    log.error("%d entries are not in the journal, which cannot be written", len(records))
                    return
                is_last = self._stopping.wait(RETRY_S)
            else:
                self._say(None)
                return

    def take(self, heard: Heard) -> None:
        """Journal and record a message that was asked for rather than heard."""
        self.keep([heard])
        self.recorder.hear(heard)

    def expect(self, markets: Sequence[Listed]) -> None:
        """Markets that are subscribed from now on; journalled before any of their frames."""
        fresh = tuple(market for market in markets if self._expected.get(market.market_id) != market)
        present = {market.market_id: market for market in markets}
        now_us = time.time_ns() // 1000
        self._given_up |= {market_id: now_us for market_id in self._expected if market_id not in present}
        for market_id in present:
            self._given_up.pop(market_id, None)
        self._expected = present
        if fresh:
            self.keep([Markets(fresh)])
            self.recorder.know(fresh)

    def interrupt(self, market_ids: Iterable[str]) -> None:
        """The socket of these markets is over; journalled, so that their epochs end when read again too."""
        markets = tuple(market_ids)
        if markets:
            self.keep([Interrupted(markets)])
            self.recorder.interrupt(markets)

    def gap_id(self) -> str:
        """The identity of the next gap of this session; number 0 is the gap after its end."""
        self.gap_count += 1
        return f"{self.session.id}:{self.gap_count}"

    def gaps(self, gaps: Iterable[Gap]) -> None:
        """Journal and record gaps, one line each."""
        for gap in gaps:
            self.keep([gap])
            self.recorder.deaf(gap)
            where = "all" if gap.connection is None else f"connection {gap.connection}"
            log.info("gap of %.1f s (%s, %s)", (gap.to_us - gap.from_us) / _US, gap.cause, where)

    def tick(self, now_us: int, good_us: int) -> None:
        """Say that we are alive, and begin a new segment when the present one is due."""
        if now_us - self._ticked_us >= TICK_EVERY_US:
            self._ticked_us = now_us
            self.keep([Tick(now_us, good_us)])
        if self._is_due(now_us) or self.session.is_asked_to_flush():
            self.turn(now_us)

    def turn(self, now_us: int) -> None:
        """Close the segment, hand it to the publisher and begin the next."""
        self._forget(now_us)
        try:
            opened = self._open(now_us)
        except JournalUnwritable as e:
            self._say(f"{e}; the present segment is written on")
            return
        self._hand_over()
        self._segment = opened

    def end(self, now_us: int) -> None:
        """The session ends on purpose: everything goes to the publisher."""
        self.keep([Stop(now_us)])
        try:
            self.session.end(Ended(now_us, "stopped"))
        except OSError as e:
            log.error("the end of the session cannot be noted (%s): the next start takes it for a crash", e)
        self._hand_over()

    def sync(self) -> None:
        """Hand the journal to the disk now."""
        if self._segment is not None:
            self._segment.sync()

    def _hand_over(self) -> None:
        """Give the present segment, if there is one, to the publisher."""
        if self._segment is not None:
            self.publisher.add(self._segment, self.recorder.take())
            self._segment = None

    def _relieve(self) -> None:
        """Publish early: the segment goes, and with it the space it takes."""
        if self.recorder.waiting:
            self._hand_over()

    def _writable(self) -> Segment:
        """The present segment, begun anew where the last one was published early. Raises `JournalUnwritable`."""
        if self._segment is None:
            self._segment = self._open(time.time_ns() // 1000)
        return self._segment

    def _open(self, now_us: int) -> Segment:
        # Counted before it is tried: what a failed try may leave behind is not in the way of the next.
        self._number += 1
        segment = Segment(self.session.folder, self._number, instant(now_us))
        try:
            segment.append([encode(self.recorder.state(now_us))])
        except JournalUnwritable:
            segment.discard()
            raise
        self._opened_us = now_us
        return segment

    def _is_due(self, now_us: int) -> bool:
        hour_us = 3600 * _US
        return (
            now_us - self._opened_us >= PUBLISH_EVERY_S * _US
            or now_us // hour_us != self._opened_us // hour_us
            or self.recorder.waiting >= PUBLISH_ROWS
            or (self._segment is not None and self._segment.bytes >= PUBLISH_BYTES)
        )

    def _forget(self, now_us: int) -> None:
        over = [market_id for market_id, at_us in self._given_up.items() if now_us - at_us >= REMEMBERED_US]
        self.recorder.forget(over)
        for market_id in over:
            del self._given_up[market_id]

    def _say(self, trouble: str | None) -> None:
        """One line when trouble begins and one when it is over."""
        if trouble and not self.trouble:
            log.error("%s", trouble)
        elif self.trouble and not trouble:
            log.info("the journal can be written again")
        self.trouble = trouble
