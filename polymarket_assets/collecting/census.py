"""Everything that is open, once a day: every market ever seen stays in `census` with its fate.

A walk over the whole catalogue, page by page: 80,000 open markets are 800 requests, half a gigabyte and about a minute
at half the published limits. Only changes are stored, and a walk that breaks off lets nothing vanish.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from polymarket_assets.collecting import catalogue, queries
from polymarket_assets.collecting.walking import Catalogue, in_universe
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import day_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import PolymarketError
from polymarket_assets.venue.records import Listing, Market

log = logging.getLogger(__name__)

OPEN, CLOSED, VANISHED = "open", "closed", "vanished"
# Rows published at once: a walk holds no more than these, and an id for each market that is open.
ROWS_A_PART = 10_000
# Markets that closed in a day are some thousands; what vanished is asked about again for so long.
LOOKED_UP = 20_000
VANISHED_FOR = timedelta(days=7)
# A page of the catalogue, as published (PROTOCOL 2.1): what a walk will cost is said before it begins.
ROWS_A_PAGE, BYTES_A_PAGE = 100, 600_000
# Before the first census nobody has counted (PROTOCOL 2.3).
OPEN_USUALLY = 80_000
# Volumes move all the time; the census keeps their order of magnitude.
MOVED_TIMES = 2.0

_COMPARED = ("condition_id", "fate", "why_not", "slug", "event_id", "category", "scheduled_end")


@dataclass(frozen=True)
class CensusReport:
    """What a census saw and stored."""

    open: int
    new: int
    changed: int
    closed: int
    vanished: int
    malformed: int
    pages: int
    complete: bool
    problem: str | None = None


@dataclass
class _Count:
    """The walk so far."""

    lake: Lake
    settings: Settings
    began: datetime
    known: dict[str, dict[str, Any]]
    met: set[str] = field(default_factory=set)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    parts: int = 0
    new: int = 0
    changed: int = 0
    malformed: int = 0
    pages: int = 0

    def page(self, listings: Iterator[Market], received_at: datetime) -> None:
        """Count the markets of a page."""
        for market in listings:
            if market.market_id not in self.met:
                self.met.add(market.market_id)
                self.add(self._row(market, OPEN, received_at))

    def add(self, row: dict[str, Any]) -> None:
        """Keep a row if it says more than what is known."""
        known = self.known.get(row["market_id"])
        if known is not None and not _is_news(row, known):
            return
        self.new += known is None
        self.changed += known is not None
        self.waiting.append({**row, "first_seen_at": known["first_seen_at"] if known else row["received_at"]})
        if len(self.waiting) >= ROWS_A_PART:
            self.publish()

    def publish(self) -> None:
        """Publish what waits, in a part of its own."""
        if self.waiting:
            self._remember()
            part = f"{self.began:%H%M%S}_{self.parts:03d}"
            self.lake.publish_rows("census", self.waiting, part=part, at=day_of(self.began))
            self.parts += 1
            self.waiting = []

    def _remember(self) -> None:
        """A market that was closed and is open again was seen before: it is new to nobody but `known`."""
        strangers = [row for row in self.waiting if row["market_id"] not in self.known]
        if not strangers:
            return
        with queries.over(self.lake, census=None) as connection:
            found = connection.execute(_FIRST_SEEN, {"ids": [row["market_id"] for row in strangers]}).fetchall()  # fmt: skip
        first_seen = dict(found)
        for row in strangers:
            row["first_seen_at"] = first_seen.get(row["market_id"], row["first_seen_at"])
        self.new -= len(first_seen)
        self.changed += len(first_seen)

    def _row(self, market: Market, fate: str, received_at: datetime) -> dict[str, Any]:
        row = catalogue.market_row(market, received_at)
        names = set(TABLES["census"].names)
        return {
            **{name: value for name, value in row.items() if name in names},
            "fate": fate,
            "why_not": why_not(market, self.settings, received_at),
        }

    def gone(self, gamma: Catalogue, clock: Callable[[], datetime]) -> tuple[int, int]:
        """What was open and was not met: by the venue's word closed, or open all the same, else vanished; how many closed and vanished."""
        missing = [row for id_, row in self.known.items() if id_ not in self.met and row["condition_id"]]
        asked = {row["market_id"]: row for row in missing[:LOOKED_UP]}
        fates = [self._look_up(gamma, asked, fate, clock) for fate in (CLOSED, OPEN)]
        for row in asked.values():
            self.add({**row, "fate": VANISHED, "received_at": clock()})
        return fates[0], len(asked)

    def _look_up(
        self, gamma: Catalogue, asked: dict[str, dict[str, Any]], fate: str, clock: Callable[[], datetime]
    ) -> int:
        """Ask for markets among the closed or the open; those that are there are asked for no more. How many."""
        ids = [row["condition_id"] for row in asked.values()]
        found = gamma.by_condition(ids, closed=fate == CLOSED) if ids else ()
        # A venue that ignores the parameter would close what is open.
        there = [listing.market for listing in found if listing.market.closed == (fate == CLOSED)]
        for market in there:
            if asked.pop(market.market_id, None) is not None:
                self.add(self._row(market, fate, clock()))
        if fate == OPEN:
            self.met.update(market.market_id for market in there)
        return len(there)


