"""What the endpoints of markets answer, as types: prices in dollars a share of the canonical outcome, instants UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.markets import drawing, ending, ladder, predicted, slices, spans
from console.markets.event_parts import Leg
from console.markets.ladder import Level
from console.markets.lists import Line
from console.markets.predicted import Prediction
from console.place import Place
from polymarket_assets.report import ends
from polymarket_assets.report.subject import Subject

_NEWEST = 20


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
class Said:
    """What a service said of an end, and when we saw it."""

    service: str
    seen_at: str | None
    words: str


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
class Held:
    """The rows of a table within the span, or why there are none."""

    table: str
    rows: int
    first: datetime | None
    last: datetime | None
    note: str


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


def market(place: Place, found: Subject, choice: str) -> Market:
    """Everything newest of a market within a choice of time."""
    made, quote = drawing.drawn(place, found, choice), ladder.newest_quote(place, found)
    said = predicted.predictions(place, found, choice)[:_NEWEST]
    gaps = sorted(made.silences.found, key=lambda s: s.start, reverse=True)[: 10 * _NEWEST]
    return Market(
        facts(found), quote_of(quote) if quote else None, book(place, found), [_trade(t) for t in made.trades[:_NEWEST]], said,
        [_version(v) for v in ending.versions(place, found)], [Gap(s.start, s.end, s.what, s.cause) for s in gaps],
        [Held(h.table, h.rows, h.first, h.last, h.note) for h in made.held],
    )  # fmt: skip


def facts(found: Subject) -> Facts:
    """A market's row as an answer."""
    row = found.row
    names = [name for name in Facts.__dataclass_fields__ if name not in ("market_id", "source", "closed_at")]
    lists = {name: list(row.get(name) or ()) for name in ("outcomes", "token_ids", "tags")}
    given: dict[str, Any] = {**{name: row.get(name) for name in names}, **lists}
    return Facts(market_id=found.market_id, source=found.source, closed_at=found.closed_at, **given)


def quote_of(row: dict[str, Any]) -> Quote:
    """A row of `snapshots`."""
    return Quote(**{name: row[name] for name in Quote.__dataclass_fields__})


def book(place: Place, found: Subject) -> Book | None:
    """The newest book, and how old it is."""
    newest = ladder.newest_book(place, found)
    if newest is None:
        return None
    age = place.clock() - newest.received_at
    return Book(newest.slot_at, newest.received_at, age.total_seconds(), age <= ladder.FRESH, list(newest.bids), list(newest.asks))  # fmt: skip


def prices(place: Place, found: Subject, choice: str, limit: int, offset: int) -> Prices:
    """A page of the quotes of a choice of time."""
    looked = spans.look([found], choice, place.clock())
    rows = slices.rows(place, "snapshots", [found.market_id], looked.hours) if looked.hours else slices.empty("snapshots")  # fmt: skip
    if looked.since is not None:
        rows = rows.filter(_from(rows.column("received_at"), looked.since))
    page = rows.sort_by([("slot_at", "descending")]).slice(offset, limit).to_pylist()
    return Prices(found.market_id, rows.num_rows, limit, offset, [quote_of(row) for row in page])


def _from(column: Any, at: datetime) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.greater_equal(column, pa.scalar(at, pa.timestamp("us", tz="UTC")))


def trades(place: Place, found: Subject, choice: str, limit: int, offset: int) -> Trades:
    """A page of the trades of a choice of time, those heard included whose hour is not built yet."""
    looked = spans.look([found], choice, place.clock())
    count, page = drawing.dealt(place, found, looked, limit, offset)
    return Trades(found.market_id, count, limit, offset, [_trade(t) for t in page])


def _trade(row: dict[str, Any]) -> Trade:
    return Trade(row["drawn_at"], row["price"], row["is_buy"], row["usd"], row["shares"], row["source"])


def _version(version: ends.Version) -> Version:
    row = version.row
    names = ("version", "seen_at", "state", "label", "reason", "was_disputed", "resolved_at", "label_seen_at")
    said = [Said(s.service, s.seen_at, s.words) for s in version.said]
    return Version(**{name: row[name] for name in names}, payouts=version.payouts, evidence=said)


def event(title: str, legs: list[Leg], together: list[str]) -> Event:
    """Markets with their sum; one-sided and unsampled ones are not in it."""
    mids = [leg.price for leg in legs if leg.market_id in together and leg.price is not None]
    return Event(title, len(together), len(mids), sum(mids) if mids and len(together) > 1 else None, legs)
