"""The past as it can still be fetched: the markets that closed on a UTC day, and their prices until then.

The catalogue cannot be asked by day of close, only by scheduled end. So the closed markets whose scheduled end
lies from three days before the day to seven days after it are listed, and those that closed on it are kept:
of 11,771 closed markets of 2024, 84 % closed within that distance of their scheduled end. What is missed closed
long before a deadline (15 %) or long after its end; every further day on either side costs a day's listing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pyarrow as pa

from polymarket_assets.collecting import catalogue
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake, table_of
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused
from polymarket_assets.venue.records import E6, Listing, Page, PricePoint

log = logging.getLogger(__name__)

# Scheduled ends listed around a day of close; the module says what they miss.
ENDED_BEFORE = timedelta(days=3)
ENDED_AFTER = timedelta(days=7)
# Markets hardly anybody traded teach little, and series list many of them.
LEAST_VOLUME_USD = 100.0
# Prices are fetched for as long before the close as live markets are followed; the venue answers 15 days at once.
PRICES_FOR = timedelta(days=14)
# The finest spacing worth its rows, by the length of a market's life that is fetched.
BUCKETS: tuple[tuple[timedelta, int], ...] = (
    (timedelta(hours=6), 60),
    (timedelta(days=3), 300),
    (PRICES_FOR, 1800),
)
# The resolution that marks the payout among the prices of a token.
SETTLEMENT = 0
# One part holds a day: fetched again, it is replaced.
PART = "venue"


class DayNotOver(Refused):
    """A day was asked for that is still running, or lies ahead."""


class MarketsMissing(Refused):
    """Prices were asked for a day whose markets were never fetched."""


class Catalogue(Protocol):
    """The catalogue service, as far as history needs it."""

    def markets(
        self,
        *,
        closed: bool,
        end_date_min: datetime | None = None,
        end_date_max: datetime | None = None,
        volume_num_min: float | None = None,
    ) -> Iterator[Page]:
        """Key-set pages of listings."""


class Prices(Protocol):
    """The Data API, as far as history needs it."""

    def prices_history(
        self, token_id: str, start: datetime, end: datetime, bucket_s: int
    ) -> Sequence[PricePoint]:
        """A token's prices of a span."""


@dataclass(frozen=True)
class HistoryReport:
    """What was fetched of a day; `without` are markets that closed on it but gave no rows."""

    day: date
    rows: int
    markets: int
    without: int
    malformed: int
    # Listed to find the day's markets, of which most closed on other days.
    listed: int = 0
    # Closed, but the venue does not say when.
    undated: int = 0
    bytes: int = 0


def fetch_markets(lake: Lake, gamma: Catalogue, day: date, *, clock: Callable[[], datetime]) -> HistoryReport:
    """Fetch the markets that closed on `day` into `history_markets`; nothing of how they ended is kept.

    Raises:
        DayNotOver: the day is not over yet.
        Unavailable: the venue failed; nothing was written.
        LakeUnwritable: nothing was written.
    """
    span = _over(day, clock())
    found = _Found(span, clock)
    pages = gamma.markets(
        closed=True,
        end_date_min=span.start - ENDED_BEFORE,
        end_date_max=span.end + ENDED_AFTER,
        volume_num_min=LEAST_VOLUME_USD,
    )
    for page in pages:
        found.page(page)
    rows = sorted(found.rows.values(), key=lambda row: str(row["market_id"]))
    written = lake.publish_rows("history_markets", rows, part=PART, at=day)
    return HistoryReport(
        day,
        written.rows,
        markets=written.rows,
        without=0,
        malformed=found.malformed,
        listed=found.listed,
        undated=found.undated,
        bytes=written.bytes,
    )


def fetch_prices(
    lake: Lake,
    data: Prices,
    day: date,
    *,
    clock: Callable[[], datetime],
    on_market: Callable[[int, int], None] = lambda done, due: None,
) -> HistoryReport:
    """Fetch the prices of the canonical tokens of `history_markets` of `day`, up to each market's end.

    `on_market` is told how many markets are done and due.

    Raises:
        DayNotOver: the day is not over yet.
        MarketsMissing: `history_markets` of the day was never fetched.
        Unavailable: the venue failed; nothing was written.
        Refused, MalformedPayload: the venue answered for no market as agreed; nothing was written.
        LakeUnwritable: nothing was written.
    """
    _over(day, clock())
    markets = _markets_of(lake, day)
    priced = _Priced()
    for done, market in enumerate(markets, 1):
        priced.market(data, market, clock)
        on_market(done, len(markets))
    rows = pa.concat_tables([TABLES["history_prices"].schema.empty_table(), *priced.tables])
    if priced.failures and not rows.num_rows:
        # Published, this would look like a day on which nothing was priced.
        raise priced.failures[-1]
    written = lake.publish("history_prices", rows, part=PART, at=day)
    return HistoryReport(
        day,
        written.rows,
        len(markets),
        without=priced.without,
        malformed=len(priced.failures),
        bytes=written.bytes,
    )


