"""What was traded on the markets of a day of close, as far back as the venue shows it.

Trades come without an id (PROTOCOL 6.3), newest first, dated by the second of their block, which follows the match by
about two seconds. Rows are in the order of that second; within it their order, `n`, is by transaction, outcome, side, price
and size, so that it does not depend on how the venue cut its pages.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from polymarket_assets.collecting import catalogue
from polymarket_assets.collecting.deafness import LATE_BLOCK
from polymarket_assets.collecting.history.asking import Asking
from polymarket_assets.collecting.history.closed_days import PART, chosen, over
from polymarket_assets.collecting.history.rows import of_market
from polymarket_assets.collecting.joining import BLOCK_ROUNDING
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, PolymarketError, Refused
from polymarket_assets.venue.instants import EPOCH
from polymarket_assets.venue.records import Page, Trade

log = logging.getLogger(__name__)

# A market's trades are listed for so long (PROTOCOL 6.3): one that was listed before is not shown whole.
SHOWN_FOR = timedelta(days=3 * 365)


class Trades(Protocol):
    """The Data API, as far as trades need it."""

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        """Pages of a market's trades, newest first."""


@dataclass(frozen=True)
class TradesReport:
    """What was fetched of a day; `without` are markets of it that gave no rows."""

    day: date
    rows: int
    markets: int
    without: int
    # Markets that the venue did not answer about as agreed; rows of others that could not be read.
    malformed: int
    unreadable: int
    # Markets whose list ended early: the venue shows no more, or its end could not be read.
    truncated: int
    # Trades from before a market was listed or after it closed, and of tokens that are none of it: not kept.
    outside: int
    unmapped: int
    bytes: int
    # Markets traded for less were not asked about, and how many those were.
    least_volume_usd: float
    left_out: int


def fetch_trades(
    lake: Lake,
    clients: Sequence[Trades],
    day: date,
    *,
    clock: Callable[[], datetime],
    least_volume_usd: float = 0.0,
    on_market: Callable[[int, int], None] = lambda done, due: None,
) -> TradesReport:
    """Fetch the takers' trades of `history_markets` of `day` into `history_trades`.

    Each of `clients` is asked by a thread of its own; rows and their order do not depend on how many there are.
    `on_market` is told how many markets are done and due.

    Raises:
        DayNotOver: the day is not over yet.
        MarketsMissing: `history_markets` of the day was never fetched.
        Unavailable: the venue failed; nothing was written.
        Refused, MalformedPayload: the venue answered for no market as agreed; nothing was written.
        LakeUnwritable: nothing was written.
    """
    over(day, clock())
    asked = chosen(lake, day, least_volume_usd)
    traded = _Traded(lambda done: on_market(done, len(asked.markets)))
    answers = Asking(clients).each(asked.markets, lambda data, market: _trades(data, market, clock))
    with closing(answers):
        written = lake.publish_pieces("history_trades", traded.tables(answers), part=PART, at=day)
    found = traded.counts
    return TradesReport(
        day,
        written.rows,
        len(asked.markets),
        without=found["without"],
        malformed=len(traded.failures),
        unreadable=found["unreadable"],
        truncated=found["truncated"],
        outside=found["outside"],
        unmapped=found["unmapped"],
        bytes=written.bytes,
        least_volume_usd=least_volume_usd,
        left_out=len(asked.left_out),
    )


class _Fill(NamedTuple):
    """A trade as a row will have it; in this order trades of one second are numbered."""

    traded_at: datetime
    tx_hash: bytes
    outcome_index: int
    is_buy: bool
    price_e6: int
    size_e6: int


