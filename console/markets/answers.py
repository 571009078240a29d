"""What the endpoints of markets answer, as types: prices in dollars a share of the canonical outcome, instants UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.markets.event_parts import Leg
from console.markets.ladder import Level
from console.markets.lists import Line
from console.markets.predicted import Prediction
from polymarket_assets.report.coverage import Held
from polymarket_assets.report.ends import Said


@dataclass(frozen=True)
class Lines:
    """A page of markets; `total` were found."""

    total: int
    limit: int
    offset: int
    markets: list[Line]


@dataclass(frozen=True)
class Facts:
    """What a market is, as last listed; what is not known is null."""

    market_id: str
    condition_id: str | None
    gamma_id: str | None
    slug: str | None
    question: str | None
    outcomes: list[str]
    token_ids: list[str]
    event_id: str | None
    event_slug: str | None
    event_title: str | None
    neg_risk_id: str | None
    category: str | None
    tags: list[str]
    phase: str | None
    tier: str | None
    source: str
    listed_at: datetime | None
    scheduled_end: datetime | None
    effective_close: datetime | None
    closed_at: datetime | None
    resolution_source: str | None
    volume_usd: float | None
    liquidity_usd: float | None


@dataclass(frozen=True)
class Quote:
    """A snapshot's prices, and dollars resting within 1 and 5 cents of the best; `spread` in dollars."""

    slot_at: datetime
    received_at: datetime
    tier: str
    best_bid: float | None
    best_ask: float | None
    mid: float | None
    spread: float | None
    bid_depth_1c_usd: float | None
    ask_depth_1c_usd: float | None
    bid_depth_5c_usd: float | None
    ask_depth_5c_usd: float | None


@dataclass(frozen=True)
class Book:
    """The newest book that was sampled, best prices first; `is_fresh`: at most 60 s old."""

    slot_at: datetime
    received_at: datetime
    age_s: float
    is_fresh: bool
    bids: list[Level]
    asks: list[Level]


@dataclass(frozen=True)
class Trade:
    """A trade in terms of the canonical outcome; `source` heard: its hour is not built yet."""

    traded_at: datetime
    price: float
    is_buy: bool
    usd: float
    shares: float
    source: str


@dataclass(frozen=True)
class Version:
    """A version of what is known of the end; `label` 1: the canonical outcome won."""

    version: int
    seen_at: datetime
    state: str
    label: int | None
    payouts: str
    reason: str
    was_disputed: bool
    resolved_at: datetime | None
    label_seen_at: datetime | None
    evidence: list[Said]


@dataclass(frozen=True)
class Gap:
    """An interval of which nothing is known: not heard, or a slot that nobody took."""

    start: datetime
    end: datetime
    what: str
    cause: str


@dataclass(frozen=True)
class Market:
    """A market, and the newest of everything there is of it."""

    market: Facts
    quote: Quote | None
    book: Book | None
    trades: list[Trade]
    predictions: list[Prediction]
    resolutions: list[Version]
    gaps: list[Gap]
    held: list[Held]


@dataclass(frozen=True)
class Prices:
    """A page of quotes, the newest first."""

    market_id: str
    total: int
    limit: int
    offset: int
    quotes: list[Quote]


@dataclass(frozen=True)
class Trades:
    """A page of trades, the newest first."""

    market_id: str
    total: int
    limit: int
    offset: int
    trades: list[Trade]


@dataclass(frozen=True)
class Event:
    """An event with its markets, the dearest first; `sum_of_mids` of a negRisk set, of which exactly one ends YES: about 1."""

    title: str
    neg_risk_set: int
    priced: int
    sum_of_mids: float | None
    legs: list[Leg]
