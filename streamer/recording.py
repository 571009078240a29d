"""Frames to rows: what was heard, in the form of the tables, and where each market's book stands.

The same code makes rows while listening and when a journal is read again, from a `State` and the entries
after it, so both give the same rows. Rows are tuples in the order of their table's columns.

Only the canonical token's book is recorded: the other is its mirror (PROTOCOL fact 20). Where a change
comes without its canonical half, it is mirrored here rather than lost. `best_bid_ask` is not recorded: the
book changes say it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.venue import frames
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.records import (
    E6,
    Book,
    BookFrame,
    Frame,
    LifecycleFrame,
    PriceChangeFrame,
    TickSizeFrame,
    TradeFrame,
)
from streamer.entries import Entry, Gap, Heard, Listed, Markets, State

Rows = dict[str, list[tuple[Any, ...]]]
Row = tuple[Any, ...]

TABLES = ("trades_raw", "book_changes", "market_events", "rejects", "stream_gaps")
# Said by the book changes too; at the venue's rates they would be most of `market_events`.
NOT_RECORDED = frozenset({"best_bid_ask"})

# Names under which frames are counted.
_KINDS: dict[Any, str] = {
    BookFrame: "book",
    PriceChangeFrame: "price_change",
    TradeFrame: "last_trade_price",
    TickSizeFrame: "tick_size_change",
    LifecycleFrame: "lifecycle",
}

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """An instant as the journal and the rows hold it."""
    return (at - _EPOCH) // _MICROSECOND


class Recorder:
    """Rows of one session, and what is needed to make them."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.rows: Rows = {table: [] for table in TABLES}
        # Frames by type, and oddities, since the session began.
        self.heard: Counter[str] = Counter()
        self._sequence = 0
        self._books = 0
        self._epochs: dict[str, int] = {}
        self._markets: dict[str, Listed] = {}
        self._tokens: dict[str, tuple[str, int]] = {}

    @classmethod
    def resumed(cls, state: State) -> Recorder:
        """A recorder as it stood when a segment began."""
        recorder = cls(state.session_id)
        recorder._sequence, recorder._books = state.sequence, state.books
        recorder._epochs = dict(state.epochs)
        recorder.know(state.markets)
        return recorder

    def state(self, at_us: int) -> State:
        """Where the session stands: the first entry of a segment."""
        return State(
            at_us, self.session_id, self._sequence, self._books, dict(self._epochs), tuple(self._markets.values())
        )  # fmt: skip

    def know(self, markets: Iterable[Listed]) -> None:
        """Frames of these markets' tokens can be given their identity from now on."""
        for market in markets:
            self._markets[market.market_id] = market
            self._tokens |= {token: (market.market_id, n) for n, token in enumerate(market.token_ids)}

    def forget(self, market_ids: Iterable[str]) -> None:
        """Frames of these markets are not expected any more."""
        for market_id in market_ids:
            market = self._markets.pop(market_id, None)
            self._epochs.pop(market_id, None)
            for token in market.token_ids if market else ():
                self._tokens.pop(token, None)

    @property
    def waiting(self) -> int:
        """Rows made and not yet taken."""
        return sum(map(len, self.rows.values()))

    def take(self) -> Rows:
        """The rows made since the last time."""
        taken, self.rows = self.rows, {table: [] for table in TABLES}
        return taken

    def replay(self, entry: Entry) -> None:
        """Make the rows of an entry read from a journal."""
        if isinstance(entry, Heard):
            self.hear(entry)
        elif isinstance(entry, Markets):
            self.know(entry.listed)
        elif isinstance(entry, Gap):
            self.deaf(entry)

    def deaf(self, gap: Gap) -> None:
        """Record an interval in which we were deaf."""
        row = (
            gap.gap_id, self.session_id, gap.connection, gap.market_id, gap.from_us, gap.to_us, gap.cause, None, None,
        )  # fmt: skip
        self.rows["stream_gaps"].append(row)

    def hear(self, heard: Heard) -> list[Frame]:
        """Record one socket message; returns what it said, nothing where it could not be read."""
        try:
            found = frames.parse(heard.payload)
        except MalformedPayload as e:
            self._reject(heard, str(e))
            return []
        for frame in found:
            self.heard[_KINDS[type(frame)]] += 1
            self._record(heard, frame)
        return found

    def _record(self, heard: Heard, frame: Frame) -> None:
        kind = type(frame)
        if kind is PriceChangeFrame:
            self._changes(heard, frame)  # type: ignore[arg-type]
        elif kind is BookFrame:
            self._book(heard, frame.book)  # type: ignore[union-attr]
        elif kind is TradeFrame:
            self._trade(heard, frame)  # type: ignore[arg-type]
        else:
            self._told(heard, frame)  # type: ignore[arg-type]

    def _at(self, heard: Heard) -> Row:
        """Where a row was heard; every frame of a session has its own number."""
        self._sequence += 1
        return (self.session_id, heard.connection, self._sequence, heard.at_us)

    def _trade(self, heard: Heard, trade: TradeFrame) -> None:
        place = self._tokens.get(trade.token_id)
        if place is None:
            self._reject(heard, f"a trade of token {trade.token_id}, which is not subscribed")
            return
        tx_hash = bytes.fromhex(trade.tx_hash.removeprefix("0x")) if trade.tx_hash else None
        row = (
            *self._at(heard), trade.venue_at, place[0], trade.token_id, place[1],
            trade.is_buy, trade.price_e6, trade.size_e6, tx_hash,
        )  # fmt: skip
        self.rows["trades_raw"].append(row)

    def _book(self, heard: Heard, book: Book) -> None:
        market_id, outcome = self._tokens.get(book.token_id, (None, 0))
        if market_id is None:
            self._reject(heard, f"a book of token {book.token_id}, which is not subscribed")
        elif outcome == 0:
            self._books += 1
            self._epochs[market_id] = self._books
            self._levels(heard, market_id, "book", book.venue_at, _levels_of(book))

    def _changes(self, heard: Heard, frame: PriceChangeFrame) -> None:
        canonical: dict[tuple[bool, int], int] = {}
        mirrored: dict[tuple[bool, int], int] = {}
        market_id = None
        for change in frame.changes:
            place = self._tokens.get(change.token_id)
            if place is None:
                self.heard["changes of tokens not subscribed"] += 1
                continue
            market_id, outcome = place
            if outcome == 0:
                canonical[change.is_bid, change.price_e6] = change.size_e6
            else:
                mirrored[not change.is_bid, E6 - change.price_e6] = change.size_e6
        if market_id is not None:
            if canonical != mirrored:
                self.heard["levels that lack their mirror"] += len(canonical.items() ^ mirrored.items())
            levels = mirrored | canonical
            self._levels(
                heard, market_id, "change", frame.venue_at, [(*at, size) for at, size in levels.items()]
            )

    def _levels(
        self, heard: Heard, market_id: str, kind: str, venue_at: datetime | None, levels: Sequence[Row]
    ) -> None:
        where = self._at(heard)
        epoch = self._epochs.get(market_id, 0)
        self.rows["book_changes"] += [
            (*where, row, venue_at, market_id, kind, *level, epoch) for row, level in enumerate(levels)
        ]

    def _told(self, heard: Heard, frame: TickSizeFrame | LifecycleFrame) -> None:
        if isinstance(frame, TickSizeFrame):
            kind, payload = "tick_size_change", heard.payload.decode(errors="replace")
        else:
            kind, payload = frame.kind, frame.payload
        if kind not in NOT_RECORDED:
            row = (*self._at(heard), frame.venue_at, kind, frame.condition_id, payload)
            self.rows["market_events"].append(row)

    def _reject(self, heard: Heard, why: str) -> None:
        self.heard["rejected"] += 1
        self.rows["rejects"].append((*self._at(heard), why, heard.payload.decode(errors="replace")))


def _levels_of(book: Book) -> list[Row]:
    """The levels of a whole book; an empty one is a single removal, so that it clears what stood before too."""
    bids = [(True, level.price_e6, level.size_e6) for level in book.bids]
    asks = [(False, level.price_e6, level.size_e6) for level in book.asks]
    return bids + asks or [(True, 0, 0)]
