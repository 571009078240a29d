"""The network's edge, faked: a clock that only sleeping and answering move, and services that answer from lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import PolymarketError, Unavailable
from polymarket_assets.venue.records import Book, Level, Listing, Market, MarketEnd, Page

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
    asked_at: datetime | None = None


@dataclass
class Clob:
    """Order books from a list; `first` may raise or let time pass before each request goes out, `then` before its answer; `clock` tells when it did."""

    served: Sequence[Book] = ()
    malformed: tuple[str, ...] = ()
    then: Callable[[], None] = lambda: None
    first: Callable[[], None] = lambda: None
    clock: Callable[[], datetime] | None = None
    asked: list[list[str]] = field(default_factory=list)
    until: list[datetime | None] = field(default_factory=list)
    service: Service = field(default_factory=lambda: Service())

    def books(self, token_ids: Sequence[str], *, until: datetime | None = None) -> Answer:
        self.asked.append(list(token_ids))
        self.until.append(until)
        self.first()
        asked_at = self.clock() if self.clock else None
        self.service.asked()
        self.then()
        got = tuple(b for b in self.served if b.token_id in token_ids)
        named = {b.token_id for b in got} | {
            t for t in token_ids if any(t in what for what in self.malformed)
        }
        return Answer(
            got,
            omitted=tuple(t for t in token_ids if t not in named),
            malformed=self.malformed,
            asked_at=asked_at,
        )


@dataclass
class Venue:
    """A venue of fakes."""

    clob: Any = None
    gamma: Any = None
    data: Any = None


def listing(n: int, *, end: dict[str, Any] | None = None, **changed: Any) -> Listing:
    """Market `n` as listed: it ends in half an hour and trades, unless told otherwise."""
    fields: dict[str, Any] = {
        "gamma_id": str(n),
        "version": "v1",
        "slug": f"market-{n}",
        "question": f"Will {n} happen?",
        "outcomes": ("Yes", "No"),
        "token_ids": (token(n), f"9{token(n)}"),
        "scheduled_end": HOUR + timedelta(minutes=30),
        "listed_at": HOUR - timedelta(days=2),
        "volume_usd": 1000.0,
        "accepting_orders": True,
        "enable_order_book": True,
    }
    market = Market(market_id=market_id(n), condition_id=f"0x{n:064x}", **{**fields, **changed})
    ended: dict[str, Any] = {"closed_at": None, "prices": ("0.4", "0.6"), "status": None}
    return Listing(
        market,
        MarketEnd(
            market_id=market.market_id, condition_id=market.condition_id, token_ids=market.token_ids,
            closed=market.closed, **{**ended, **(end or {})},
        ),
    )  # fmt: skip


@dataclass
class Service:
    """A service that counts its requests; what else it says of itself is in `more`."""

    requests: int = 0
    bytes: int = 0
    more: dict[str, int | float | str] = field(default_factory=dict)

    @property
    def traffic(self) -> Service:
        return self

    def asked(self) -> None:
        self.requests += 1
        self.bytes += 1000

    def account(self) -> dict[str, int | float | str]:
        quiet: dict[str, int | float | str] = {
            "retries": 0,
            "throttled": 0,
            "waited_s": 0.0,
            "breaker": "closed",
        }
        return {"requests": self.requests, "bytes": self.bytes, **quiet, **self.more}


@dataclass
class Gamma:
    """The catalogue, filtering as the venue does; pages of two rows; fails after so many pages if told to."""

    rows: list[Listing] = field(default_factory=list)
    malformed: tuple[str, ...] = ()
    fails_after: int | None = None
    failure: PolymarketError = field(default_factory=lambda: Unavailable("gamma answered 503"))
    service: Service = field(default_factory=Service)
    asked: list[dict[str, Any]] = field(default_factory=list)
    looked_up: list[tuple[list[str], bool]] = field(default_factory=list)

    def markets(self, *, closed: bool, end_date_min: datetime | None = None, end_date_max: datetime | None = None, volume_num_min: float | None = None, order: str | None = None, ascending: bool = True) -> Iterator[Page]:  # fmt: skip
        self.asked.append({"end_date_min": end_date_min, "end_date_max": end_date_max, "volume_num_min": volume_num_min, "order": order})  # fmt: skip
        found = [row for row in self.rows if self._shows(row.market, closed, end_date_min, end_date_max, volume_num_min)]  # fmt: skip
        if order is not None:
            found = self.ordered(found, order, ascending)
        for page, first in enumerate(range(0, max(len(found), 1), 2)):
            if self.fails_after is not None and page >= self.fails_after:
                raise self.failure
            self.service.asked()
            yield Page(tuple(found[first : first + 2]), None, self.malformed)

    def by_condition(self, condition_ids: Sequence[str], *, closed: bool) -> list[Listing]:
        self.looked_up.append((list(condition_ids), closed))
        self.service.asked()
        return [r for r in self.rows if r.market.condition_id in condition_ids and r.market.closed == closed]

    def ordered(self, found: list[Listing], order: str, ascending: bool) -> list[Listing]:
        """By the instant of the close, rows without one last; another order is of no use here."""
        assert order == "closedTime"
        dated = sorted((row for row in found if row.end.closed_at), key=lambda row: row.end.closed_at, reverse=not ascending)  # type: ignore[arg-type,return-value]  # fmt: skip
        return dated + [row for row in found if row.end.closed_at is None]

    @staticmethod
    def _shows(market: Market, closed: bool, end_min: datetime | None, end_max: datetime | None, least: float | None) -> bool:  # fmt: skip
        ends = market.scheduled_end
        return (
            market.closed == closed
            and (end_min is None or (ends is not None and ends >= end_min))
            and (end_max is None or (ends is not None and ends <= end_max))
            and (least is None or (market.volume_usd or 0.0) >= least)
        )
