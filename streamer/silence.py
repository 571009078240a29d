"""Markets that say nothing: quiet, or frozen? The venue is asked over REST whether they moved meanwhile.

Midpoints are cheap and asked of every silent market in every round. They miss what does not move them, so whole
books are asked too, of as many markets as one request takes in turn. What REST says is given a moment to come over the
stream as well; a market that moved and still says nothing is frozen, however alive its socket looks.

Belongs to the loop's thread; questions are asked by the thread of `asking`. Instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from streamer import rest
from streamer.books import Book
from streamer.recording import Recorder
from streamer.working import Worker

if TYPE_CHECKING:
    from streamer.auditing import Account

_S = 1_000_000
# A market that said nothing for this long is asked about …
QUIET_US = 12 * _S
# … and has this long to say what REST said already: a venue that holds back for ten seconds is slow, not frozen.
DOUBT_US = 12 * _S
# Midpoints asked in one round: ten requests, a megabyte.
MOST_ASKED = 5_000
# Books asked in one round: one request, two megabytes; three thousand markets a minute.
MOST_COMPARED = 500
# A midpoint lies on half a tick; the smallest tick is a tenth of a cent.
MOVED_E6 = 500


class Silence:
    """`on_frozen` is given the books of markets that moved while the stream said nothing."""

    def __init__(
        self,
        recorder: Recorder,
        service: rest.Books,
        asking: Worker,
        account: Account,
        on_frozen: Callable[[list[Book]], None],
    ) -> None:
        self._recorder, self._rest, self._asking = recorder, service, asking
        self._account, self._on_frozen = account, on_frozen
        # Markets that moved over REST: when they were last heard, and when that was noticed.
        self._doubted: dict[str, tuple[int, int]] = {}
        # Silent markets whose book was the venue's: when that was asked.
        self._compared_us: dict[str, int] = {}
        self._now_us = 0

    def ask(self, listening: Iterable[str], now_us: int) -> None:
        """Ask about those of these markets that are silent."""
        self._now_us = now_us
        books = self._recorder.books
        silent = [
            book for market_id in listening
            if (book := books.get(market_id)) is not None and book.epoch and now_us - book.heard_us >= QUIET_US
        ]  # fmt: skip
        self._ask_midpoints(silent)
        self._ask_books(silent)

    def confirm(self, now_us: int) -> None:
        """Markets that REST said moved, and that the stream still says nothing of, are frozen."""
        self._now_us = now_us
        frozen = []
        for market_id, (heard_us, noticed_us) in list(self._doubted.items()):
            book = self._recorder.books.get(market_id)
            if book is None or book.heard_us != heard_us:
                del self._doubted[market_id]
            elif now_us - noticed_us >= DOUBT_US:
                del self._doubted[market_id]
                frozen.append(book)
        if frozen:
            self._account.frozen += len(frozen)
            self._on_frozen(frozen)

    def _ask_midpoints(self, silent: Sequence[Book]) -> None:
        """Most lately heard first: what spoke a moment ago and is silent now is likelier to be frozen."""
        chosen = sorted((b for b in silent if b.mid_e6 is not None), key=lambda b: -b.heard_us)[:MOST_ASKED]
        asked = _by_token(chosen)
        if asked and self._asking.submit(lambda: self._rest.midpoints(list(asked)), lambda found: self._moved(asked, found)):  # fmt: skip
            self._account.asked += len(asked)

    def _ask_books(self, silent: Sequence[Book]) -> None:
        """Longest unproved first, so that each has its turn."""
        self._compared_us = {b.market.market_id: at for b in silent if (at := self._compared_us.get(b.market.market_id))}  # fmt: skip
        chosen = sorted(silent, key=lambda b: max(b.heard_us, self._compared_us.get(b.market.market_id, 0)))
        asked = _by_token(chosen[:MOST_COMPARED])
        if asked and self._asking.submit(lambda: self._rest.levels(list(asked)), lambda found: self._differ(asked, found)):  # fmt: skip
            self._compared_us |= {book.market.market_id: self._now_us for book, _ in asked.values()}
            self._account.compared += len(asked)

    def _moved(self, asked: dict[str, tuple[Book, int]], found: dict[str, int] | None) -> None:
        for token, mid_e6 in (found or {}).items():
            book, heard_us = asked[token]
            ours = book.mid_e6
            if ours is not None and abs(mid_e6 - ours) >= MOVED_E6:
                self._doubt(book, heard_us)

    def _differ(self, asked: dict[str, tuple[Book, int]], found: dict[str, rest.Levels] | None) -> None:
        for token, said in (found or {}).items():
            book, heard_us = asked[token]
            if said.venue_us > book.venue_us and (said.bids, said.asks) != (book.bids, book.asks):
                self._doubt(book, heard_us)

    def _doubt(self, book: Book, heard_us: int) -> None:
        if book.heard_us == heard_us:
            self._doubted.setdefault(book.market.market_id, (heard_us, self._now_us))


def _by_token(books: Iterable[Book]) -> dict[str, tuple[Book, int]]:
    """Books with the instant they were last heard, by their canonical token."""
    return {book.market.token_ids[0]: (book, book.heard_us) for book in books}
