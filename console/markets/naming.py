"""Which market or event a name means: among those known lately at once, else in all of the lake, which takes seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from console.markets.names import Known, Row, known
from console.markets.recall import Recall
from console.place import Place
from polymarket_assets.report import finding, subject
from polymarket_assets.report.errors import Ambiguous, NotFound
from polymarket_assets.report.subject import Subject
from polymarket_assets.venue.errors import Unavailable

T = TypeVar("T")

# No id or slug of the venue comes near it.
_MOST_CHARACTERS = 300
_NAMED = 5
# A look through the lake takes a core for seconds: one at a time, and who comes meanwhile is told to come again.
_WAIT_S = 0.2
_REMEMBERED, _REMEMBERED_S = 256, 120.0


class Finder:
    """Names that the lake was searched for, with what came of it."""

    def __init__(self, place: Place) -> None:
        self._alone = threading.Lock()
        self._found: Recall[object] = Recall(_REMEMBERED, _REMEMBERED_S)

    def look(self, key: tuple[str, str], search: Callable[[], T]) -> T:
        """What a search gives, remembered. Raises what it raises."""
        found: T = self._found.get(key, lambda: self._searched(search))  # type: ignore[assignment]
        return found

    def _searched(self, search: Callable[[], T]) -> T:
        if not self._alone.acquire(timeout=_WAIT_S):
            raise Unavailable("another name is being looked for in the whole lake; ask again in a moment")
        try:
            return search()
        finally:
            self._alone.release()


def market(place: Place, name: str) -> Subject:
    """The market that a name means.

    Raises:
        NotFound: none has it; the nearest names are told.
        Ambiguous: several have it; their ids are told.
        Unavailable: names are not known yet, or another search is on.
    """
    _require_legible(name)
    found = known(place).value.called(name)
    if len(found) > 1:
        raise Ambiguous(f"{len(found)} markets are called {name!r}, name one by its id: {_listed(found)}")
    return of_row(found[0]) if found else _elsewhere(place, name)


def event(place: Place, name: str) -> tuple[str, list[Subject]]:
    """The title of the event that a name means, and its markets. Raises as `market`."""
    _require_legible(name)
    rows = _event_rows(known(place).value, name)
    if rows:
        return rows[0]["event_title"] or rows[0]["event_slug"] or name, [of_row(row) for row in rows]
    return place.own(Finder).look(("event", name), lambda: _event_elsewhere(place, name))


def _event_rows(held: Known, name: str) -> list[Row]:
    found = held.event(name)
    venues = {row["venue"] for row in found}
    if len(venues) > 1:
        raise Ambiguous(f"events of {len(venues)} venues are called {name!r}, name one by a market of it: {_listed(found)}")  # fmt: skip
    if not found and (markets := held.called(name)):
        return held.of_event(markets[0])
    return found


def of_row(row: Row) -> Subject:
    """A market by its row among those known lately."""
    return subject.subject_of(row["market_id"], row, None, None)


def _elsewhere(place: Place, name: str) -> Subject:
    return place.own(Finder).look(("market", name), lambda: _found(place, name))


def _found(place: Place, name: str) -> Subject:
    lake, now = place.lake(), place.clock()
    (found,) = subject.subjects(lake, [finding.market(lake, name, now=now)], now=now)
    return found


def _event_elsewhere(place: Place, name: str) -> tuple[str, list[Subject]]:
    lake, now = place.lake(), place.clock()
    found = finding.event(lake, name, now=now)
    return found.title or found.slug or name, subject.subjects(lake, found.market_ids, now=now)


def _require_legible(name: str) -> None:
    if len(name) > _MOST_CHARACTERS or "\0" in name:
        raise NotFound(f"no name of a market or event has more than {_MOST_CHARACTERS} characters, or a zero among them")  # fmt: skip


def _listed(found: list[Row]) -> str:
    shown = "; ".join(f"{row['market_id']} · {row['question'] or row['slug']}" for row in found[:_NAMED])
    return shown + (f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
