"""When trading of a market is expected to end, and where in its life a listing says it stands.

The catalogue's `endDate` is a schedule (PROTOCOL section 3): of a game it may lie before its start or days
after its end. So a game ends by its start and the length of its sport, an up/down market with its window,
everything else when scheduled. Only the venue closes a market, never a clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from polymarket_assets.venue.instants import EPOCH
from polymarket_assets.venue.records import Market

END_DATE, GAME, SERIES, NONE = "end_date", "game", "series", "none"
SCHEDULED, LIVE, OVERDUE, DEAD, CLOSED = "scheduled", "live", "overdue", "dead", "closed"

# From the announced start to the end of nearly every game of a sport, its breaks and usual overtime included.
GAME_LENGTH = timedelta(hours=3)
GAME_LENGTHS: dict[str, timedelta] = {
    "soccer": timedelta(hours=2, minutes=15),
    "nba": timedelta(hours=2, minutes=45),
    "nfl": timedelta(hours=3, minutes=30),
    "cfb": timedelta(hours=4),
    "mlb": timedelta(hours=3, minutes=30),
    "cricket": timedelta(hours=8),
}
# Leagues by the slugs of tags and the first word of event slugs, where they do not name the sport.
_SPORT_OF = {
    **dict.fromkeys(("epl", "ucl", "uel", "lal", "bun", "sea", "fl1", "mls", "football-soccer"), "soccer"),
    **dict.fromkeys(("champions-league", "la-liga", "bundesliga", "serie-a", "ligue-1", "fifwc"), "soccer"),
    **dict.fromkeys(("wnba", "ncaa-basketball", "cbb", "basketball"), "nba"),
    **dict.fromkeys(("ipl", "crint", "t20"), "cricket"),
    "ncaa-football": "cfb",
    "baseball": "mlb",
}

# `btc-updown-15m-1791241200`: length and start of the measured window. A convention of the venue, so it only
# stands in where the row has no end of its own.
_UP_DOWN = re.compile(r"-updown-(\d{1,2})([mhd])-(\d{10})$", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class EffectiveClose(msgspec.Struct, frozen=True):
    """When trading is expected to end and what that rests on: `end_date`, `game`, `series` or `none`."""

    at: datetime | None
    source: str


def effective_close(market: Market) -> EffectiveClose:
    """The effective close of a market as listed."""
    if market.game_start_at is not None and (market.sports_market_type or market.game_id):
        return EffectiveClose(market.game_start_at + _game_length(market), GAME)
    window_end = _window_end(market)
    if window_end is not None:
        return EffectiveClose(window_end, SERIES)
    return EffectiveClose(market.scheduled_end, END_DATE if market.scheduled_end else NONE)


def phase(market: Market, close: EffectiveClose, now: datetime) -> str:
    """`scheduled`, `live`, `overdue`, `dead` or `closed`: what a listing alone can tell at `now`."""
    if market.closed:
        return CLOSED
    if market.end_proposed:
        return DEAD
    if close.at is not None and close.at <= now:
        return OVERDUE
    start = market.game_start_at if close.source == GAME else market.window_start_at
    return LIVE if start is not None and start <= now else SCHEDULED


def game_length(words: Iterable[str]) -> timedelta:
    """The length of a game of the first sport or league among `words`, as tags and slugs name them."""
    sports = (_SPORT_OF.get(word.lower(), word.lower()) for word in words)
    return next((GAME_LENGTHS[sport] for sport in sports if sport in GAME_LENGTHS), GAME_LENGTH)


def _game_length(market: Market) -> timedelta:
    return game_length((*market.tags, (market.event_slug or market.slug).split("-")[0]))


def _window_end(market: Market) -> datetime | None:
    """The end of the measured window of an up/down market; None for every other market."""
    found = _UP_DOWN.search(market.slug)
    start = market.window_start_at
    if start is not None and market.scheduled_end is not None and market.scheduled_end > start:
        return market.scheduled_end
    if found is None:
        return None
    length, unit, begun = found.groups()
    return EPOCH + timedelta(seconds=int(begun)) + int(length) * _UNITS[unit]
