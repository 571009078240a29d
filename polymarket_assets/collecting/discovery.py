"""What is listed, to `markets`: only changes are stored, and what is known is brought up to an instant here.

Two listings make the universe: everything ending within `LOOKAHEAD_HOURS` (or overdue) with at least
`MIN_VOLUME_USD` traded, and everything ending within a day of now whatever its volume, because the venue's
filter would hide young series and the last hours; of the latter, rows beyond 12 hours stay only when they
belong to a recurring series. A market is closed only by the venue's word: one that vanished from a complete
listing is looked up among the closed.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from polymarket_assets.collecting import catalogue, observing, queries
from polymarket_assets.collecting.known import brought_up, known_markets, newest_markets
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import PolymarketError
from polymarket_assets.venue.records import Listing, Market, Page

__all__ = ["DiscoveryReport", "discover", "in_universe", "newest_markets"]

log = logging.getLogger(__name__)

# An unchanged market is stored again after this long, so that `known.KNOWN_FOR` never loses one that is listed.
STORED_AGAIN = timedelta(days=7)
# Closer to its end than this a market counts whatever its volume.
ANY_VOLUME_WITHIN = timedelta(hours=12)
# Series are listed 18 to 24 hours before their window.
SERIES_WITHIN = timedelta(hours=24)
# Numbers that move all the time are stored when they moved by this share.
MOVED_SHARE = 0.05
# Most vanished markets looked up in one run: ten requests.
LOOKED_UP = 1_000
# An announced market is looked up by the next discovery, and by the one after should that fail: the venue makes some fifty in ten minutes.
ANNOUNCED_WITHIN = timedelta(minutes=20)
LOOKED_UP_NEW = 500

_MOVING = ("volume_usd", "volume_24h_usd", "liquidity_usd")
_NOT_COMPARED = ("received_at", "tier", "volume_before_usd", "volume_before_at", *_MOVING)
_STABLE = tuple(name for name in TABLES["markets"].names if name not in _NOT_COMPARED)


class Traffic(Protocol):
    """What went over the wire so far."""

    @property
    def requests(self) -> int: ...
    @property
    def bytes(self) -> int: ...


class Metered(Protocol):
    """A service that counts its traffic."""

    @property
    def traffic(self) -> Traffic: ...


class Catalogue(Protocol):
    """The catalogue service, as far as discovery needs it."""

    @property
    def service(self) -> Metered: ...

    def markets(
        self,
        *,
        closed: bool,
        end_date_min: datetime | None = None,
        end_date_max: datetime | None = None,
        volume_num_min: float | None = None,
    ) -> Iterator[Page]:
        """Key-set pages of listings."""

    def by_condition(self, condition_ids: Sequence[str], *, closed: bool) -> Sequence[Listing]:
        """Listings by condition id."""


@dataclass(frozen=True)
class DiscoveryReport:
    """What a discovery saw and stored; `complete` is false when the venue failed midway."""

    listed: int
    stored: int
    closed: int
    malformed: int
    pages: int
    requests: int
    received_bytes: int
    complete: bool
    # Known open, in no complete listing and not (yet) closed by the venue.
    vanished: int = 0
    # Said by the stream to be new and in neither listing, and how many of them belong to the universe.
    announced: int = 0
    announced_kept: int = 0
    # Listed, but outside the universe: no book, no token ids, too small, other tags.
    left_out: int = 0
    problem: str | None = None


def discover(
    lake: Lake, gamma: Catalogue, settings: Settings, *, clock: Callable[[], datetime]
) -> DiscoveryReport:
    """List the open markets and store what changed since it was last stored.

    Raises:
        Unavailable, Refused, MalformedPayload: the venue gave no page at all; nothing was stored.
        LakeUnwritable: nothing was stored.
    """
    began, traffic = clock(), gamma.service.traffic
    requests, size = traffic.requests, traffic.bytes
    known = {row["market_id"]: row for row in brought_up(known_markets(lake, now=began), began).to_pylist()}
    walk = _Walk(settings, clock)
    walk.listings(gamma, began)
    if walk.problem is not None and not walk.pages:
        raise walk.problem
    announced = _announced(lake, known, walk.met, began) if walk.problem is None else []
    kept = walk.announced(gamma, announced)
    seen = observing.seen(lake, clock())
    rows = [
        observing.observed(row, known.get(id_), seen.get(id_), row["received_at"])
        for id_, row in walk.rows.items()
    ]
    closed, vanished = walk.closed(gamma, _vanished(known, walk.met)) if walk.problem is None else ([], 0)
    changed = [row for row in rows if _is_news(row, known.get(row["market_id"]))]
    _publish(lake, [_after(row, known.get(row["market_id"])) for row in changed + closed], began)
    return DiscoveryReport(
        listed=walk.listed,
        stored=len(changed) + len(closed),
        closed=len(closed),
        malformed=walk.malformed,
        pages=walk.pages,
        requests=traffic.requests - requests,
        received_bytes=traffic.bytes - size,
        complete=walk.problem is None,
        vanished=vanished,
        announced=len(announced),
        announced_kept=kept,
        left_out=walk.left_out,
        problem=None if walk.problem is None else str(walk.problem),
    )


@dataclass
class _Walk:
    """The listings as walked so far."""

    settings: Settings
    clock: Callable[[], datetime]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Every market met, kept or not: what is in here has not vanished.
    met: set[str] = field(default_factory=set)
    listed: int = 0
    left_out: int = 0
    malformed: int = 0
    pages: int = 0
    problem: PolymarketError | None = None

    def listings(self, gamma: Catalogue, now: datetime) -> None:
        """Walk both listings; a failure of the venue ends the walk and is kept as `problem`."""
        try:
            for page in itertools.chain(self._large(gamma, now), self._near(gamma, now)):
                self._page(page)
        except PolymarketError as e:
            log.warning("the listing is incomplete: %s", e)
            self.problem = e

    def _large(self, gamma: Catalogue, now: datetime) -> Iterator[Page]:
        ahead = now + timedelta(hours=self.settings.lookahead_hours)
        least = self.settings.min_volume_usd or None
        return gamma.markets(closed=False, end_date_max=ahead, volume_num_min=least)

    def _near(self, gamma: Catalogue, now: datetime) -> Iterable[Page]:
        """Markets near their end whatever their volume; no second listing where the first has no filter."""
        if not self.settings.min_volume_usd:
            return ()
        ahead = now + min(SERIES_WITHIN, timedelta(hours=self.settings.lookahead_hours))
        return gamma.markets(closed=False, end_date_min=now - ANY_VOLUME_WITHIN, end_date_max=ahead)

    def announced(self, gamma: Catalogue, condition_ids: list[str]) -> int:
        """Look up markets that the stream announced; how many of them are kept."""
        before = len(self.rows)
        try:
            found = gamma.by_condition(condition_ids, closed=False) if condition_ids else ()
        except PolymarketError as e:
            log.warning("announced markets could not be looked up: %s", e)
            return 0
        received_at = self.clock()
        for listing in found:
            self._market(listing.market, received_at)
        return len(self.rows) - before

    def closed(self, gamma: Catalogue, vanished: list[str]) -> tuple[list[dict[str, Any]], int]:
        """Rows of the vanished markets that the venue calls closed, and how many vanished without its word."""
        asked = vanished[:LOOKED_UP]
        found: Sequence[Listing] = ()
        try:
            found = gamma.by_condition(asked, closed=True) if asked else ()
        except PolymarketError as e:
            log.warning("vanished markets could not be looked up: %s", e)
            self.problem = e
        received_at = self.clock()
        rows = [
            catalogue.market_row(listing.market, received_at) for listing in found if listing.market.closed
        ]
        return rows, len(vanished) - len(rows)

    def _page(self, page: Page) -> None:
        received_at = self.clock()
        self.pages += 1
        self.malformed += len(page.malformed)
        for listing in page.rows:
            if isinstance(listing, Listing):
                self._market(listing.market, received_at)

    def _market(self, market: Market, received_at: datetime) -> None:
        if market.market_id in self.met:
            return
        self.met.add(market.market_id)
        self.listed += 1
        if in_universe(market, self.settings, received_at):
            self.rows[market.market_id] = catalogue.market_row(market, received_at)
        else:
            self.left_out += 1


def in_universe(market: Market, settings: Settings, now: datetime) -> bool:
    """Whether a listed market is one to collect: it has a book and both tokens, and the settings want it."""
    return (
        market.enable_order_book
        and len(market.token_ids) > 1
        and all(market.token_ids)
        and (not settings.universe_tags or not set(settings.universe_tags).isdisjoint(market.tags))
        and (
            not settings.universe_slugs
            or bool({market.slug, market.event_slug} & set(settings.universe_slugs))
        )
        and (
            (market.volume_usd or 0.0) >= settings.min_volume_usd
            or market.series_slug is not None
            or catalogue.ends_within(market, ANY_VOLUME_WITHIN, now)
        )
    )


def _is_news(row: dict[str, Any], known: dict[str, Any] | None) -> bool:
    """Whether a row says more than what is stored."""
    if known is None or row["received_at"] - known["received_at"] > STORED_AGAIN:
        return True
    return any(row[name] != known[name] for name in _STABLE) or any(
        _moved(known[name], row[name]) for name in _MOVING
    )


def _after(row: dict[str, Any], known: dict[str, Any] | None) -> dict[str, Any]:
    """A row with the volume of the row that it follows."""
    if known is None:
        return row
    return {**row, "volume_before_usd": known["volume_usd"], "volume_before_at": known["received_at"]}


def _moved(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(after - before) > MOVED_SHARE * abs(before)


def _vanished(known: dict[str, dict[str, Any]], met: set[str]) -> list[str]:
    """Condition ids of what is known to be open and was not listed; the latest ends first, likeliest to be over."""
    gone = [
        row
        for row in known.values()
        if row["phase"] != "closed" and row["market_id"] not in met and row["condition_id"]
    ]
    gone.sort(key=lambda row: row["effective_close"] or row["received_at"], reverse=True)
    return [row["condition_id"] for row in gone]


def _announced(lake: Lake, known: Mapping[str, Any], met: set[str], now: datetime) -> list[str]:
    """Condition ids of `new_market` messages of late that nobody listed to us, the newest first."""
    with queries.over(
        lake, market_events=Span(now - ANNOUNCED_WITHIN, now + timedelta.resolution)
    ) as connection:
        found = connection.execute(_ANNOUNCED, {"since": now - ANNOUNCED_WITHIN}).fetchall()
    return [id_ for (id_,) in found if f"pm:{id_}" not in known and f"pm:{id_}" not in met][:LOOKED_UP_NEW]


_ANNOUNCED = """
select condition_id from market_events where kind = 'new_market' and received_at > $since and condition_id is not null
group by 1 order by max(received_at) desc
"""


def _publish(lake: Lake, rows: list[dict[str, Any]], began: datetime) -> None:
    """Publish rows, filed by the hour they were received in, in a part named by when the walk began."""
    by_hour = itertools.groupby(
        sorted(rows, key=lambda row: row["received_at"]), lambda row: hour_of(row["received_at"])
    )
    for hour, group in by_hour:
        lake.publish_rows("markets", list(group), part=f"{began:%H%M%S}", at=hour)
