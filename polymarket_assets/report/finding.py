"""Which market or event a name means: a market id, a condition id, an id of the catalogue, a slug.

Three tables know names: `markets` (followed), `history_markets` (closed, fetched or imported) and `census` (seen in
the daily walk, perhaps never followed). A market that only left rows elsewhere is found by its whole id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import subject
from polymarket_assets.report.errors import Ambiguous, NotFound

# So many near misses, or namesakes, still read as one sentence.
_SHOWN = 5
# Below this likeness (Jaro-Winkler, 0 … 1) a name is no near miss.
_LIKENESS = 0.75


@dataclass(frozen=True)
class EventName:
    """An event by what its legs have in common; one of the two is not None."""

    event_id: str | None
    neg_risk_id: str | None
    venue: str
    slug: str | None
    title: str | None
    market_ids: tuple[str, ...]


def market(lake: Lake, name: str, *, now: datetime) -> str:
    """The id of the market that a name means.

    Raises:
        NotFound: none has it; the nearest names are told.
        Ambiguous: several have it; their ids are told.
    """
    found = _found(lake, (_MARKET,), name, now)
    if len(found) > 1:
        raise Ambiguous(f"{len(found)} markets are called {name!r}, name one by its id: {_listed(found)}")
    if found:
        return str(found[0][0])
    if _left_rows(lake, name):
        return name
    with _known(lake, None) as connection:
        if connection.execute(_EVENT, _given(name)).fetchall():
            raise NotFound(f"{name!r} is an event and no market: `python -m polymarket_assets.report event {name}` shows it")  # fmt: skip
        raise NotFound(f"no market in {lake.root} is called {name!r}{_near(connection, 'market', name)}")


def event(lake: Lake, name: str, *, now: datetime) -> EventName:
    """The event that a name means: an event id, an event slug, the id of a negRisk set, or one of its markets.

    Raises:
        NotFound: none has it; the nearest names are told.
        Ambiguous: events of several venues or sources have it.
    """
    found = _found(lake, (_EVENT, _EVENT_OF), name, now)
    if not found:
        with _known(lake, None) as connection:
            raise NotFound(f"no event in {lake.root} is called {name!r}{_near(connection, 'event', name)}")
    if len(found) > 1:
        told = _listed([(row[5][0], row[2], f"{len(row[5])} markets") for row in found])
        raise Ambiguous(f"{len(found)} events are called {name!r}, name one by a market of it: {told}")
    event_id, neg_risk_id, venue, slug, title, market_ids = found[0]
    return EventName(event_id, neg_risk_id, venue, slug, title, tuple(market_ids))


def _found(lake: Lake, queries_: Sequence[str], name: str, now: datetime) -> list[tuple[Any, ...]]:
    """What the first query that finds something finds: among what is known lately and for long, else in all of `markets`."""
    for span in (Span(now - subject.LOOK_BACK, now + HOUR), None):
        with _known(lake, span) as connection:
            for query in queries_:
                if found := connection.execute(query, _given(name)).fetchall():
                    return list(found)
    return []


def _given(name: str) -> dict[str, str]:
    return {"name": name, "lower": name.lower()}


@contextmanager
def _known(lake: Lake, span: Span | None) -> Iterator[Any]:
    """A connection with `known`. A year of `markets` is thousands of files, one an hour; the other two have one a day."""
    with queries.over(lake, markets=span, history_markets=None, census=None) as connection:
        connection.execute(_KNOWN)
        yield connection


def _left_rows(lake: Lake, market_id: str) -> bool:
    """Whether a market that no catalogue knows left its end or prices."""
    with queries.over(lake, resolutions=None, history_prices=None) as connection:
        return bool(connection.execute(_ELSEWHERE, {"name": market_id}).fetchall())


def _listed(found: list[tuple[Any, ...]]) -> str:
    shown = "; ".join(" · ".join(str(part) for part in row if part) for row in found[:_SHOWN])
    return shown + (f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")


def _near(connection: Any, kind: str, name: str) -> str:
    """Names that are like it: of the kind that was asked for, else of the other."""
    for said, columns in (_NAMES[kind], *(names for other, names in _NAMES.items() if other != kind)):
        query = _NEAR.format(name=f"coalesce({columns})")
        if near := connection.execute(query, {"name": name, "likeness": _LIKENESS}).fetchall():
            return f"; near it are {said}{', '.join(row[0] for row in near)}"
    some = connection.execute("select 1 from known limit 1").fetchall()
    return "" if some else ": it knows none; `make up`, `make demo` and history_import fill a lake"


_NAMES = {"market": ("", "slug, market_id"), "event": ("the events ", "event_slug, event_id")}

# A market is known by its newest row in each table.
_KNOWN = """
create temp table known as
select market_id, arg_max(slug, received_at) as slug, arg_max(question, received_at) as question,
    arg_max(condition_id, received_at) as condition_id, arg_max(gamma_id, received_at) as gamma_id,
    arg_max(event_id, received_at) as event_id, arg_max(event_slug, received_at) as event_slug,
    arg_max(event_title, received_at) as event_title, arg_max(neg_risk_id, received_at) as neg_risk_id,
    arg_max(venue, received_at) as venue, arg_max(source, received_at) as source
from (
    select market_id, received_at, slug, question, condition_id, gamma_id, event_id, event_slug, event_title,
        neg_risk_id, venue, 'recorded' as source from markets
    union all by name
    select market_id, received_at, slug, question, condition_id, gamma_id, event_id, event_slug, event_title,
        neg_risk_id, venue, source from history_markets
    union all by name
    select market_id, received_at, slug, condition_id, gamma_id, event_id, 'polymarket' as venue, 'census' as source
    from census
) group by market_id
"""

_NAMED = "(market_id = $name or condition_id = $lower or market_id = 'pm:' || $lower or gamma_id = $name or slug = $name)"

_MARKET = f"""
select market_id, source, question from known where {_NAMED}
qualify market_id = $name or not bool_or(market_id = $name) over ()
order by market_id
"""

_ELSEWHERE = """
select 1 from resolutions where market_id = $name union all select 1 from history_prices where market_id = $name limit 1
"""

_GROUPED = """
select any_value(event_id) as event_id, any_value(neg_risk_id) as neg_risk_id, venue, any_value(event_slug) as slug,
    any_value(event_title) as title, list(market_id order by market_id) as market_ids
from known
"""

_EVENT = f"""
{_GROUPED} where event_id = $name or event_slug = $name or neg_risk_id = $lower
group by venue, coalesce(event_id, neg_risk_id) order by venue, market_ids
"""

_EVENT_OF = f"""
{_GROUPED} where coalesce(event_id, neg_risk_id) in (select coalesce(event_id, neg_risk_id) from known where {_NAMED})
and venue in (select venue from known where {_NAMED})
group by venue, coalesce(event_id, neg_risk_id) order by venue, market_ids
"""

_NEAR = f"""
select name from (select distinct {{name}} as name from known)
where name is not null and jaro_winkler_similarity(lower(name), lower($name)) >= $likeness
order by jaro_winkler_similarity(lower(name), lower($name)) desc, name limit {_SHOWN}
"""
