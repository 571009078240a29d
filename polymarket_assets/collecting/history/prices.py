"""What the markets of a day of close were worth until they ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import catalogue
from polymarket_assets.collecting.history.asking import Asking
from polymarket_assets.collecting.history.closed_days import PART, chosen, over
from polymarket_assets.collecting.history.rows import of_market
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, PolymarketError
from polymarket_assets.venue.records import E6, PricePoint

log = logging.getLogger(__name__)

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


class Prices(Protocol):
    """The Data API, as far as prices need it."""

    def prices_history(
        self, token_id: str, start: datetime, end: datetime, bucket_s: int
    ) -> Sequence[PricePoint]:
        """A token's prices of a span."""


@dataclass(frozen=True)
class PricesReport:
    """What was fetched of a day; `without` are markets of it that gave no rows."""

    day: date
    rows: int
    markets: int
    without: int
    # Markets that the venue did not answer about as agreed.
    malformed: int
    # Points before a market was listed, at its end or after it: none of them is kept.
    outside: int
    bytes: int
    # Markets traded for less were not asked about, and how many those were.
    least_volume_usd: float
    left_out: int


def fetch_prices(
    lake: Lake,
    clients: Sequence[Prices],
    day: date,
    *,
    clock: Callable[[], datetime],
    least_volume_usd: float = 0.0,
    on_market: Callable[[int, int], None] = lambda done, due: None,
) -> PricesReport:
    """Fetch the prices of the canonical tokens of `history_markets` of `day`, up to each market's end.

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
    priced = _Priced(lambda done: on_market(done, len(asked.markets)))
    answers = Asking(clients).each(asked.markets, lambda data, market: _prices(data, market, clock))
    with closing(answers):
        written = lake.publish_pieces("history_prices", priced.tables(answers), part=PART, at=day)
    return PricesReport(
        day,
        written.rows,
        len(asked.markets),
        without=priced.without,
        malformed=len(priced.failures),
        outside=priced.outside,
        bytes=written.bytes,
        least_volume_usd=least_volume_usd,
        left_out=asked.left_out,
    )


@dataclass(frozen=True)
class _Of:
    """Rows of one market, and how many points were none."""

    rows: pa.Table
    outside: int


@dataclass
class _Priced:
    """What came of a day's markets so far; the rows themselves pass through."""

    on_market: Callable[[int], None]
    failures: list[PolymarketError] = field(default_factory=list)
    without: int = 0
    outside: int = 0
    rows: int = 0

    def tables(self, answers: Iterator[tuple[dict[str, Any], _Of | PolymarketError]]) -> Iterator[pa.Table]:
        """The rows of each market. Raises the last failure where nothing else came."""
        for done, (market, answer) in enumerate(answers, 1):
            if isinstance(answer, PolymarketError):
                self._failed(market, answer)
            else:
                self.without += not answer.rows.num_rows
                self.outside += answer.outside
                self.rows += answer.rows.num_rows
                yield answer.rows
            self.on_market(done)
        if self.failures and not self.rows:
            # Published, this would look like a day on which nothing was priced.
            raise self.failures[-1]

    def _failed(self, market: dict[str, Any], failure: PolymarketError) -> None:
        """What the venue does not answer as agreed costs only that market; that it has no prices is an answer."""
        self.without += 1
        if not isinstance(failure, Gone):
            log.warning("prices of %s: %s", market["market_id"], failure)
            self.failures.append(failure)


def _prices(data: Prices, market: dict[str, Any], clock: Callable[[], datetime]) -> _Of:
    """Price rows of one market: none at or after its end, and the settlement is no price."""
    span = _span(market)
    if span is None:
        return _Of(TABLES["history_prices"].schema.empty_table(), 0)
    points = data.prices_history(market["token_ids"][0], span.start, span.end, _bucket(span))
    received_at = clock()
    prices = [point for point in points if point.resolution_s > SETTLEMENT]
    inside = [point for point in prices if point.at in span]
    kept = {point.at: point for point in inside}
    return _Of(_rows(market, [kept[at] for at in sorted(kept)], received_at), len(prices) - len(inside))


def _span(market: dict[str, Any]) -> Span | None:
    """From when to when a market's prices are features: up to its effective close or its close, the earlier."""
    end = min(market["effective_close"] or market["closed_at"], market["closed_at"])
    start = max(end - PRICES_FOR, market["listed_at"] or end - PRICES_FOR)
    return Span(start, end) if start < end else None


def _bucket(span: Span) -> int:
    length = span.end - span.start
    return next((bucket for longest, bucket in BUCKETS if length <= longest), BUCKETS[-1][1])


def _rows(market: dict[str, Any], points: Sequence[PricePoint], received_at: datetime) -> pa.Table:
    """A market has hundreds of points: column by column they take a fifth of what rows would."""
    priced_at = pa.array([point.at for point in points], pa.timestamp("us", tz="UTC"))
    fidelity_s = pa.array([point.resolution_s for point in points], pa.int64())
    # Whether the venue stamps a bucket by its start or its end is not documented: its end is safe.
    known_at = pc.add(priced_at, pc.multiply(fidelity_s, 1_000_000).cast(pa.duration("us")))
    price_e6 = pc.round(pc.multiply(pa.array([point.price for point in points], pa.float64()), float(E6)))
    own = {"priced_at": priced_at, "known_at": known_at, "price_e6": price_e6, "fidelity_s": fidelity_s}
    same = {"market_id": market["market_id"], "close_day": market["close_day"], "received_at": received_at, "source": catalogue.VENUE}  # fmt: skip
    return of_market("history_prices", len(points), own, same)
