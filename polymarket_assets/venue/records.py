"""What the venue says, as immutable records: the only form in which it travels further in.

Prices, sizes and dollars are integers of millionths (`_e6`) wherever they are recorded, so that sums are
exact; instants are aware UTC datetimes. `venue.parse` makes these from wire JSON. A `Market` never holds
anything that can reveal how the market ended: that is a `MarketEnd`, which only `resolutions` reads.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

E6 = 1_000_000


class FeeSchedule(msgspec.Struct, frozen=True):
    """Taker fee in dollars: shares * rate * (p * (1 - p)) ** exponent (PROTOCOL section 10)."""

    rate: float
    exponent: float
    taker_only: bool = True
    rebate_rate: float | None = None


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """A market as listed: what it asks and how it trades, never how it ended."""

    market_id: str  # pm:0x<64 hex>
    condition_id: str  # 0x + 64 hex, lower case; 62-hex forms padded
    gamma_id: str
    version: str  # "v1" | "v2"
    slug: str
    question: str
    outcomes: tuple[str, ...]
    token_ids: tuple[str, ...]  # decimal text, in the order of outcomes; the canonical token is the first
    event_id: str | None = None
    event_slug: str | None = None
    event_title: str | None = None
    series_slug: str | None = None
    neg_risk_id: str | None = None
    neg_risk: bool = False
    category: str | None = None
    tags: tuple[str, ...] = ()  # slugs
    listed_at: datetime | None = None  # trading opened, else created
    scheduled_end: datetime | None = None  # endDate: a schedule, not an event
    game_start_at: datetime | None = None
    window_start_at: datetime | None = None  # start of the measured window of an up/down market
    game_id: str | None = None
    sports_market_type: str | None = None
    resolution_source: str | None = None
    # The deciding price of an up/down market is averaged over so many seconds; 0: a single price; None: not known.
    twap_s: int | None = None
    tick_e6: int | None = None
    min_size_e6: int | None = None
    fees: FeeSchedule | None = None
    volume_usd: float | None = None
    volume_24h_usd: float | None = None
    liquidity_usd: float | None = None
    active: bool = True
    closed: bool = False
    accepting_orders: bool = False
    enable_order_book: bool = False
    # A resolution was proposed or disputed, whatever it says: trading is over in all but name.
    end_proposed: bool = False


class MarketEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a catalogue row says of a market's end: evidence for `resolutions`, closed to everything else."""

    market_id: str
    condition_id: str
    token_ids: tuple[str, ...]
    closed: bool
    closed_at: datetime | None
    prices: tuple[str, ...]  # outcomePrices verbatim, decimal text
    status: str | None  # umaResolutionStatus (v1) or resolutionStatus (v2)
    statuses: tuple[str, ...] = ()  # history of the oracle, oldest first
    automatically_resolved: bool | None = None


class Listing(msgspec.Struct, frozen=True):
    """One row of the catalogue, its two halves apart."""

    market: Market
    end: MarketEnd


class ResolutionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `/v2/resolutions`."""

    condition_id: str
    status: str
    was_disputed: bool
    payouts_e6: tuple[int, ...] | None  # per share of each outcome; None until resolved
    resolved_at: datetime | None
    reporter: str | None = None
    market_type: str | None = None


class ResolvedPush(msgspec.Struct, frozen=True, kw_only=True):
    """A `market_resolved` message of the socket: a hint, never the source of a label."""

    condition_id: str
    winning_token_id: str | None  # None: it names no winner
    winning_outcome: str | None
    venue_at: datetime | None


class ClobToken(msgspec.Struct, frozen=True):
    """One outcome of a market as the order-book service names it."""

    token_id: str
    outcome: str
    winner: bool | None = None


class ClobMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A market as the order-book service knows it (`/markets/{id}` and the compact `/clob-markets/{id}`)."""

    condition_id: str
    tokens: tuple[ClobToken, ...]
    accepting_orders: bool | None = None
    closed: bool | None = None
    tick_e6: int | None = None
    min_size_e6: int | None = None
    neg_risk: bool = False
    fees: FeeSchedule | None = None
    version: str = "v1"


class Level(msgspec.Struct, frozen=True):
    """A price and the shares resting at it, both in millionths."""

    price_e6: int
    size_e6: int


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """A whole order book of one token, best levels first, whatever the order on the wire."""

    condition_id: str
    token_id: str
    venue_at: datetime | None  # last change of the book, not of the request
    hash: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    tick_e6: int | None = None
    min_size_e6: int | None = None
    neg_risk: bool | None = None
    last_trade_e6: int | None = None  # in terms of the first outcome
    version: str | None = None


class Trade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A taker's trade from the Data API; `traded_at` is the block time in whole seconds."""

    condition_id: str
    token_id: str
    outcome_index: int | None  # None: the venue has not joined the metadata yet
    is_buy: bool
    price_e6: int
    size_e6: int
    traded_at: datetime
    tx_hash: str  # 0x + 64 hex


class PricePoint(msgspec.Struct, frozen=True, gc=False):
    """A point of a token's price history; `resolution_s` 0 marks the settlement, which is no price."""

    at: datetime
    price: float
    resolution_s: int


class Page(msgspec.Struct, frozen=True):
    """One page of a listing: its rows as parsed, the cursor of the next (None: the last one), and what of it could not be read."""

    rows: tuple[object, ...]
    next_cursor: str | None
    malformed: tuple[str, ...] = ()
    # There is more than the venue shows.
    is_cut: bool = False


# --- frames of the market socket -------------------------------------------------------------------


class BookFrame(msgspec.Struct, frozen=True, kw_only=True, tag="book"):
    """A whole book as pushed; after a trade it lacks tick size and last trade (PROTOCOL 8.3)."""

    book: Book


class LevelChange(msgspec.Struct, frozen=True, gc=False):
    """A level of one token set to a size; 0 removes it. The best prices that the wire adds are left out: the book tells them."""

    token_id: str
    is_bid: bool
    price_e6: int
    size_e6: int
    hash: str = ""


class PriceChangeFrame(msgspec.Struct, frozen=True, gc=False, tag="price_change"):
    """Levels of a market's tokens set at one instant; both tokens of the mirrored book appear.

    Nearly every frame is one of these, so its instant stays a number: microseconds since the epoch.
    """

    condition_id: str
    venue_us: int
    changes: list[LevelChange]


class TradeFrame(msgspec.Struct, frozen=True, kw_only=True, tag="last_trade_price"):
    """A trade as it happened: one per settlement transaction, from the taker's side."""

    condition_id: str
    token_id: str
    is_buy: bool
    price_e6: int
    size_e6: int
    venue_at: datetime
    tx_hash: str | None


class TickSizeFrame(msgspec.Struct, frozen=True, kw_only=True, tag="tick_size_change"):
    """The grid of a token's prices changed; a whole book follows."""

    condition_id: str
    token_id: str
    venue_at: datetime
    old_tick_e6: int
    new_tick_e6: int


class LifecycleFrame(msgspec.Struct, frozen=True, kw_only=True, tag="lifecycle"):
    """`new_market`, `market_resolved`, `best_bid_ask` and whatever type comes next, payload verbatim."""

    kind: str
    condition_id: str | None
    venue_at: datetime | None
    payload: str


class UnreadableFrame(msgspec.Struct, frozen=True, kw_only=True, tag="unreadable"):
    """One of several frames of a message, of which others could be read: verbatim, and why it could not."""

    payload: str
    why: str


Frame = BookFrame | PriceChangeFrame | TradeFrame | TickSizeFrame | LifecycleFrame | UnreadableFrame