def take(lake: Lake, gamma: Catalogue, settings: Settings, *, clock: Callable[[], datetime]) -> CensusReport:
    """Walk everything that is open, and store what changed since the last census.

    Raises:
        Unavailable, Refused, MalformedPayload: the venue gave no page at all; nothing was stored.
        LakeUnwritable: parts already published stay.
    """
    began = clock()
    count = _Count(lake, settings, began, _known(lake, began))
    _tell_cost(sum(row["fate"] == OPEN for row in count.known.values()))
    problem: PolymarketError | None = None
    closed = vanished = 0
    try:
        for page in gamma.markets(closed=False):
            count.pages += 1
            count.malformed += len(page.malformed)
            count.page((row.market for row in page.rows if isinstance(row, Listing)), clock())
        closed, vanished = count.gone(gamma, clock)
    except PolymarketError as e:
        if not count.pages:
            raise
        log.warning("the census is incomplete: %s", e)
        problem = e
    count.publish()
    return CensusReport(
        open=len(count.met), new=count.new, changed=count.changed, closed=closed, vanished=vanished, malformed=count.malformed,
        pages=count.pages, complete=problem is None, problem=None if problem is None else str(problem),
    )  # fmt: skip


def why_not(market: Market, settings: Settings, now: datetime) -> str | None:
    """Why an open market is not collected; None for one that discovery would keep."""
    if not market.enable_order_book or len(market.token_ids) < 2 or not all(market.token_ids):
        return "no book"
    if market.scheduled_end is None or market.scheduled_end > now + timedelta(hours=settings.lookahead_hours):
        return "ends too far ahead"
    return None if in_universe(market, settings, now) else "too small, or other tags"


def _tell_cost(open_: int) -> None:
    pages = -(-(open_ or OPEN_USUALLY) // ROWS_A_PAGE)
    log.info("the census will take about %d requests and %.0f MB", pages, pages * BYTES_A_PAGE / 1e6)


def _known(lake: Lake, now: datetime) -> dict[str, dict[str, Any]]:
    """The newest row of each market that was open, or vanished lately."""
    with queries.over(lake, census=None) as connection:
        found: pa.Table = connection.sql(_KNOWN, params={"since": now - VANISHED_FOR}).to_arrow_table()
    return {row["market_id"]: row for row in found.to_pylist()}


_KNOWN = """
select * from census qualify row_number() over (partition by market_id order by received_at desc) = 1
    and (fate = 'open' or (fate = 'vanished' and received_at > $since))
"""


_FIRST_SEEN = "select market_id, min(first_seen_at) from census where market_id in (select unnest($ids)) group by market_id"


def _is_news(row: dict[str, Any], known: dict[str, Any]) -> bool:
    if any(row[name] != known[name] for name in _COMPARED):
        return True
    before, after = known["volume_usd"] or 0.0, row["volume_usd"] or 0.0
    return after >= max(1.0, MOVED_TIMES * before)
