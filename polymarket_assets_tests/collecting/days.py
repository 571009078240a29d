"""A day of close and what of it is fetched, as tests have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from polymarket_assets.collecting import history
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import PolymarketError
from polymarket_assets.venue.records import PricePoint
from polymarket_assets_tests.collecting.fakes import Gamma, Listing, Time, listing

DAY = date(2026, 11, 1)
START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 2, 13, tzinfo=UTC)
NOON = START + timedelta(hours=12)


def closed(n: int, at: datetime | None = NOON, **changed: Any) -> Listing:
    fields: dict[str, Any] = {"scheduled_end": NOON, "listed_at": START - timedelta(days=30)}
    ended = {"closed_at": at, "prices": ("1", "0"), "status": "resolved"}
    return listing(n, closed=True, end=ended, **{**fields, **changed})


@dataclass
class Prices:
    """Price points by token, or how they come of a spacing, or an error; remembers what was asked."""

    points: dict[str, list[PricePoint] | Callable[[int], list[PricePoint]] | PolymarketError] = field(
        default_factory=dict
    )
    asked: list[tuple[str, datetime, datetime, int]] = field(default_factory=list)

    def prices_history(self, token_id: str, start: datetime, end: datetime, bucket_s: int) -> list[PricePoint]:  # fmt: skip
        self.asked.append((token_id, start, end, bucket_s))
        found = self.points.get(token_id, [])
        if isinstance(found, PolymarketError):
            raise found
        return found(bucket_s) if callable(found) else found


def fetch_markets(lake: Lake, *rows: Listing, now: datetime = NOW, day: date = DAY) -> history.MarketsReport:
    return history.fetch_markets(lake, Gamma(list(rows)), day, clock=Time(now).clock)


def fetch_prices(lake: Lake, prices: Prices, now: datetime = NOW, on_market: Callable[[int, int], None] = lambda done, due: None) -> history.PricesReport:  # fmt: skip
    return history.fetch_prices(lake, [prices], DAY, clock=Time(now).clock, on_market=on_market)


def rows_of(lake: Lake, table: str) -> list[dict[str, Any]]:
    return reading.rows(lake, table).to_pylist()
