"""The loop: every socket of the session in one selector, and everything that must happen in order.

Each turn takes what has come, journals it, and only then reads it. Whatever may wait for something else
(connecting, looking at the lake, publishing, the disk) is done by threads that hand their results in here;
all state of connections and recording belongs to this thread alone.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING

from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.venue.records import UnreadableFrame
from streamer.auditing import Account, Auditor
from streamer.books import Book
from streamer.connections import Awaited, Connection
from streamer.deafness import Deaf
from streamer.dialling import Connect, Dialler
from streamer.entries import Gap, Heard
from streamer.freezes import Freezes
from streamer.keeping import Keeper
from streamer.placing import Plan
from streamer.rounds import Batch, Rounds, wall_us
from streamer.sockets import MarketSocket, connect

if TYPE_CHECKING:
    from polymarket_assets.settings import Settings

log = logging.getLogger(__name__)

# Timers are looked at this often.
TICK_S = 0.25
# A tick that comes later than this says nothing of the venue.
STALLED_S = 1.0
Handed = Callable[[], None]


class Loop:
    """Listens until told to stop. `hand` is for other threads, `waker` for signals; everything else is for its own."""

    def __init__(
        self,
        settings: Settings,
        keeper: Keeper,
        stopping: threading.Event,
        *,
        dice: random.Random,
        began_us: int,
        connect: Connect = connect,
        compares: bool = True,
    ) -> None:
        self._settings, self._keeper, self._stopping, self._dice = settings, keeper, stopping, dice
        # Whether what is heard is held against what the venue says over REST: a capture has no venue.
        self._compares = compares
        # Before the first look at the lake nothing is listened to, and that is as deaf as any other time.
        self._asked_us: int | None = began_us
        self.connections: list[Connection] = []
        # Where markets froze, and the sign for whoever places them to do so again.
        self.freezes = Freezes()
        self.frozen_on: dict[str, set[int]] = {}
        self.replace = threading.Event()
        self.plan: Plan | None = None
        self.reconnects = 0
        self._ticked_us = began_us
        self.last_data_us: int | None = None
        self._handed: queue.SimpleQueue[Handed] = queue.SimpleQueue()
        self._rounds = Rounds()
        self._auditor = Auditor(settings, keeper.recorder, keeper.take, self.hand, self._frozen)
        self._dialler = Dialler(settings.polymarket_ws_url, self.hand, self._opened, connect)

    @property
    def audits(self) -> Account:
        """What comparing with the venue found."""
        return self._auditor.account

    @property
    def asked_over_rest(self) -> dict[str, int | float | str]:
        """The account of the service that books are asked of; empty before the first question."""
        return self._auditor.asked_over_rest

    @property
    def waker(self) -> int:
        """The file descriptor that signals write to, so that they end a wait."""
        return self._rounds.waker

    def hand(self, action: Handed) -> None:
        """Have the loop's own thread do something."""
        self._handed.put(action)
        self._rounds.wake()

    def run(self, every_tick: Callable[[], None]) -> None:
        """Listen until `stopping` is set; `every_tick` is called about every `TICK_S`."""
        tick_at = time.monotonic()
        while not self._stopping.is_set():
            self._take(self._rounds.read(tick_at - time.monotonic()))
            while not self._handed.empty():
                self._handed.get()()
            if (now := time.monotonic()) >= tick_at:
                # Held up by the disk, we have not read what lies in the sockets: their silence was ours.
                stalled, tick_at = now - tick_at > STALLED_S, now + TICK_S
                if stalled:
                    self._stood_still(now)
                else:
                    self._tick(now, wall_us())
                self._ticked_us = wall_us()
                every_tick()
        self._end()

    def follow(self, plan: Plan) -> None:
        """Carry what a plan says: connections are added, changed or let go."""
        self.plan, self.frozen_on = plan, self.freezes.sockets(wall_us())
        now, now_us = time.monotonic(), wall_us()
        self._keeper.expect([market for carried in plan.sockets for market in carried])
        while len(self.connections) < len(plan.sockets):
            number = len(self.connections)
            self.connections.append(Connection(number, now=now, now_us=now_us, dice=self._dice))
        everywhere = {token for carried in plan.sockets for market in carried for token in market.token_ids}
        moved: dict[str, Awaited] = {}
        for connection in self.connections:
            carried = plan.sockets[connection.number] if connection.number < len(plan.sockets) else ()
            tokens = {token: market.market_id for market in carried for token in market.token_ids}
            if not tokens:
                self._rounds.drop(connection)
            gaps, left = connection.want(tokens, now, self._asked_us or now_us, everywhere)
            self._deaf(connection, gaps)
            moved |= left
        for connection in self.connections:
            self._guarded(connection, partial(connection.sync, now, now_us))
            mine = {token: awaited for token, awaited in moved.items() if token in connection.tokens}
            self._deaf(connection, connection.take_over(mine, now, now_us))
        self._asked_us = None

    def _take(self, reads: Batch) -> None:
        """Journal everything that was taken from the sockets, then read it, then see to connections that are over."""
        if not reads:
            return
        heard = [
            (connection, Heard(at_us, connection.number, message))
            for connection, read in reads
            for at_us, message in read.messages
        ]
        now = time.monotonic()
        self._keeper.keep(entry for _, entry in heard)
        for connection, entry in heard:
            frames = self._keeper.recorder.hear(entry)
            if frames:
                self.last_data_us = entry.at_us
                self._deaf(connection, connection.heard(frames, entry.at_us, now))
            # Only of an array can a part be unreadable.
            if frames is None or (len(frames) > 1 and any(type(f) is UnreadableFrame for f in frames)):
                connection.garble.add(entry.at_us)
        for connection, read in reads:
            if read.pong:
                connection.ponged(now)
            if read.closed is not None:
                self._lose(connection, "closed", read.closed)

    def _tick(self, now: float, now_us: int) -> None:
        for connection in self.connections:
            self._guarded(connection, partial(self._check, connection, now, now_us))
            self._deaf(connection, connection.garble.over(now_us))
            if connection.is_due(now):
                self._dialler.dial(connection, now)
        if self._compares:
            self._auditor.tick(now_us, self._listening)
        self._keeper.tick(now_us, min((c.good_us(now, now_us) for c in self.connections), default=now_us))

    def _stood_still(self, now: float) -> None:
        """The loop was held up: for as long nobody listened."""
        for connection in self.connections:
            if connection.socket is not None:
                connection.stood_still(self._ticked_us, now)

    def _check(self, connection: Connection, now: float, now_us: int) -> None:
        silent = connection.tick(
            now, now_us, silence_s=self._settings.stream_silence_s, first_book_s=self._settings.stream_first_book_s
        )  # fmt: skip
        if silent is not None:
            self._lose(connection, "silent", silent)
            return
        stuck = connection.stuck(now, self._settings.stream_first_book_s)
        for market_id in stuck:
            self.freezes.add(market_id, connection.number, now_us, moves=True)
        self._move(stuck)

    def _listening(self) -> set[str]:
        """The markets that should be heard just now."""
        return set().union(*(connection.listening() for connection in self.connections))

    def _frozen(self, books: list[Book]) -> None:
        """Markets that moved unheard: a socket that says nothing at all is lost, on a living one they are subscribed again."""
        now, now_us = time.monotonic(), wall_us()
        since = {book.market.market_id: book.heard_us for book in books}
        for connection in self.connections:
            mine = {id_: since[id_] for id_ in dict.fromkeys(connection.tokens.values()) if id_ in since}
            if not mine or connection.socket is None:
                continue
            if now - connection.last_data_at >= self._settings.stream_silence_s:
                self._lose(connection, "silent", f"{len(mine)} of its markets moved and it said nothing")
                continue
            log.warning(
                "connection %d: %d markets moved and it said nothing of them", connection.number, len(mine)
            )
            self._keeper.interrupt(mine)
            again = {id_ for id_ in mine if self.freezes.add(id_, connection.number, now_us) > 1}
            self._guarded(connection, partial(connection.doubt, mine, now))
            self._move(again)

    def _move(self, market_ids: Collection[str]) -> None:
        """Have markets placed on other sockets than those on which they froze."""
        if market_ids:
            self.frozen_on = self.freezes.sockets(wall_us())
            self.replace.set()

    def _guarded(self, connection: Connection, act: Callable[[], None]) -> None:
        try:
            act()
        except Unavailable as e:
            self._lose(connection, "closed", str(e))

    def _opened(self, connection: Connection, connected: MarketSocket, tokens: list[str]) -> None:
        if not connection.tokens or self._stopping.is_set():
            connected.close()
            connection.connecting = False
            return
        now, now_us = time.monotonic(), wall_us()
        connection.opened(connected, tokens, now, now_us)
        self._rounds.add(connection)
        log.info("connection %d is open with %d tokens", connection.number, len(tokens))
        self._guarded(connection, partial(connection.sync, now, now_us))

    def _lose(self, connection: Connection, cause: str, why: str) -> None:
        log.warning("connection %d: %s; connecting again", connection.number, why)
        self.reconnects += 1
        self._rounds.drop(connection)
        self._keeper.interrupt(dict.fromkeys(connection.tokens.values()))
        self._deaf(connection, connection.lost(cause, time.monotonic(), wall_us()))

    def _deaf(self, connection: Connection, intervals: list[Deaf]) -> None:
        if intervals:
            self._keeper.gaps([
                Gap(self._keeper.gap_id(), i.from_us, i.to_us, i.cause, connection.number, i.market_id) for i in intervals
            ])  # fmt: skip

    def _end(self) -> None:
        """Close every socket and record the deafness still open."""
        now, now_us = time.monotonic(), wall_us()
        for connection in self.connections:
            self._deaf(connection, connection.ending(now, now_us))
            self._rounds.drop(connection)
            connection.want({}, now, now_us)  # closes the socket
        self._rounds.close()
