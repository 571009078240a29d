"""`run`: one session from its first moment to its last, with the threads and the process that work beside it."""

from __future__ import annotations

import gc
import logging
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from streamer import predecessors, recovery, sessions, status
from streamer.entries import Gap
from streamer.keeping import Keeper
from streamer.loop import Loop
from streamer.pages import View
from streamer.placing import place
from streamer.publisher import RETRY_S, Publisher
from streamer.recording import microseconds
from streamer.rounds import wall_us
from streamer.sealing import GRACE
from streamer.sessions import Ended, Session

if TYPE_CHECKING:
    from polymarket_assets.lake.writing import Lake
    from polymarket_assets.settings import Settings

log = logging.getLogger(__name__)

# Markets change their tier within minutes; a look at the lake costs milliseconds when nothing is new.
REFRESH_S = 30.0
# Beside once after each hour: hours that could not be sealed then, and files that a seal replaced. Half a CPU-second.
SEAL_EVERY_S = 600.0
# Objects made before the collector looks for cycles: its default, 700, costs an eighth of all work here.
COLLECT_AFTER = 100_000
# Whoever stops us waits about 20 seconds before killing.
STOP_S = 12.0


def run(settings: Settings, lake: Lake, *, refresh_s: float = REFRESH_S) -> int:
    """Record until SIGTERM or SIGINT; returns the exit code.

    Raises:
        AlreadyRunning, Unavailable, Refused: nothing was begun.
    """
    state_dir = settings.need_state_dir()
    only = sessions.only_one(state_dir, settings.shard)
    desk = status.Desk()
    # Before the session: one that could not begin would be taken for one that crashed.
    server = status.serve(settings.stream_status_port, desk, settings.stream_status_host)
    session = sessions.begin(state_dir, settings.shard, datetime.now(UTC))
    try:
        return _Run(settings, lake, session, desk, refresh_s).live()
    finally:
        server.shutdown()
        session.lock.release()
        only.release()


