"""The network's edge, faked: a clock that only sleeping and answering move, and services that answer from lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.records import Book, Level

HOUR = datetime(2026, 11, 2, 13, tzinfo=UTC)


class Time:
    """A clock and the sleep that moves it."""

    def __init__(self, now: datetime = HOUR) -> None:
        self.now = now

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def market_id(n: int) -> str:
    return f"pm:0x{n:064x}"


def token(n: int) -> str:
    return str(10_000 + n)


def book(n: int, bids: Iterable[tuple[int, int]] = ((400_000, 5_000_000),), asks: Iterable[tuple[int, int]] = ((420_000, 7_000_000),), **changed: Any) -> Book:  # fmt: skip
    """The canonical book of market `n`: levels as (price_e6, size_e6), best first."""
    fields: dict[str, Any] = {
        "condition_id": f"0x{n:064x}",
        "token_id": token(n),
        "venue_at": HOUR,
        "hash": f"{n:040x}",
        "bids": tuple(Level(*level) for level in bids),
        "asks": tuple(Level(*level) for level in asks),
    }
    return Book(**{**fields, **changed})


def market_row(n: int, **changed: Any) -> dict[str, Any]:
    """A row of `markets`: half an hour from its end unless told otherwise."""
    return {
        "market_id": market_id(n),
        "received_at": HOUR - timedelta(minutes=5),
        "phase": "live",
        "tier": "t4",
        "effective_close": HOUR + timedelta(minutes=30),
        "end_source": "end_date",
        "venue": "polymarket",
        "condition_id": f"0x{n:064x}",
        "outcomes": ["Yes", "No"],
        "token_ids": [token(n), f"9{token(n)}"],
        "neg_risk": False,
        "tags": [],
        "volume_usd": 1000.0 + n,
        "accepting_orders": True,
        **changed,
    }


def list_markets(lake: Lake, *rows: dict[str, Any], part: str = "0") -> None:
    """Publish `markets` rows, each set in the hour before `HOUR`."""
    lake.publish_rows("markets", list(rows), part=part, at=HOUR - timedelta(minutes=5))


@dataclass(frozen=True)
class Answer:
    """`venue.clob.BooksAnswer`, as far as it is read."""

    books: tuple[Book, ...]
    omitted: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()
    requests: int = 1
    bytes: int = 100


@dataclass
class Clob:
    """Order books from a list; `then` may raise or let time pass before each answer."""

    served: Sequence[Book] = ()
    malformed: tuple[str, ...] = ()
    then: Callable[[], None] = lambda: None
    asked: list[list[str]] = field(default_factory=list)

    def books(self, token_ids: Sequence[str]) -> Answer:
        self.asked.append(list(token_ids))
        self.then()
        return Answer(tuple(b for b in self.served if b.token_id in token_ids), malformed=self.malformed)


@dataclass
class Venue:
    """A venue of fakes."""

    clob: Any = None
    gamma: Any = None
    data: Any = None
