"""Heartbeats are not life: what was heard is held against the venue's own hashes and against what it says over REST.

- A book whose hash can be made again is right; one that was and no longer is, or whose best bid crosses its best
  ask, is asked for anew over REST, which opens an epoch.
- A market that said nothing for a while is asked about (`silence`): one that moved is frozen, however alive its socket
  looks; a quiet one, which did not, is left in peace.

Belongs to the loop's thread; sums and questions are done by two threads of its own. Instants are microseconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from polymarket_assets.venue.records import Book as WholeBook
from streamer import rest
from streamer.books import Book
from streamer.entries import Heard
from streamer.proofs import Outcome, Snapshot, matches, snapshot
from streamer.recording import REST, Recorder, microseconds
from streamer.silence import Silence
from streamer.working import Hand, Worker

if TYPE_CHECKING:
    from polymarket_assets.settings import Settings

_S = 1_000_000
# Books are looked through this often: microseconds for a thousand of them.
LOOK_EVERY_US = 1 * _S
# Silent markets are asked about this often: with the silence before and the doubt after, 34 s at the most.
AUDIT_EVERY_US = 10 * _S
# Bids and asks that met for a moment were reported (PROTOCOL 8.4); longer and the book is wrong.
CROSSED_US = 2 * _S
# A market's book is asked for anew this often at the most: what is wrong again so soon is not mended by asking.
RESEED_EVERY_US = 60 * _S
# Books asked for in one request.
MOST_RESEEDED = 100
# An answer older than what was heard meanwhile is asked for again, this often.
STALE_TRIES = 5


@dataclass
class _Reseed:
    """A book to be asked for."""

    cause: str
    tries: int = 0


@dataclass
class Account:
    """What the audits found since the session began."""

    checks: Counter[str] = field(default_factory=Counter)
    reseeds: Counter[str] = field(default_factory=Counter)
    # Silent markets: midpoints asked, books asked and compared, and those found frozen.
    asked: int = 0
    compared: int = 0
    frozen: int = 0


class Auditor:
    """`on_frozen` is given the books of markets that moved while the stream said nothing."""

    def __init__(
        self,
        settings: Settings,
        recorder: Recorder,
        keep: Callable[[Heard], None],
        hand: Hand,
        on_frozen: Callable[[list[Book]], None],
    ) -> None:
        self.account = Account()
        self._recorder, self._keep = recorder, keep
        self._rest = rest.Books(settings)
        self._checking, self._asking = Worker("check", hand), Worker("ask", hand)
        self._settled: list[tuple[Snapshot, int]] = []
        self._proved: set[str] = set()
        self._crossed: dict[str, int] = {}
        self._wrong: dict[str, _Reseed] = {}
        self._reseeded: dict[str, int] = {}
        self._silence = Silence(recorder, self._rest, self._asking, self.account, on_frozen)
        self._now_us = self._looked_us = self._audited_us = 0
        recorder.on_settled = lambda book: self._settled.append((snapshot(book), book.epoch))

    @property
    def asked_over_rest(self) -> dict[str, int | float | str]:
        """The account of the service that books are asked of; empty before the first question."""
        return self._rest.account()

    def tick(self, now_us: int, listening: Callable[[], Iterable[str]]) -> None:
        """Do what is due; `listening` gives the markets that should be heard just now."""
        self._now_us = now_us
        if now_us - self._looked_us >= LOOK_EVERY_US:
            self._looked_us = now_us
            self._look(now_us)
            self._silence.confirm(now_us)
        if now_us - self._audited_us >= AUDIT_EVERY_US:
            self._audited_us = now_us
            self._silence.ask(listening(), now_us)
        self._check()
        self._reseed()

    def _look(self, now_us: int) -> None:
        """Books that came to rest are checked too, and those that are crossed are given a moment."""
        crossed: dict[str, int] = {}
        for market_id, book in self._recorder.books.items():
            if not book.epoch:
                continue
            if now_us - book.heard_us >= LOOK_EVERY_US and now_us >= book.check_due_us:
                self._recorder.settled(book, now_us)
            if book.is_crossed:
                crossed[market_id] = self._crossed.get(market_id, now_us)
                if now_us - crossed[market_id] >= CROSSED_US:
                    self._want(market_id, "crossed", now_us)
        self._crossed = crossed

    # --- hashes ---------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._settled:
            held, self._settled = self._settled, []
            if not self._checking.submit(lambda: [matches(one) for one, _ in held], lambda found: self._checked(held, found)):  # fmt: skip
                self.account.checks["not made"] += len(held)

    def _checked(self, held: Sequence[tuple[Snapshot, int]], found: Sequence[bool] | None) -> None:
        for (one, epoch), same in zip(held, found or (), strict=False):
            outcome = self._judged(one.market_id, same)
            self.account.checks[outcome.value] += 1
            book = self._recorder.books.get(one.market_id)
            if outcome is not Outcome.SAME and book is not None and book.epoch == epoch:
                self._want(one.market_id, outcome.value, self._now_us)

    def _judged(self, market_id: str, same: bool) -> Outcome:
        if same:
            self._proved.add(market_id)
            return Outcome.SAME
        return Outcome.DIFFERS if market_id in self._proved else Outcome.UNKNOWN

    # --- books asked for anew -------------------------------------------------------------------

    def _want(self, market_id: str, cause: str, now_us: int) -> None:
        """Have a book asked for anew; one whose facts are unknown only once, since REST tells them."""
        last = self._reseeded.get(market_id)
        again = last is None or (cause != Outcome.UNKNOWN.value and now_us - last >= RESEED_EVERY_US)
        if again and market_id not in self._wrong:
            self._reseeded[market_id] = now_us
            self._wrong[market_id] = _Reseed(cause)

    def _reseed(self) -> None:
        wanted = list(self._wrong)[:MOST_RESEEDED]
        books = [self._recorder.books[market_id] for market_id in wanted if market_id in self._recorder.books]
        tokens = [book.market.token_ids[0] for book in books]
        if tokens:
            asked = {market_id: self._wrong[market_id] for market_id in wanted}
            if self._asking.submit(lambda: self._rest.books(tokens), lambda found: self._seed(asked, found)):
                for market_id in wanted:
                    del self._wrong[market_id]

    def _seed(self, asked: dict[str, _Reseed], found: Sequence[WholeBook] | None) -> None:
        """Record the books that came; one that is older than what was heard since is asked for again."""
        for said in found or ():
            place = self._recorder.place(said.token_id)
            if place is None or said.venue_at is None:
                continue
            book, venue_us = place[0], microseconds(said.venue_at)
            reseed = asked[book.market.market_id]
            if venue_us >= book.venue_us:
                self.account.reseeds[reseed.cause] += 1
                self._keep(Heard(self._now_us, REST, rest.frame(said, venue_us)))
            elif reseed.tries < STALE_TRIES:
                self._wrong[book.market.market_id] = _Reseed(reseed.cause, reseed.tries + 1)
