"""Asking the Data API about markets that were deaf: each from its first gap on, until now.

Its answers are cached for 300 s at the edge (PROTOCOL 6.2) and its instants are those of blocks, seconds after
the match. So an answer settles an hour only when it was asked for `SETTLED_AFTER` its end; an earlier one helps,
and is asked for again.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from polymarket_assets.collecting.deafness import LATE_BLOCK
from polymarket_assets.lake.spans import Span
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused, Unavailable
from polymarket_assets.venue.records import Page, Trade

log = logging.getLogger(__name__)

# What the edge may keep an answer for.
EDGE_CACHE = timedelta(seconds=300)
# Seven minutes: an answer of then knows every block of the hour, whatever its age. The schedule ticks at seven past.
SETTLED_AFTER = EDGE_CACHE + LATE_BLOCK

# By so much our clock may lie ahead of the venue's, whose block times are whole seconds besides.
SKEW = timedelta(minutes=1)

# What can come of asking about a market. Only the first needs nothing more.
HEALED = "healed"
EARLY = "early"  # answered before all blocks of the hour were sure to be in the answer
LEFT_OUT = "left_out"  # more markets were deaf than one build asks about
UNANSWERED = "unanswered"  # the Data API could not be reached, or none was given
REFUSED = "refused"
UNREADABLE = "unreadable"  # answered, but not all of it could be read, or not all is shown
UNMAPPED = "unmapped"  # answered, but of some trade nobody knows the outcome yet


# So many markets in a row without an answer, and the service is down; one alone is a trouble of its own.
MOST_FAILURES = 3


class Trades(Protocol):
    """The Data API, as far as healing needs it."""

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        """Pages of a market's trades, newest first."""


@dataclass(frozen=True)
class Asked:
    """What the Data API is known to have said of a market: everything from `since_at` to `asked_at`, if healed."""

    since_at: datetime
    state: str
    asked_at: datetime | None = None


@dataclass
class Fetched:
    """Fills with the instant of their answer, what came of each market, and the last failure to answer."""

    trades: list[tuple[Trade, datetime]] = field(default_factory=list)
    asked: dict[str, Asked] = field(default_factory=dict)
    malformed: int = 0
    failure: Unavailable | None = None
    failures: int = 0


def fetch(
    data: Trades | None, wanted: Iterable[tuple[str, datetime]], most: int, span: Span, clock: Callable[[], datetime]
) -> Fetched:  # fmt: skip
    """What the Data API says of markets, each from its instant on: the first `most` of them, while it answers."""
    fetched = Fetched()
    for place, (market_id, since) in enumerate(wanted):
        if data is None or fetched.failures >= MOST_FAILURES:
            state = UNANSWERED
        elif place >= most:
            state = LEFT_OUT
        else:
            state = _ask(data, market_id, since, span, clock, fetched)
        asked_at = clock() if state in (HEALED, EARLY, UNREADABLE) else None
        fetched.asked[market_id] = Asked(since, state, asked_at)
    return fetched


def _ask(data: Trades, market_id: str, since: datetime, span: Span, clock: Callable[[], datetime], fetched: Fetched) -> str:  # fmt: skip
    """Add what the Data API knows of one market, as far as it says; returns what came of it."""
    asked_at = clock()
    pages: list[tuple[Page, datetime]] = []
    try:
        for page in data.trades(market_id.removeprefix("pm:"), since=since - SKEW):
            pages.append((page, clock()))
    except Unavailable as e:
        fetched.failure, fetched.failures = e, fetched.failures + 1
        return UNANSWERED
    except Gone as e:
        log.info("%s has no trades: %s", market_id, e)
    except (Refused, MalformedPayload) as e:
        log.warning("%s is not healed: %s", market_id, e)
        return REFUSED
    finally:
        fetched.trades += once(pages)
    fetched.failures = 0
    malformed = [said for page, _ in pages for said in page.malformed]
    malformed += ["older trades than v1 shows" for page, _ in pages if page.is_cut]
    fetched.malformed += len(malformed)
    if malformed:
        log.warning("%s is healed in part: %s", market_id, malformed[0])
        return UNREADABLE
    return HEALED if asked_at >= span.end + SETTLED_AFTER else EARLY


def once(pages: Iterable[tuple[Page, datetime]]) -> list[tuple[Trade, datetime]]:
    """Trades of a walk, each as often as on the page that has it most often.

    Trades have no id (PROTOCOL 6.3). While new ones come, pages counted by offset repeat the end of the page
    before; in public recordings every transaction with several rows had nothing but such copies.
    """
    found: dict[Trade, list[datetime]] = {}
    for page, at in pages:
        for trade, times in Counter(row for row in page.rows if isinstance(row, Trade)).items():
            seen = found.setdefault(trade, [])
            seen += [at] * (times - len(seen))
    return [(trade, at) for trade, instants in found.items() for at in instants]
