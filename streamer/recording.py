"""Frames to rows: what was heard, in the form of the tables, and where each market's book stands.

The same code makes rows while listening and when a journal is read again, from a `State` and the entries
after it, so both give the same rows. Rows are tuples in the order of their table's columns.

Only the canonical token's book is recorded: the other is its mirror (PROTOCOL fact 20). Where a change
comes without its canonical half, it is mirrored here rather than lost. `best_bid_ask` is not recorded: the
book changes say it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.records import (
    E6,
    BookFrame,
    Frame,
    LifecycleFrame,
    PriceChangeFrame,
    TickSizeFrame,
    TradeFrame,
    UnreadableFrame,
)
from polymarket_assets.venue.records import Book as WholeBook
from streamer.books import Book, Level
from streamer.entries import Entry, Gap, Heard, Interrupted, Listed, Markets, State
from streamer.rows import CHANGE, NO_INSTANT, TABLES, Row, Rows

__all__ = ["TABLES", "Recorder", "microseconds"]

# Said by the book changes too; at the venue's rates they would be most of `market_events`.
NOT_RECORDED = frozenset({"best_bid_ask"})
# A price grid of tenths of a cent has a thousand levels a side; what claims more is not a book.
MOST_LEVELS = 20_000
# A book's hash is checked this often at the most: some fifty microseconds each, of a thread that shares our core.
CHECK_EVERY_US = 10_000_000
# The message of a trade follows its book by 36 ms (PROTOCOL 8.4); ten times that, and a slow wire.
LAST_TRADE_WITHIN_US = 1_000_000

# How JSON begins; what begins otherwise is the server talking ("INVALID OPERATION").
_DATA = frozenset({b"{", b"["})
# The connection of books that were asked for over REST.
REST = -1

# Names under which frames are counted.
_KINDS: dict[Any, str] = {
    BookFrame: "book",
    PriceChangeFrame: "price_change",
    TradeFrame: "last_trade_price",
    TickSizeFrame: "tick_size_change",
    LifecycleFrame: "lifecycle",
    UnreadableFrame: "unreadable",
}
# A market and the place of a token among its outcomes.
_Place = tuple[Book, int]

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An instant as the journal and the rows hold it."""
    return (at - _EPOCH) // _MICROSECOND


