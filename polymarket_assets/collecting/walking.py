"""What a discovery asks the catalogue: the two listings that make the universe, and single markets that neither shows.

Everything ending within `LOOKAHEAD_HOURS` (or overdue) with at least `MIN_VOLUME_USD` traded, and everything ending
within a day of now whatever its volume, because the venue's filter would hide young series and the last hours; of
the latter, rows beyond 12 hours count only when they belong to a recurring series. A market that is followed already
stays whatever its volume has become: only the settings leave it out, and only the venue closes it.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from polymarket_assets.collecting import catalogue
from polymarket_assets.settings import Settings
from polymarket_assets.venue.errors import PolymarketError
from polymarket_assets.venue.records import Listing, Market, Page

log = logging.getLogger(__name__)

# Closer to its end than this a market counts whatever its volume.
ANY_VOLUME_WITHIN = timedelta(hours=12)
# Series are listed 18 to 24 hours before their window.
SERIES_WITHIN = timedelta(hours=24)


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


@dataclass
class Walk:
    """What the catalogue said so far; `followed` are the ids of markets that are collected already."""

    settings: Settings
    clock: Callable[[], datetime]
    followed: Set[str]
    # To be collected, or collected until now, as rows of `markets`.
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Closed by the venue's word.
    closed: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Every market met open, kept or not: what is in here has not vanished.
    met: set[str] = field(default_factory=set)
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

    def look_up(self, gamma: Catalogue, condition_ids: Sequence[str], *, closed: bool) -> None:
        """Ask for single markets that are, or are not, closed; a failure of the venue is kept as `problem`."""
        try:
            found = gamma.by_condition(condition_ids, closed=closed) if condition_ids else ()
        except PolymarketError as e:
            log.warning("%d markets could not be looked up: %s", len(condition_ids), e)
            self.problem = e
            return
        received_at = self.clock()
        for listing in found:
            self._market(listing.market, received_at)

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

    def _page(self, page: Page) -> None:
        received_at = self.clock()
        self.pages += 1
        self.malformed += len(page.malformed)
        for listing in page.rows:
            if isinstance(listing, Listing):
                self._market(listing.market, received_at)

    def _market(self, market: Market, received_at: datetime) -> None:
        id_ = market.market_id
        if market.closed:
            self.closed[id_] = catalogue.market_row(market, received_at)
        elif id_ not in self.met:
            self.met.add(id_)
            if id_ in self.followed or in_universe(market, self.settings, received_at):
                left_out = None if is_asked_for(market, self.settings) else True
                self.rows[id_] = {**catalogue.market_row(market, received_at), "is_left_out": left_out}
            else:
                self.left_out += 1


def in_universe(market: Market, settings: Settings, now: datetime) -> bool:
    """Whether a listed market is one to begin to collect: it has a book and both tokens, is wanted, and is worth it."""
    return (
        market.enable_order_book
        and len(market.token_ids) > 1
        and all(market.token_ids)
        and is_asked_for(market, settings)
        and (
            (market.volume_usd or 0.0) >= settings.min_volume_usd
            or market.series_slug is not None
            or catalogue.ends_within(market, ANY_VOLUME_WITHIN, now)
        )
    )


def is_asked_for(market: Market, settings: Settings) -> bool:
    """Whether tags and slug are among those that the settings name; where they name none, all are."""
    return (not settings.universe_tags or not set(settings.universe_tags).isdisjoint(market.tags)) and (
        not settings.universe_slugs or bool({market.slug, market.event_slug} & set(settings.universe_slugs))
    )