@dataclass
class _Of:
    """The trades of one market so far, each with how often it is there."""

    market: dict[str, Any]
    fills: Counter[_Fill] = field(default_factory=Counter)
    unreadable: int = 0
    truncated: bool = False
    outside: int = 0
    unmapped: int = 0
    rows: pa.Table = field(default_factory=TABLES["history_trades"].schema.empty_table)

    def page(self, page: Page) -> None:
        """Add a page; a trade is there as often as on the page that has it most often."""
        here: Counter[_Fill] = Counter()
        for trade in page.rows:
            if isinstance(trade, Trade) and (fill := self._fill(trade)) is not None:
                here[fill] += 1
        self.fills |= here
        self.unreadable += len(page.malformed)
        # What stands at the end of the list and cannot be read may have had more behind it.
        self.truncated = page.is_cut or (page.next_cursor is None and bool(page.malformed))

    def _fill(self, trade: Trade) -> _Fill | None:
        """A trade of this market's life and tokens. The token says the outcome, also where the venue has not joined it yet."""
        first, last = self._blocks
        if not first <= trade.traded_at <= last:
            self.outside += 1
            return None
        outcome_index = self._outcomes.get(trade.token_id)
        if outcome_index is None:
            self.unmapped += 1
            return None
        tx_hash = bytes.fromhex(trade.tx_hash.removeprefix("0x"))
        return _Fill(trade.traded_at, tx_hash, outcome_index, trade.is_buy, trade.price_e6, trade.size_e6)

    @cached_property
    def _blocks(self) -> tuple[datetime, datetime]:
        """The first and the last block that can hold a match of the market's life: they come after it, in whole seconds."""
        listed_at: datetime | None = self.market["listed_at"]
        closed_at: datetime = self.market["closed_at"]
        return EPOCH if listed_at is None else listed_at - BLOCK_ROUNDING, closed_at + LATE_BLOCK

    @cached_property
    def _outcomes(self) -> dict[str, int]:
        return {token_id: outcome_index for outcome_index, token_id in enumerate(self.market["token_ids"])}


def _trades(data: Trades, market: dict[str, Any], clock: Callable[[], datetime]) -> _Of:
    """All trades of one market that the venue shows, as rows."""
    found = _Of(market)
    try:
        # To the end of the list, however long ago that is.
        for page in data.trades(market["condition_id"], since=EPOCH):
            found.page(page)
    except Gone:
        # A market nobody traded has no list; one that goes while it is read is not whole.
        found.truncated = bool(found.fills)
    except Refused as e:
        # A list without an end is cut; what the venue refuses it may answer the next time.
        if e.status is not None or not found.fills:
            raise
        log.warning("the trades of %s end early: %s", market["market_id"], e)
        found.truncated = True
    received_at = clock()
    listed_at = market["listed_at"]
    found.truncated = found.truncated or (listed_at is not None and listed_at < received_at - SHOWN_FOR)
    found.rows = _rows(found, received_at)
    found.fills.clear()
    return found


def _rows(found: _Of, received_at: datetime) -> pa.Table:
    fills = sorted(found.fills.elements())
    numbers: list[int] = []
    for place, fill in enumerate(fills):
        goes_on = place > 0 and fills[place - 1].traded_at == fill.traded_at
        numbers.append(numbers[-1] + 1 if goes_on else 0)
    same = {
        "market_id": found.market["market_id"],
        "close_day": found.market["close_day"],
        "received_at": received_at,
        "truncated": found.truncated,
        "source": catalogue.VENUE,
    }
    columns = dict(zip(_Fill._fields, zip(*fills, strict=True), strict=True)) if fills else {}
    return of_market("history_trades", len(fills), {**columns, "n": numbers}, same)


@dataclass
class _Traded:
    """What came of a day's markets so far; the rows themselves pass through."""

    on_market: Callable[[int], None]
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[PolymarketError] = field(default_factory=list)

    def tables(self, answers: Iterator[tuple[dict[str, Any], _Of | PolymarketError]]) -> Iterator[pa.Table]:
        """The rows of each market. Raises the last failure where nothing else came."""
        for done, (market, answer) in enumerate(answers, 1):
            if isinstance(answer, PolymarketError):
                log.warning("trades of %s: %s", market["market_id"], answer)
                self.failures.append(answer)
                self.counts["without"] += 1
            else:
                self._count(answer)
                yield answer.rows
            self.on_market(done)
        if self.failures and not self.counts["rows"]:
            # Published, this would look like a day on which nothing was traded.
            raise self.failures[-1]

    def _count(self, answer: _Of) -> None:
        self.counts["rows"] += answer.rows.num_rows
        self.counts["without"] += not answer.rows.num_rows
        for name in ("unreadable", "truncated", "outside", "unmapped"):
            self.counts[name] += int(getattr(answer, name))
