"""One connection through its lives: what it should carry, when it is due, and when it was deaf.

Deafness begins at the last data heard (of a connection that never heard anything: when it was asked for)
and ends when every token has its book again, so a gap never claims less than what was missed. A token whose
book does not come in time no longer holds the connection's gap open: it is subscribed again, and its own
gap (`subscribe`) runs until its book comes.

Only readable data counts as life: a PONG, or a message nobody can read, does not. How long a silence may last
follows from the connection's own pace; one too slow to be judged by its silence is judged by what the venue says
over REST (`auditing`), or by its not even answering PING.

A market that was frozen while its socket lived is subscribed again, and where that does not help it is `stuck`:
it needs another socket. Its gap runs all the while.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from polymarket_assets.venue.records import BookFrame, Frame
from streamer.backoff import pause_s
from streamer.deafness import Deaf, Garble
from streamer.pace import Pace
from streamer.sockets import MarketSocket

# The venue closes a connection that has not said PING for about this long (PROTOCOL 8.2).
PING_EVERY_S = 10.0
# Three PINGs unanswered, of a socket that says nothing else either: nobody is there.
PONG_WITHIN_S = 32.0
# First books come at once, one after another: when none has come for this long, those still missing are late.
BOOKS_CEASED_S = 3.0
# A token is asked for again this often at the most; then it stays reported, until the connection is new.
SUBSCRIBE_TRIES = 2

# Where nobody read a socket for a while, the venue's good-bye comes with the last of what had piled up, within this.
CAUGHT_UP_S = 5.0
# A connection that lived this long was no failure: the next attempt is not put off for it.
STABLE_S = 10.0


@dataclass
class Awaited:
    """A token whose first book has not come."""

    since_us: int
    asked_at: float
    tries: int = 1
    # Beyond its time: it no longer holds the connection's gap open, and has its own.
    late: bool = False
    cause: str = "subscribe"
    # Asked for as often as it is worth on this socket.
    stuck: bool = False


class Connection:
    """A numbered place for a socket. Monotonic instants are seconds (`now`), wall-clock ones `_us`."""

    def __init__(self, number: int, *, now: float, now_us: int, dice: random.Random) -> None:
        self.number = number
        self.tokens: dict[str, str] = {}  # token id -> market id, as wanted
        self.socket: MarketSocket | None = None
        self.connecting = False
        self.due_at = now
        self.failures = 0
        self.deaf: tuple[int, str] | None = None
        self.last_data_at = now
        self.last_data_us = now_us
        self.opened_us: int | None = None
        self.garble = Garble()
        self._dice = dice
        self._pinged_at = self._opened_at = now
        self._subscribed: set[str] = set()
        self._awaited: dict[str, Awaited] = {}
        self._pace = Pace()
        # First books are coming: they tell nothing of the pace.
        self._settling = True
        self._ponged_at = self._book_at = now
        # When the last first book of the present socket was heard.
        self._book_us = 0
        # Since when nobody had read the socket, and when that was over.
        self._unread: tuple[int, float] | None = None

    @property
    def carried(self) -> int:
        """Tokens that were subscribed on the open socket."""
        return len(self._subscribed)

    @property
    def without_book(self) -> int:
        """Tokens subscribed whose book has not come."""
        return len(self._awaited)

    @property
    def late(self) -> int:
        """Tokens of these whose book is overdue."""
        return sum(awaited.late for awaited in self._awaited.values())

    def good_us(self, now: float, now_us: int) -> int:
        """Up to when everything this connection should have heard was heard."""
        late = (awaited.since_us for awaited in self._awaited.values() if awaited.late)
        return min([self.deaf[0] if self.deaf else now_us, self._unread_us(now, now_us), *late])

    def is_due(self, now: float) -> bool:
        """Whether a connection should be begun now."""
        return self.socket is None and not self.connecting and bool(self.tokens) and now >= self.due_at

    def opened(self, socket: MarketSocket, tokens: Iterable[str], now: float, now_us: int) -> None:
        """A socket is connected and has subscribed these tokens."""
        self.socket, self.connecting, self.opened_us = socket, False, now_us
        self._subscribed = set(tokens)
        self._awaited = {token: Awaited(now_us, now) for token in self._subscribed}
        self.last_data_at = self._pinged_at = self._opened_at = self._ponged_at = now
        self._book_us, self._unread = 0, None
        self._settling = True

    def stood_still(self, since_us: int, now: float) -> None:
        """Nobody read the socket since then: what piled up is stamped late, and a venue that gave us up did so before that."""
        self._unread = (self._unread_us(now, since_us), now)

    def failed(self, now: float) -> None:
        """No socket could be had."""
        self.connecting = False
        self.failures += 1
        self.due_at = now + pause_s(self.failures, self._dice)

    def lost(self, cause: str, now: float, now_us: int) -> list[Deaf]:
        """The socket is over, or must be: deaf since its last data. Returns the gaps of tokens that end here."""
        gaps = self._late_gaps(self._awaited, now_us)
        self._drop()
        if self.deaf is None:
            self.deaf = (self._unread_us(now, self.last_data_us), cause)
        self.failures = 0 if now - self._opened_at >= STABLE_S else self.failures
        self.failed(now)
        return gaps

    def want(
        self, tokens: Mapping[str, str], now: float, now_us: int, elsewhere: Collection[str] = ()
    ) -> tuple[list[Deaf], dict[str, Awaited]]:
        """Carry exactly these tokens from now on; `sync` tells the venue.

        Returns the gaps of tokens given up, and those whose gap goes on because another connection carries them `elsewhere`.
        """
        removed = [token for token in self._awaited if token not in tokens]
        moved = {
            token: self._awaited[token]
            for token in removed
            if token in elsewhere and self._awaited[token].late
        }
        gaps = self._late_gaps([token for token in removed if token not in moved], now_us)
        for token in removed:
            del self._awaited[token]
        if tokens and not self.tokens:
            self.deaf, self.last_data_us, self.due_at = (now_us, "connect"), now_us, now
        self.tokens = dict(tokens)
        if not tokens:
            self._drop()
            self.deaf = None
        return gaps, moved

    def take_over(self, moved: Mapping[str, Awaited], now: float, now_us: int) -> list[Deaf]:
        """Go on with the gaps of tokens that another connection gave up; returns those that end, since all of this one is deaf."""
        gaps = []
        for token, awaited in moved.items():
            if token in self._awaited:
                self._awaited[token] = replace(awaited, asked_at=now, tries=1, stuck=False)
            elif token in self.tokens:
                gaps.append(Deaf(awaited.since_us, now_us, awaited.cause, self.tokens[token]))
        return gaps

    def doubt(self, since_us: Mapping[str, int], now: float) -> None:
        """Subscribe markets again that were silent since these instants while the venue moved. Raises `Unavailable`."""
        tokens: dict[str, list[str]] = {}
        for token, market_id in self.tokens.items():
            if market_id in since_us and token in self._subscribed:
                tokens.setdefault(market_id, []).append(token)
        for market_id, ids in tokens.items():
            # One gap a market: its canonical token's book ends it.
            self._awaited[ids[0]] = Awaited(since_us[market_id], now, late=True, cause="silent")
        every = [token for ids in tokens.values() for token in ids]
        if self.socket is not None:
            self.socket.unsubscribe(every)
            self.socket.subscribe(every)

    def ponged(self, now: float) -> None:
        """PING was answered: somebody is there, and nothing more is known."""
        self._ponged_at = now

    def listening(self) -> set[str]:
        """The markets that should be heard just now: subscribed, and not waiting for their book."""
        if self.socket is None or self.deaf is not None:
            return set()
        waiting = {self.tokens.get(token) for token in self._awaited}
        return {market_id for market_id in self.tokens.values() if market_id not in waiting}

    def state_of(self, token: str) -> str:
        """How a token stands: `away` with its socket, `awaited`, `late`, `stuck`, or `live`."""
        if self.socket is None or token not in self._subscribed:
            return "away"
        awaited = self._awaited.get(token)
        if awaited is None:
            return "live"
        return "stuck" if awaited.stuck else "late" if awaited.late else "awaited"

    def stuck(self, now: float, first_book_s: float) -> set[str]:
        """Markets that no asking brings back on this socket; each is told once."""
        found = set()
        for token, awaited in self._awaited.items():
            over = (
                awaited.late and awaited.tries >= SUBSCRIBE_TRIES and now - awaited.asked_at >= first_book_s
            )
            if over and not awaited.stuck:
                awaited.stuck = True
                found.add(self.tokens[token])
        return found

    def sync(self, now: float, now_us: int) -> None:
        """Subscribe and unsubscribe what differs from what is wanted. Raises `Unavailable`: the socket is lost."""
        if self.socket is None:
            return
        added = [token for token in self.tokens if token not in self._subscribed]
        removed = [token for token in self._subscribed if token not in self.tokens]
        self._subscribed = set(self.tokens)
        for token in removed:
            self._awaited.pop(token, None)
        self._awaited |= {token: Awaited(now_us, now) for token in added}
        self._settling = self._settling or bool(added)
        self.socket.unsubscribe(removed)
        self.socket.subscribe(added)

    def heard(self, frames: Iterable[Frame], at_us: int, now: float) -> list[Deaf]:
        """Readable data came; returns the intervals of deafness that it ended."""
        self.last_data_at, self.last_data_us = now, at_us
        gaps: list[Deaf] = []
        for frame in frames if self._awaited else ():
            if type(frame) is BookFrame:
                gaps += self._late_gaps([frame.book.token_id], at_us)
                # Books also come after trades: those tell nothing of the first ones.
                if self._awaited.pop(frame.book.token_id, None) is not None:
                    self._book_at, self._book_us = now, at_us
        if self._settling:
            self._settling = any(not awaited.late for awaited in self._awaited.values())
            self._pace.forget_since(now)
        else:
            self._pace.heard()
        return gaps + self._hearing(at_us) if self.deaf else gaps

    def tick(self, now: float, now_us: int, *, silence_s: float, first_book_s: float) -> str | None:
        """PING where due, ask again for books that do not come; returns why the socket is to be given up, if it is.

        Raises:
            Unavailable: the socket is lost.
        """
        if self.socket is None:
            return None
        self._pace.tick(now)
        if (why := self._dead(now, silence_s)) is not None:
            return why
        if now - self._pinged_at >= PING_EVERY_S:
            self._pinged_at = now
            self.socket.ping()
        self._fall_behind(now, min(BOOKS_CEASED_S, first_book_s))
        self._ask_again(now, first_book_s)
        return None

    def ending(self, now: float, now_us: int) -> list[Deaf]:
        """The deafness that is still open when the session ends, and what may have piled up that nobody reads any more."""
        gaps = [*self._late_gaps(self._awaited, now_us), *self.garble.over(now_us, is_last=True)]
        unread_us = self._unread_us(now, now_us)
        if self.deaf is None and unread_us < now_us:
            self.deaf = (unread_us, "closed")
        if self.deaf is not None and self.tokens:
            gaps.append(Deaf(self.deaf[0], now_us, self.deaf[1]))
        return gaps

    def _drop(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self._subscribed.clear()
        self._awaited.clear()

    def _hearing(self, at_us: int) -> list[Deaf]:
        """The end of the connection's deafness, once no token that is in time is awaited."""
        if self.deaf is None or any(not awaited.late for awaited in self._awaited.values()):
            return []
        (from_us, cause), self.deaf = self.deaf, None
        return [Deaf(from_us, max(self._book_us or at_us, from_us), cause)]

    def _unread_us(self, now: float, good_us: int) -> int:
        """Up to when what was said was read, given when that was last so: earlier shortly after nobody read the socket."""
        if self._unread is None or now - self._unread[1] >= CAUGHT_UP_S:
            return good_us
        return min(good_us, self._unread[0])

    def _dead(self, now: float, silence_s: float) -> str | None:
        """Why the socket cannot be alive, if it cannot."""
        silent_s = now - self.last_data_at
        # First books come at once or not at all.
        limit_s = silence_s if self._settling else self._pace.silence_s(silence_s)
        if limit_s is not None and silent_s >= limit_s:
            return f"no data for {silent_s:.0f} s"
        if silent_s >= silence_s and now - self._ponged_at >= PONG_WITHIN_S:
            return f"no data, and no answer to PING for {now - self._ponged_at:.0f} s"
        return None

    def _fall_behind(self, now: float, ceased_s: float) -> None:
        """Tokens whose book did not come with the others have a gap of their own, and hold that of the connection open no longer."""
        for awaited in self._awaited.values():
            if not awaited.late and now - max(self._book_at, awaited.asked_at) >= ceased_s:
                awaited.since_us = self.deaf[0] if self.deaf else awaited.since_us
                awaited.late = True

    def _ask_again(self, now: float, first_book_s: float) -> None:
        overdue = {
            token: awaited
            for token, awaited in self._awaited.items()
            if now - awaited.asked_at >= first_book_s and awaited.tries < SUBSCRIBE_TRIES
        }  # fmt: skip
        for awaited in overdue.values():
            awaited.asked_at, awaited.tries = now, awaited.tries + 1
        if overdue and self.socket is not None:
            self.socket.unsubscribe(overdue)
            self.socket.subscribe(overdue)

    def _late_gaps(self, tokens: Iterable[str], to_us: int) -> list[Deaf]:
        """The gaps of late tokens that are waited for no longer: one a market, which goes on while another token of it is late."""
        over = {token: self._awaited[token] for token in tokens if token in self._awaited}
        gaps: dict[str | None, Deaf] = {}
        for token, awaited in over.items():
            market_id = self.tokens.get(token)
            other = next((a for t, a in self._awaited.items() if a.late and t not in over and self.tokens.get(t) == market_id), None)  # fmt: skip
            if awaited.late and other is not None:
                other.since_us, other.cause = min(
                    (other.since_us, other.cause), (awaited.since_us, awaited.cause)
                )
            elif awaited.late:
                since_us = min(awaited.since_us, gaps[market_id].from_us if market_id in gaps else to_us)
                gaps[market_id] = Deaf(since_us, to_us, awaited.cause, market_id)
        return list(gaps.values())
