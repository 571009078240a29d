"""The endpoints of `console.markets`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query

from console.endpoints import Here
from console.markets import answering, answers, event_parts, lists, naming
from polymarket_assets.report import coverage
from polymarket_assets.venue.errors import Gone

router = APIRouter(prefix="/api", tags=["markets"])

_MOST_CHARACTERS = 300
_MARKET = "market id, condition id, id of the catalogue, or slug"
Market = Annotated[str, Path(description=_MARKET, min_length=1, max_length=_MOST_CHARACTERS)]
Event = Annotated[str, Path(description="event id or slug, id of a negRisk set, or any name of one of its markets", min_length=1, max_length=_MOST_CHARACTERS)]  # fmt: skip
Limit = Annotated[int, Query(description="rows of a page", ge=1, le=1_000)]
Offset = Annotated[int, Query(description="rows before the page", ge=0, le=10_000_000)]
Span = Annotated[
    Literal["1h", "6h", "24h", "7d", "all"],
    Query(description="how far back, from now or from the market's end; all: fifteen days"),
]
_FAULTS: dict[int | str, dict[str, Any]] = {
    404: {"description": "nothing has this name; the nearest are told"},
    422: {"description": "several have this name, or a parameter is out of bounds"},
    503: {"description": "the lake, or what is looked at in the background, cannot be read now"},
}


@router.get("/markets", responses={503: _FAULTS[503]})
def markets(
    place: Here,
    search: Annotated[str, Query(description="words that the question or the slug has", max_length=_MOST_CHARACTERS)] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> answers.Lines:  # fmt: skip
    """Markets known of the last fifteen days, the largest volume first."""
    total, found = lists.search(place, search, limit, offset)
    return answers.Lines(total, limit, offset, found)


@router.get("/markets/{name:path}/prices", responses=_FAULTS)
def prices(place: Here, name: Market, span: Span = "24h", limit: Limit = 500, offset: Offset = 0) -> answers.Prices:  # fmt: skip
    """A market's quotes as sampled, the newest first."""
    return answering.prices(place, naming.market(place, name), span, limit, offset)


@router.get("/markets/{name:path}/trades", responses=_FAULTS)
def trades(place: Here, name: Market, span: Span = "24h", limit: Limit = 500, offset: Offset = 0) -> answers.Trades:  # fmt: skip
    """A market's trades, the newest first; those of hours not built yet as heard."""
    return answering.trades(place, naming.market(place, name), span, limit, offset)


@router.get("/markets/{name:path}/book", responses=_FAULTS)
def book(place: Here, name: Market) -> answers.Book:
    """A market's newest book, and how old it is."""
    found = naming.market(place, name)
    newest = answering.book(place, found)
    if newest is None:
        raise Gone(f"no book of it was sampled: {coverage.absence(found, 'snapshots')}")
    return newest


@router.get("/markets/{name:path}", responses=_FAULTS)
def market(place: Here, name: Market, span: Span = "24h") -> answers.Market:
    """A market: what it is, and the newest quote, book, trades, predictions, versions of its end, and gaps."""
    return answering.market(place, naming.market(place, name), span)


@router.get("/events/{name:path}", responses=_FAULTS)
def event(place: Here, name: Event) -> answers.Event:
    """An event's markets with their newest prices; of a negRisk set, what they sum to."""
    title, found = event_parts.held(place, name)
    return answering.event(title, event_parts.newest(place, found), found.together)