@dataclass
class _Priced:
    """The prices of a day's markets, as fetched so far."""

    tables: list[pa.Table] = field(default_factory=list)
    failures: list[PolymarketError] = field(default_factory=list)
    without: int = 0

    def market(self, data: Prices, market: dict[str, Any], clock: Callable[[], datetime]) -> None:
        """Add one market; what the venue does not answer as agreed costs only that market."""
        rows: list[dict[str, Any]] = []
        try:
            rows = _prices(data, market, clock)
        except (Refused, MalformedPayload) as e:
            log.warning("prices of %s: %s", market["market_id"], e)
            self.failures.append(e)
        self.without += not rows
        self.tables.append(table_of("history_prices", rows))


def _over(day: date, now: datetime) -> Span:
    """The span of a day that is over."""
    span = Span.day(day)
    if now < span.end:
        raise DayNotOver(f"the day {day} is not over in UTC: its closed markets are complete from {span.end}")
    return span


@dataclass
class _Found:
    """The markets of one day of close, as listed so far."""

    span: Span
    clock: Callable[[], datetime]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: int = 0
    undated: int = 0
    malformed: int = 0

    def page(self, page: Page) -> None:
        received_at = self.clock()
        self.malformed += len(page.malformed)
        for listing in page.rows:
            if isinstance(listing, Listing):
                self._listing(listing, received_at)

    def _listing(self, listing: Listing, received_at: datetime) -> None:
        self.listed += 1
        market, closed_at = listing.market, listing.end.closed_at
        if closed_at is None:
            self.undated += 1
        elif closed_at in self.span and market.token_ids:
            self.rows[market.market_id] = catalogue.history_row(
                market, closed_at, self.span.start.date(), received_at
            )


def _markets_of(lake: Lake, day: date) -> list[dict[str, Any]]:
    """The markets of a day as fetched from the venue; imported ones bring their own prices."""
    path = f"{layout.folder(TABLES['history_markets'], day)}/{layout.part(PART)}"
    if lake.store.read_bytes(path) is None:
        raise MarketsMissing(
            f"the markets that closed on {day} were never fetched: materialize history_markets of {day} first"
        )
    rows = reading.rows(lake, "history_markets", Span.day(day)).to_pylist()
    return [row for row in rows if row["source"] == catalogue.VENUE and row["token_ids"]]


def _prices(data: Prices, market: dict[str, Any], clock: Callable[[], datetime]) -> list[dict[str, Any]]:
    """Price rows of one market: none at or after its end, and the settlement is no price."""
    span = _span(market)
    if span is None:
        return []
    try:
        points = data.prices_history(market["token_ids"][0], span.start, span.end, _bucket(span))
    except Gone:
        return []
    received_at = clock()
    kept = {point.at: point for point in points if point.resolution_s > SETTLEMENT and point.at in span}
    return [_price(market, kept[at], received_at) for at in sorted(kept)]


def _span(market: dict[str, Any]) -> Span | None:
    """From when to when a market's prices are features: up to its effective close or its close, the earlier."""
    end = min(market["effective_close"] or market["closed_at"], market["closed_at"])
    start = max(end - PRICES_FOR, market["listed_at"] or end - PRICES_FOR)
    return Span(start, end) if start < end else None


def _bucket(span: Span) -> int:
    length = span.end - span.start
    return next((bucket for longest, bucket in BUCKETS if length <= longest), BUCKETS[-1][1])


def _price(market: dict[str, Any], point: PricePoint, received_at: datetime) -> dict[str, Any]:
    return {
        "market_id": market["market_id"],
        "close_day": market["close_day"],
        "priced_at": point.at,
        # Whether the venue stamps a bucket by its start or its end is not documented: its end is safe.
        "known_at": point.at + timedelta(seconds=point.resolution_s),
        "received_at": received_at,
        "price_e6": round(point.price * E6),
        "fidelity_s": point.resolution_s,
        "source": catalogue.VENUE,
    }