class _Run:
    """A session and everything that works for it."""

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        session: Session,
        desk: status.Desk,
        refresh_s: float,
    ) -> None:
        self._settings, self._lake, self._session = settings, lake, session
        self._desk, self._refresh_s = desk, refresh_s
        self._state_dir = settings.need_state_dir()
        self._began_us = wall_us()
        self._stopping = threading.Event()
        self._publisher = Publisher(lake, session)
        self._keeper = Keeper(session, self._publisher, self._began_us, self._stopping)
        desk.trouble = lambda: self._keeper.trouble
        dice = random.Random()
        self._loop = Loop(settings, self._keeper, self._stopping, dice=dice, began_us=self._began_us)
        self._sealing: subprocess.Popen[bytes] | None = None
        self._seal_at = time.monotonic()
        self._recovered = threading.Event()
        self._refreshing = threading.Thread(target=self._refresh, name="refresh", daemon=True)
        self._recovering = threading.Thread(target=self._recover, name="recovery", daemon=True)
        self._is_first = predecessors.left_nothing(self._state_dir, session)
        self._looking_back = threading.Thread(target=self._look_back, name="looking back", daemon=True)

    def live(self) -> int:
        """Listen until told to stop, then bring everything to the lake."""
        self._heed_signals()
        _collect_seldom()
        for thread in (self._refreshing, self._recovering, self._looking_back):
            thread.start()
        log.info("session %s listens to %s", self._session.id, self._settings.polymarket_ws_url)
        self._loop.run(self._every_tick)
        return self._end()

    def _end(self) -> int:
        self._keeper.end(wall_us())
        done = self._publisher.stop(STOP_S)
        if self._sealing is not None:
            self._sealing.terminate()
        if not done:
            log.error(
                "%d segments stay in the journal: the next start publishes them", self._publisher.pending
            )
        log.info("session %s ended: %d rows published", self._session.id, self._publisher.published)
        return 0

    def _heed_signals(self) -> None:
        signal.set_wakeup_fd(self._loop.waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())

    def _refresh(self) -> None:
        """Thread: look which markets should be listened to, and place them."""
        from polymarket_assets.lake.errors import LakeError
        from streamer.universe import Universe

        universe = Universe(self._lake, self._settings)
        places: dict[str, int] = {}
        each, most = self._settings.stream_max_tokens_per_connection, self._settings.stream_max_connections
        told: object = None
        while not self._stopping.is_set():
            self._loop.replace.clear()
            try:
                plan = place(
                    universe.wanted(datetime.now(UTC)),
                    places,
                    tokens_each=each,
                    most_sockets=most,
                    frozen_on=self._loop.frozen_on,
                )
            except LakeError as e:
                log.error("the markets to listen to cannot be read, the present ones stay: %s", e)
            else:
                places = plan.places
                self._loop.hand(lambda plan=plan: self._loop.follow(plan))  # type: ignore[misc]
                # Markets come and go all day; sockets and want of room are of note.
                if told != (noted := (len(plan.sockets), plan.left_out)):
                    log.info("%s", plan.summary)
                told = noted
            self._loop.replace.wait(self._refresh_s)

    def _recover(self) -> None:
        """Thread: bring to the lake what sessions that this one succeeds left, and account for the time between."""
        from polymarket_assets.lake.errors import LakeUnwritable

        told = ""
        while not self._stopping.is_set():
            try:
                for session in recovery.abandoned(self._state_dir):
                    if self._session.shard.succeeds(session.shard):
                        recovery.recover(self._lake, session)
                        self._account(session)
            except LakeUnwritable as e:
                told = _tell(str(e), told)
            earlier = self._earlier()
            # A shard that hands its markets over lives as long as it likes: it holds up no sealing.
            if all(session.shard != self._session.shard for session in earlier):
                self._recovered.set()
            if not earlier:
                return
            # The lake is full, a seal is publishing what a session left, or it still lives: it is ours after that.
            self._stopping.wait(RETRY_S)

    def _earlier(self) -> list[Session]:
        mine = self._session
        found = sessions.all_sessions(self._state_dir)
        return [session for session in found if session.id != mine.id and mine.shard.succeeds(session.shard)]

    def _account(self, session: Session) -> None:
        """Record the gap after a recovered session, then forget it; waits until that is done."""
        done = threading.Event()
        ended = session.ended() or Ended(int(session.began_at.timestamp()) * 1_000_000, "crashed")

        def record() -> None:
            self._keeper.gaps(recovery.gaps_after(session, ended, self._began_us))
            self._keeper.sync()
            session.forget()
            done.set()

        self._loop.hand(record)
        while not done.wait(1.0) and not self._stopping.is_set():
            pass

    def _look_back(self) -> None:
        """Thread: where no session here says since when nobody listened, account for it by what the lake tells."""
        from polymarket_assets.lake.errors import LakeError

        while self._is_first and not self._stopping.wait(predecessors.SHOWN_WITHIN_S):
            try:
                heard_at = predecessors.last_heard(self._lake, self._session, datetime.now(UTC))
            except LakeError as e:
                log.error("who listened before cannot be read, it is tried again: %s", e)
                continue
            if heard_at is not None and (ended_us := microseconds(heard_at)) < self._began_us:
                self._loop.hand(lambda ended_us=ended_us: self._keeper.gaps([Gap(self._keeper.gap_id(), ended_us, self._began_us, "stopped")]))  # type: ignore[misc]  # fmt: skip
            return

    def _every_tick(self) -> None:
        # Threads end only by a fault of ours, which is in the log; a new process may do better than a lame one.
        working = self._publisher.is_alive and self._refreshing.is_alive()
        if not working and not self._stopping.is_set():
            raise RuntimeError("a thread of the streamer is dead; what was heard is in the journal")
        self._desk.answer(self._view)
        self._seal()

    def _seal(self) -> None:
        """Have finished hours sealed by a process of its own: merging takes memory that listening must not lose.

        Where this shard does not seal, it only publishes what sessions left here that this one does not succeed.
        """
        if self._sealing is not None and (code := self._sealing.poll()) is not None:
            if code:
                log.error("sealing ended with code %d; it is tried again", code)
            self._sealing = None
        is_due = time.monotonic() >= self._seal_at
        if self._sealing is None and is_due and self._recovered.is_set():
            self._seal_at = time.monotonic() + _until_next_seal(datetime.now(UTC))
            self._sealing = subprocess.Popen(
                [sys.executable, "-m", "streamer", "seal", "--quiet"], start_new_session=True
            )

    def _trouble(self) -> str | None:
        """A journal that cannot be recovered must not keep us from listening, nor be passed over."""
        if self._recovering.is_alive() or self._recovered.is_set() or not self._recovering.ident:
            return None
        return (
            "what an earlier session left cannot be recovered, the log says why; no hour is sealed meanwhile"
        )

    def _view(self) -> View:
        return View(
            self._session.id, self._began_us, wall_us(), self._loop, self._keeper, self._publisher, self._trouble()
        )  # fmt: skip


def _collect_seldom() -> None:
    """Have the garbage collector look at what is young and cyclic only seldom: messages make much of the one and nothing of the other."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def _until_next_seal(now: datetime) -> float:
    """Seconds until the next hour is over and its grace too, or `SEAL_EVERY_S` where that is sooner."""
    since_hour = timedelta(minutes=now.minute, seconds=now.second, microseconds=now.microsecond)
    due = GRACE - since_hour if since_hour < GRACE else timedelta(hours=1) + GRACE - since_hour
    return min(SEAL_EVERY_S, due.total_seconds() + 1)


def _tell(news: str, told: str) -> str:
    """Log what differs from what was told last; returns what is told now."""
    if news != told:
        log.info("%s", news)
    return news