class Recorder:
    """Rows of one session, and what is needed to make them.

    `on_settled` is given a book when it stands as the venue's last hash says and that is due to be checked.
    """

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.rows = Rows(session_id, [])
        # Frames by type, and oddities, since the session began.
        self.heard: Counter[str] = Counter()
        self.books: dict[str, Book] = {}
        self.on_settled: Callable[[Book], None] | None = None
        self._sequence = 0
        self._epochs = 0
        self._places: dict[str, _Place] = {}

    @classmethod
    def resumed(cls, state: State) -> Recorder:
        """A recorder as it stood when a segment began; its books have no levels."""
        recorder = cls(state.session_id)
        recorder._sequence, recorder._epochs = state.sequence, state.books
        recorder.know(state.markets)
        for market_id, epoch in state.epochs.items():
            recorder.books[market_id].epoch = epoch
        return recorder

    def state(self, at_us: int) -> State:
        """Where the session stands: the first entry of a segment."""
        epochs = {market_id: book.epoch for market_id, book in self.books.items() if book.epoch}
        markets = tuple(book.market for book in self.books.values())
        return State(at_us, self.session_id, self._sequence, self._epochs, epochs, markets)

    def know(self, markets: Iterable[Listed]) -> None:
        """Frames of these markets' tokens can be given their identity from now on."""
        for market in markets:
            book = self.books.get(market.market_id)
            if book is None:
                book = self.books[market.market_id] = Book(market, len(self.rows.markets))
                self.rows.markets.append(market.market_id)
            book.market = market
            self._places |= {token: (book, n) for n, token in enumerate(market.token_ids)}

    def forget(self, market_ids: Iterable[str]) -> None:
        """Frames of these markets are not expected any more."""
        for market_id in market_ids:
            book = self.books.pop(market_id, None)
            for token in book.market.token_ids if book else ():
                self._places.pop(token, None)

    def interrupt(self, market_ids: Iterable[str]) -> None:
        """What these markets' books stood on is over: changes belong to no book until a whole one comes."""
        for market_id in market_ids:
            book = self.books.get(market_id)
            if book is not None:
                book.epoch, book.hash = 0, ""

    def place(self, token_id: str) -> tuple[Book, int] | None:
        """The market of a token and the token's place among its outcomes; None where it is not known."""
        return self._places.get(token_id)

    def settled(self, book: Book, at_us: int) -> None:
        """A book stands as the last hash says: hand it on to be checked, if there is anything to check it by."""
        if self.on_settled is not None and book.hash and book.epoch:
            book.check_due_us = at_us + CHECK_EVERY_US
            self.on_settled(book)
            # What does not change need not be checked again.
            book.hash = ""

    @property
    def waiting(self) -> int:
        """Rows made and not yet taken."""
        return len(self.rows)

    def take(self) -> Rows:
        """The rows made since the last time."""
        taken, self.rows = self.rows, Rows(self.session_id, list(self.books))
        for number, book in enumerate(self.books.values()):
            book.number = number
        return taken

    def replay(self, entry: Entry) -> None:
        """Make the rows of an entry read from a journal."""
        if isinstance(entry, Heard):
            self.hear(entry)
        elif isinstance(entry, Markets):
            self.know(entry.listed)
        elif isinstance(entry, Interrupted):
            self.interrupt(entry.market_ids)
        elif isinstance(entry, Gap):
            self.deaf(entry)

    def deaf(self, gap: Gap) -> None:
        """Record an interval in which we were deaf."""
        row = (
            gap.gap_id, self.session_id, gap.connection, gap.market_id, gap.from_us, gap.to_us, gap.cause, None, None,
        )  # fmt: skip
        self.rows.others["stream_gaps"].append(row)

    def hear(self, heard: Heard) -> list[Frame] | None:
        """Record one socket message; returns what it said, None where it was data and could not be read."""
        try:
            found = frames.parse(heard.payload)
        except MalformedPayload as e:
            self._reject(heard, str(e))
            return None if heard.payload.lstrip()[:1] in _DATA else []
        for frame in found:
            kind = type(frame)
            self.heard[_KINDS[kind]] += 1
            _RECORD[kind](self, heard, frame)
        return found

    def _at(self, heard: Heard) -> Row:
        """Where a row was heard; every frame of a session has its own number."""
        self._sequence += 1
        return (self.session_id, heard.connection, self._sequence, heard.at_us)

    def _trade(self, heard: Heard, trade: TradeFrame) -> None:
        place = self._places.get(trade.token_id)
        if place is None:
            self._reject(heard, f"a trade of token {trade.token_id}, which is not subscribed")
            return
        book, outcome = place
        book.heard_us, book.last_e6 = heard.at_us, E6 - trade.price_e6 if outcome else trade.price_e6
        tx_hash = bytes.fromhex(trade.tx_hash.removeprefix("0x")) if trade.tx_hash else None
        row = (
            *self._at(heard), trade.venue_at, book.market.market_id, trade.token_id, outcome,
            trade.is_buy, trade.price_e6, trade.size_e6, tx_hash,
        )  # fmt: skip
        self.rows.others["trades_raw"].append(row)

    def _book(self, heard: Heard, frame: BookFrame) -> None:
        said = frame.book
        place = self._places.get(said.token_id)
        if place is None:
            self._reject(heard, f"a book of token {said.token_id}, which is not subscribed")
        elif len(said.bids) + len(said.asks) > MOST_LEVELS:
            self._reject(heard, f"a book of {len(said.bids) + len(said.asks)} levels")
        elif place[1] == 0:
            self._whole(place[0], said, heard)
        else:
            place[0].heard_us = heard.at_us

    def _whole(self, book: Book, said: WholeBook, heard: Heard) -> None:
        """A whole book opens an epoch: what comes after it applies to it."""
        self._epochs += 1
        book.epoch, book.heard_us = self._epochs, heard.at_us
        # After a trade the last price under the hash comes a moment later, as a message of its own.
        book.check_due_us = heard.at_us + LAST_TRADE_WITHIN_US
        book.venue_us = NO_INSTANT if said.venue_at is None else microseconds(said.venue_at)
        book.hash = said.hash
        book.seeded_us = book.venue_us if heard.connection == REST else 0
        book.tick_e6 = book.tick_e6 if said.tick_e6 is None else said.tick_e6
        book.last_e6 = book.last_e6 if said.last_trade_e6 is None else said.last_trade_e6
        book.min_size_e6 = book.min_size_e6 if said.min_size_e6 is None else said.min_size_e6
        book.neg_risk = book.neg_risk if said.neg_risk is None else said.neg_risk
        book.version = said.version or book.version
        levels = _levels_of(said)
        book.whole(levels)
        self._levels(heard, book, levels, is_book=True)

    def _changes(self, heard: Heard, frame: PriceChangeFrame) -> None:
        canonical: list[Level] = []
        mirrored: list[Level] = []
        book, said = None, ""
        for change in frame.changes:
            place = self._places.get(change.token_id)
            if place is None:
                self.heard["changes of tokens not subscribed"] += 1
                continue
            book, outcome = place
            if outcome:
                mirrored.append((not change.is_bid, E6 - change.price_e6, change.size_e6))
            else:
                canonical.append((change.is_bid, change.price_e6, change.size_e6))
                said = change.hash
        if book is None:
            return
        if len(frame.changes) > MOST_LEVELS:
            self._reject(heard, f"a change of {len(frame.changes)} levels")
            return
        if canonical != mirrored:
            canonical = self._unmirrored(canonical, mirrored)
        if frame.venue_us < book.seeded_us:
            self.heard["changes that a book asked for holds already"] += 1
            return
        if frame.venue_us != book.venue_us:
            # A hash is of the book after all frames of its instant: only now is that known to be over.
            if heard.at_us >= book.check_due_us:
                self.settled(book, heard.at_us)
            book.venue_us = frame.venue_us
        book.hash, book.heard_us = said, heard.at_us
        for is_bid, price, size in canonical:
            book.change(is_bid, price, size)
        self._levels(heard, book, canonical, is_book=False)

    def _unmirrored(self, canonical: list[Level], mirrored: list[Level]) -> list[Level]:
        """The levels of a frame whose halves do not say the same in the same order: the canonical half counts."""
        one = {(is_bid, price): size for is_bid, price, size in canonical}
        other = {(is_bid, price): size for is_bid, price, size in mirrored}
        if one != other:
            self.heard["levels that lack their mirror"] += len(one.items() ^ other.items())
        return [(*at, size) for at, size in (other | one).items()]

    def _levels(self, heard: Heard, book: Book, levels: list[Level], *, is_book: bool) -> None:
        self._sequence += 1
        at_us, connection, sequence = heard.at_us, heard.connection, self._sequence
        venue_us, epoch, number = book.venue_us, book.epoch, book.number
        packed = self.rows.changes
        for row, (is_bid, price, size) in enumerate(levels):
            packed += CHANGE.pack(
                at_us, venue_us, sequence, size, price, epoch, number, connection, row, is_book, is_bid
            )

    def _tick_size(self, heard: Heard, frame: TickSizeFrame) -> None:
        """A whole book follows on the new grid; until it comes, changes belong to none."""
        place = self._places.get(frame.token_id)
        if place is not None:
            self.interrupt([place[0].market.market_id])
            place[0].tick_e6 = frame.new_tick_e6
        payload = heard.payload.decode(errors="replace")
        self._event(heard, "tick_size_change", frame, payload)

    def _told(self, heard: Heard, frame: LifecycleFrame) -> None:
        if frame.kind not in NOT_RECORDED:
            self._event(heard, frame.kind, frame, frame.payload)

    def _event(self, heard: Heard, kind: str, frame: TickSizeFrame | LifecycleFrame, payload: str) -> None:
        row = (*self._at(heard), frame.venue_at, kind, frame.condition_id, payload)
        self.rows.others["market_events"].append(row)

    def _unreadable(self, heard: Heard, frame: UnreadableFrame) -> None:
        self._reject(Heard(heard.at_us, heard.connection, frame.payload.encode()), frame.why)

    def _reject(self, heard: Heard, why: str) -> None:
        self.heard["rejected"] += 1
        self.rows.others["rejects"].append((*self._at(heard), why, heard.payload.decode(errors="replace")))


_RECORD: dict[Any, Callable[[Recorder, Heard, Any], None]] = {
    BookFrame: Recorder._book,
    PriceChangeFrame: Recorder._changes,
    TradeFrame: Recorder._trade,
    TickSizeFrame: Recorder._tick_size,
    LifecycleFrame: Recorder._told,
    UnreadableFrame: Recorder._unreadable,
}


def _levels_of(book: WholeBook) -> list[Level]:
    """The levels of a whole book; an empty one is a single removal, so that it clears what stood before too."""
    bids = [(True, level.price_e6, level.size_e6) for level in book.bids]
    asks = [(False, level.price_e6, level.size_e6) for level in book.asks]
    return bids + asks or [(True, 0, 0)]
