"""What `make bootstrap` is asked for, and what fetching it takes under the venue's published limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil

from rich.table import Table

from polymarket_assets.collecting.history.lives import PRICES_FOR, points
from polymarket_assets.collecting.history.markets import SCHEDULED, WALKED_BACK
from polymarket_assets.lake.spans import DAY, Span, day_of
from polymarket_assets.partitions import FIRST_DAY
from polymarket_assets.settings import NotConfigured, Settings
from polymarket_assets.venue.data_api import CONDITIONS_A_REQUEST, TRADES_A_PAGE
from polymarket_assets.venue.gamma import IDS_A_REQUEST, PAGE_ROWS
from polymarket_assets.venue.limits import PUBLISHED, WINDOW_S

DAYS, MARKETS = 14, 5_000
# Before anything is listed nobody knows how many markets closed: the estimate says that it supposes this many a day.
SUPPOSED_A_DAY = 2_000
# The venue does not say how many points a page of its price history has; of its trades a page has so many.
PRICES_A_PAGE = TRADES_A_PAGE
_YES, _NO = ("1", "yes", "true"), ("0", "no", "false", "")


@dataclass(frozen=True)
class Wish:
    """So many days before today, prices of so many markets of all of them together, and whether trades too."""

    days: int
    markets: int
    trades: bool

    def dates(self, now: datetime) -> list[date]:
        """The days, the newest first."""
        today = day_of(now)
        return [(today - timedelta(days=back)).date() for back in range(1, self.days + 1)]


@dataclass(frozen=True)
class Part:
    """One kind of request: about how many, and how many a second the settings allow."""

    what: str
    requests: int
    allowed_a_s: float

    @property
    def seconds(self) -> float:
        return self.requests / self.allowed_a_s


def wish(days: str, markets: str, trades: str, now: datetime) -> Wish:
    """What was asked for. Raises `NotConfigured` for what cannot be."""
    asked = Wish(_count("DAYS", days, DAYS), _count("MARKETS", markets, MARKETS), _flag("TRADES", trades))
    first = datetime.fromisoformat(FIRST_DAY).replace(tzinfo=UTC)
    most = (day_of(now) - first) // DAY
    if asked.days > most:
        raise NotConfigured(f"DAYS={days} cannot be used: the venue's past begins on {FIRST_DAY}, {most} days ago")  # fmt: skip
    return asked


def _count(name: str, said: str, usual: int) -> int:
    if not said:
        return usual
    if not (said.isascii() and said.isdecimal() and int(said[:12]) > 0):
        raise NotConfigured(f"{name}={said!r} cannot be used: give a whole number above 0, for example {name}={usual}")  # fmt: skip
    return int(said)


def _flag(name: str, said: str) -> bool:
    if said.lower() not in (*_YES, *_NO):
        raise NotConfigured(f"{name}={said!r} cannot be used: {name}=1 fetches trades too, {name}=0 does not")
    return said.lower() in _YES


def listing(settings: Settings, days: Iterable[date], now: datetime) -> Part:
    """Listing the markets of days: recent ones are walked back to from now, of older ones eleven days are listed."""
    back = [now - day_of(day) for day in days]
    listed = sum((length if length <= WALKED_BACK else SCHEDULED) / DAY for length in back)
    pages = ceil(listed * SUPPOSED_A_DAY / PAGE_ROWS)
    return Part("the catalogue, for what closed", pages, allowed(settings, "gamma /markets", "gamma lists"))


def prices(settings: Settings, lives: Sequence[Span], now: datetime) -> Part:
    """As many pages as the points need that the venue still has of each life, which is fifteen days long at the most."""
    pages = sum(max(1, ceil(points(life, now) / PRICES_A_PAGE)) for life in lives)
    return Part(f"prices of {len(lives):,} markets, {PRICES_A_PAGE:,} a page", pages, allowed(settings, "data"))  # fmt: skip


def supposed_lives(days: Sequence[date], markets: int) -> list[Span]:
    """Before anything is listed: lives as long as prices are fetched for, spread over the days."""
    ends = [Span.day(days[n % len(days)]).end for n in range(markets)]
    return [Span(end - PRICES_FOR, end) for end in ends]


def trades(settings: Settings, markets: int) -> Part:
    """A page holds the trades of most markets."""
    what = f"trades of {markets:,} markets, {TRADES_A_PAGE:,} a page"
    return Part(what, markets, allowed(settings, "data /trades", "data"))


def ends(settings: Settings, markets: int) -> list[Part]:
    """How all that closed ended, by the catalogue and by the Data API."""
    return [
        Part("the catalogue, for how they ended", ceil(markets / IDS_A_REQUEST), allowed(settings, "gamma /markets")),
        Part("their resolutions", ceil(markets / CONDITIONS_A_REQUEST), allowed(settings, "data")),
    ]  # fmt: skip


def allowed(settings: Settings, *groups: str) -> float:
    """Requests a second that these groups allow together."""
    return min(PUBLISHED[group] for group in groups) * settings.rate_share / WINDOW_S


def shown(parts: Iterable[Part]) -> Table:
    """The parts and their sum."""
    table = Table()
    table.add_column("about")
    table.add_column("requests", justify="right")
    table.add_column("a second", justify="right")
    table.add_column("takes", justify="right")
    listed = list(parts)
    for part in listed:
        table.add_row(part.what, f"{part.requests:,}", f"{part.allowed_a_s:g}", took(part.seconds))
    table.add_section()
    table.add_row("together", f"{sum(part.requests for part in listed):,}", "", took(sum(part.seconds for part in listed)))  # fmt: skip
    return table


def took(seconds: float) -> str:
    """Hours, minutes and seconds."""
    return str(timedelta(seconds=ceil(seconds)))
