"""A day of close that is over: its span, and its markets as they were fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from polymarket_assets.collecting import catalogue
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Refused

# One part holds a day: fetched again, it is replaced.
PART = "venue"


class DayNotOver(Refused):
    """A day was asked for that is still running, or lies ahead."""


class MarketsMissing(Refused):
    """Prices or trades were asked for of a day whose markets were never fetched."""


@dataclass(frozen=True)
class Chosen:
    """The markets of a day that are asked about, and those traded too little for it; both in the order of their ids."""

    markets: Sequence[dict[str, Any]]
    left_out: Sequence[dict[str, Any]]


def over(day: date, now: datetime) -> Span:
    """The span of a day. Raises `DayNotOver`."""
    span = Span.day(day)
    if now < span.end:
        raise DayNotOver(f"the day {day} is not over in UTC: its closed markets are complete from {span.end}")
    return span


def is_fetched(lake: Lake, table: str, day: date) -> bool:
    """Whether a day of a table was fetched from the venue, be it without rows."""
    folder = layout.folder(TABLES[table], day)
    return f"{folder}/{layout.part(PART)}" in lake.store.list(folder)


def markets(lake: Lake, day: date) -> list[dict[str, Any]]:
    """The markets of a day as fetched from the venue; imported ones bring their own prices. Raises `MarketsMissing`."""
    if not is_fetched(lake, "history_markets", day):
        raise MarketsMissing(
            f"the markets that closed on {day} were never fetched: materialize history_markets of {day} first"
        )
    rows = reading.rows(lake, "history_markets", Span.day(day)).select(_READ).to_pylist()
    fetched = [row for row in rows if row["source"] == catalogue.VENUE and row["token_ids"]]
    return sorted(fetched, key=lambda row: str(row["market_id"]))


def chosen(lake: Lake, day: date, least_volume_usd: float) -> Chosen:
    """Those that were traded for at least so much. Raises `MarketsMissing`."""
    parted: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for row in markets(lake, day):
        parted[(row["volume_usd"] or 0.0) >= least_volume_usd].append(row)
    return Chosen(parted[True], parted[False])


_READ = [
    "market_id", "condition_id", "close_day", "closed_at", "effective_close", "listed_at", "token_ids", "volume_usd", "source",
]  # fmt: skip
