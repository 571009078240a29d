"""What the markets of a day of close were worth until they ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import catalogue
from polymarket_assets.collecting.history import held, lives
from polymarket_assets.collecting.history.asking import Asking
from polymarket_assets.collecting.history.closed_days import PART, Chosen, chosen, over
from polymarket_assets.collecting.history.rows import of_market
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Gone, PolymarketError
from polymarket_assets.venue.records import E6, PricePoint

log = logging.getLogger(__name__)

# Spacings to ask for, the next one where nothing came: of each part of a life the venue gives the finest it still has, a minute
# for at least 7 days, 5 minutes for 60, half an hour for 90, then 3 hours. The first generation has answered about resolved
# markets with nothing at all below an hour, and at times below 12.
SPACINGS_S = (60, 3_600, 43_200)
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
    # Of the venue now; rows beyond them were fetched before, and it gives them no more, or no more so finely.
    fetched: int
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
    before = held.fetched_before(lake, day, _lives(asked))
    with closing(answers):
        pieces = held.united(priced.tables(answers), before)
        written = lake.publish_pieces("history_prices", pieces, part=PART, at=day)
    return PricesReport(
        day,
        written.rows,
        len(asked.markets),
        fetched=priced.rows,
        without=priced.without,
        malformed=len(priced.failures),
        outside=priced.outside,
        bytes=written.bytes,
        least_volume_usd=least_volume_usd,
        left_out=len(asked.left_out),
    )


@dataclass(frozen=True)
class _Of:
    """Points of one market, as few bytes as they can be while they wait for their turn, and how many points were none."""

    points: pa.RecordBatch
    outside: int
    received_at: datetime


@dataclass
class _Priced:
    """What came of a day's markets so far; the rows themselves pass through."""

    on_market: Callable[[int], None]
    failures: list[PolymarketError] = field(default_factory=list)
    without: int = 0
    outside: int = 0
    rows: int = 0

    def tables(
        self, answers: Iterator[tuple[dict[str, Any], _Of | PolymarketError]]
    ) -> Iterator[held.Market]:
        """The rows of each market. Raises the last failure where nothing else came."""
        for done, (market, answer) in enumerate(answers, 1):
            if isinstance(answer, PolymarketError):
                self._failed(market, answer)
            else:
                self.without += not answer.points.num_rows
                self.outside += answer.outside
                self.rows += answer.points.num_rows
                yield market["market_id"], _rows(market, answer)
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
    """Points of one market: none at or after its end, and the settlement is no price."""
    life = lives.life(market)
    if life is None:
        return _Of(_columns([]), 0, clock())
    prices = _finest(data, market["token_ids"][0], life)
    inside = [point for point in prices if life.start <= point.at < life.end]
    by_instant = {point.at: point for point in inside}
    return _Of(_columns([by_instant[at] for at in sorted(by_instant)]), len(prices) - len(inside), clock())


def _finest(data: Prices, token_id: str, life: Span) -> list[PricePoint]:
    """What the venue still has, without the settlement."""
    for spacing_s in SPACINGS_S:
        if SPACINGS_S[0] < spacing_s >= (life.end - life.start).total_seconds():
            # Known only at the end of its bucket, such a price would be known too late.
            break
        points = data.prices_history(token_id, life.start, life.end, spacing_s)
        if prices := [point for point in points if point.resolution_s > SETTLEMENT]:
            return prices
    return []


def _lives(asked: Chosen) -> dict[str, Span]:
    """Of all markets of a day, asked about or not."""
    every = {market["market_id"]: lives.life(market) for market in (*asked.markets, *asked.left_out)}
    return {market_id: life for market_id, life in every.items() if life is not None}


def _columns(points: Sequence[PricePoint]) -> pa.RecordBatch:
    """A market has up to ten thousand points: column by column they take a fifth of what rows would."""
    at = pa.array([point.at for point in points], pa.timestamp("us", tz="UTC"))
    price = pa.array([point.price for point in points], pa.float64())
    return pa.record_batch({"at": at, "price": price, "resolution_s": pa.array([point.resolution_s for point in points], pa.int64())})  # fmt: skip


def _rows(market: dict[str, Any], answer: _Of) -> pa.Table:
    priced_at, price, resolution_s = answer.points.columns
    # Whether the venue stamps a bucket by its start or its end is not documented: its end is safe.
    known_at = pc.add(priced_at, pc.multiply(resolution_s, 1_000_000).cast(pa.duration("us")))
    price_e6 = pc.round(pc.multiply(price, float(E6)))
    own = {"priced_at": priced_at, "known_at": known_at, "price_e6": price_e6, "fidelity_s": resolution_s}
    same = {"market_id": market["market_id"], "close_day": market["close_day"], "received_at": answer.received_at, "source": catalogue.VENUE}  # fmt: skip
    return of_market("history_prices", answer.points.num_rows, own, same)
