"""The markets that closed on a day: by the instant of their close where that is near, by their scheduled end where not.

The catalogue takes no day of close. It can be walked back from now in the order of close (PROTOCOL 2.1), which finds
every market and costs the days in between. And it can be asked for scheduled ends: of 11,771 closed markets of 2024, 84 %
closed within three days before and seven after theirs, so eleven days are listed to find them; what is missed closed
long before a deadline (15 %) or long after its end. So a day is walked back to where that costs half more than the eleven:
a fortnight is whole.

A parameter that the venue does not know is ignored without a word: the order is believed when the rows show it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from polymarket_assets.collecting import catalogue
from polymarket_assets.collecting.history.closed_days import PART, over
from polymarket_assets.lake.spans import DAY, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Refused
from polymarket_assets.venue.records import Listing, Page

log = logging.getLogger(__name__)

# Scheduled ends listed around a day of close; the module says what they miss.
ENDED_BEFORE = timedelta(days=3)
ENDED_AFTER = timedelta(days=7)
# Half more than what listing those costs is what walking back may cost.
SCHEDULED = ENDED_BEFORE + DAY + ENDED_AFTER
WALKED_BACK = 1.5 * SCHEDULED
# Markets hardly anybody traded teach little, and series list many of them.
LEAST_VOLUME_USD = 100.0
BY_CLOSE, BY_SCHEDULE = "closed_time", "scheduled_end"
ORDER = "closedTime"
# Rows may change while pages of them are cut, and few do: more that are newer than the row before are in another order.
MOVED_ALWAYS, MOVED_SHARE = 2, 0.02
# Rows that do not say when they closed stand together at one end: so many pages of them, and the other end is far.
MOST_UNDATED_PAGES = 20
# What the catalogue refuses an order with that it does not take.
_NOT_TAKEN = (400, 422)


class Catalogue(Protocol):
    """The catalogue service, as far as history needs it."""

    def markets(
        self,
        *,
        closed: bool,
        end_date_min: datetime | None = None,
        end_date_max: datetime | None = None,
        volume_num_min: float | None = None,
        order: str | None = None,
        ascending: bool = True,
    ) -> Iterator[Page]:
        """Key-set pages of listings."""


@dataclass(frozen=True)
class MarketsReport:
    """What was fetched of a day."""

    day: date
    rows: int
    # Rows of the catalogue that could not be read.
    malformed: int
    # Listed to find the day's markets, of which most closed on other days.
    listed: int
    # Closed, but the venue does not say when.
    undated: int
    bytes: int
    # By which way they were found, and why not by the close where that was tried.
    found_by: str
    fell_back: str | None = None


class NotInOrder(Exception):
    """The catalogue does not list by the instant of the close; the message says how that shows."""


def fetch_markets(
    lake: Lake, gamma: Catalogue, day: date, *, clock: Callable[[], datetime], on_page: Callable[[int, int], None] = lambda listed, found: None
) -> MarketsReport:  # fmt: skip
    """Fetch the markets that closed on `day` into `history_markets`; nothing of how they ended is kept.

    `on_page` is told after each page how many markets were listed, and how many of them are the day's.

    Raises:
        DayNotOver: the day is not over yet.
        Unavailable: the venue failed; nothing was written.
        MalformedPayload: its pages lead in a circle or nowhere, or it ignores a filter; nothing was written.
        LakeUnwritable: nothing was written.
    """
    span = over(day, clock())
    found, found_by, fell_back = _find(gamma, lambda: _Found(span, clock, on_page))
    rows = sorted(found.rows.values(), key=lambda row: str(row["market_id"]))
    written = lake.publish_rows("history_markets", rows, part=PART, at=day)
    return MarketsReport(
        day,
        written.rows,
        malformed=found.malformed,
        listed=found.listed,
        undated=found.undated,
        bytes=written.bytes,
        found_by=found_by,
        fell_back=fell_back,
    )


@dataclass
class _Found:
    """The markets of one day of close, as listed so far."""

    span: Span
    clock: Callable[[], datetime]
    on_page: Callable[[int, int], None]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: int = 0
    undated: int = 0
    malformed: int = 0

    def page(self, page: Page) -> list[datetime]:
        """Add a page; returns when its rows closed, in their order."""
        received_at = self.clock()
        self.malformed += len(page.malformed)
        # A row that comes twice on a page stands where it stood first.
        listings = list({one.market.market_id: one for one in page.rows if isinstance(one, Listing)}.values())
        for listing in listings:
            self._listing(listing, received_at)
        self.on_page(self.listed, len(self.rows))
        return [listing.end.closed_at for listing in listings if listing.end.closed_at is not None]

    def _listing(self, listing: Listing, received_at: datetime) -> None:
        self.listed += 1
        market, closed_at = listing.market, listing.end.closed_at
        if closed_at is None:
            self.undated += 1
        elif closed_at in self.span and market.token_ids:
            self.rows[market.market_id] = catalogue.history_row(
                market, closed_at, self.span.start.date(), received_at
            )


def _find(gamma: Catalogue, none: Callable[[], _Found]) -> tuple[_Found, str, str | None]:
    """The day's markets, by which way they were found, and why the other was given up; each way begins with `none`."""
    found = none()
    if found.clock() - found.span.start > WALKED_BACK:
        return _scheduled(gamma, found), BY_SCHEDULE, None
    try:
        return _walked(gamma, found), BY_CLOSE, None
    except NotInOrder as e:
        why = str(e)
    except Refused as e:
        if e.status not in _NOT_TAKEN:
            raise
        why = f"the catalogue refuses the order: {e}"
    log.warning(
        "the markets that closed on %s are found by their scheduled end: %s", found.span.start.date(), why
    )
    return _scheduled(gamma, none()), BY_SCHEDULE, why


def _scheduled(gamma: Catalogue, found: _Found) -> _Found:
    """Everything that was scheduled to end around the day."""
    span = found.span
    for page in gamma.markets(
        closed=True,
        end_date_min=span.start - ENDED_BEFORE,
        end_date_max=span.end + ENDED_AFTER,
        volume_num_min=LEAST_VOLUME_USD,
    ):
        found.page(page)
    return found


def _walked(gamma: Catalogue, found: _Found) -> _Found:
    """Everything that closed since the day began, the latest first. Raises `NotInOrder`."""
    order = _Order()
    for page in gamma.markets(closed=True, volume_num_min=LEAST_VOLUME_USD, order=ORDER, ascending=False):
        closed = found.page(page)
        in_order = order.page(closed)
        # A row that moved may stand anywhere: a whole page of them, in order, says that the day lies behind us.
        if in_order and closed and max(closed) < found.span.start:
            break
    return found


@dataclass
class _Order:
    """Whether rows come by the instant of their close, the latest first."""

    last: datetime | None = None
    rows: int = 0
    moved: int = 0
    undated_pages: int = 0

    def page(self, closed: list[datetime]) -> bool:
        """Look at a page; returns whether it is in order. Raises `NotInOrder`."""
        self.undated_pages = 0 if closed else self.undated_pages + 1
        before = self.moved
        for at in closed:
            self.moved += self.last is not None and at > self.last
            self.last = at
        self.rows += len(closed)
        if self.moved > MOVED_ALWAYS + MOVED_SHARE * self.rows:
            raise NotInOrder(f"{self.moved} of {self.rows} rows closed after the row before them: the venue ignores the order")  # fmt: skip
        if self.undated_pages >= MOST_UNDATED_PAGES:
            raise NotInOrder(f"{self.undated_pages} pages of rows do not say when they closed")
        return self.moved == before
