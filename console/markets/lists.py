"""Markets and events to choose from: what a search finds, what is traded most, what ends soonest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from console.blocks import Block, Cell, Empty, Grid, Link
from console.markets import linking
from console.markets.names import Row, known
from console.parts import Asked, Part
from console.place import Place

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 25
_FOUND = 50
_NOTHING = "No market is known of the last fifteen days."
_RECORD = "make up"


@dataclass(frozen=True)
class Line:
    """A market in a list; `ends_at` is its effective close."""

    market_id: str
    slug: str | None
    question: str | None
    event_id: str | None
    event_title: str | None
    category: str | None
    phase: str
    tier: str
    volume_usd: float | None
    volume_24h_usd: float | None
    ends_at: datetime | None


def lines(rows: pa.Table) -> list[Line]:
    """Rows of those known as lines."""
    return [line(row) for row in rows.to_pylist()]


def line(row: Row) -> Line:
    """A row of those known as a line."""
    names = ("market_id", "slug", "question", "event_id", "event_title", "category", "phase", "tier", "volume_usd", "volume_24h_usd")  # fmt: skip
    return Line(**{name: row[name] for name in names}, ends_at=row["effective_close"])


def search(place: Place, text: str, limit: int, offset: int) -> tuple[int, list[Line]]:
    """How many markets have every word of a text in their question or slug, and a page of them, the largest volume first. Raises `NotYet`."""
    found = known(place).value.search(text)
    return found.num_rows, lines(found.slice(offset, limit))


def _open(place: Place) -> pa.Table:
    import pyarrow.compute as pc

    rows = known(place).value.rows
    left_out = pc.fill_null(rows.column("is_left_out"), False)
    return rows.filter(pc.and_not(pc.invert(pc.is_in(rows.column("phase"), _over())), left_out))


def _over() -> Any:
    import pyarrow as pa

    return pa.array(["closed", "dead"], pa.string())


def found(place: Place, asked: Asked) -> Iterable[Block]:
    """What the search of the address finds."""
    text = asked.given.get("search", "").strip()
    if not text:
        yield Empty("Search by words of the question, by slug, or by any id; ids and slugs of closed and imported markets open directly.")  # fmt: skip
        return
    count, page = search(place, text, _FOUND, 0)
    if page:
        rest = f"{count - _FOUND:,} more: say more words." if count > _FOUND else f"{count:,} found."
        yield _grid(page, rest)
        return
    yield Empty(f"No market known lately has “{text[:80]}” in its question or slug.")
    yield Grid(["by its name"], [[Link(f"look for a market called {text[:80]} in all of the lake", linking.market(text))], [Link("look for an event of this name", linking.event(text))]])  # fmt: skip


def traded(place: Place, _: Asked) -> Iterable[Block]:
    """The open markets of the largest volume of a day."""
    rows = _open(place).sort_by([("volume_24h_usd", "descending"), ("volume_usd", "descending")])
    yield _grid(lines(rows.slice(0, _SHOWN))) if rows.num_rows else Empty(_NOTHING, _RECORD)


def ending(place: Place, _: Asked) -> Iterable[Block]:
    """The open markets that close next."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = _open(place)
    now = pa.scalar(place.clock(), pa.timestamp("us", tz="UTC"))
    rows = rows.filter(pc.fill_null(pc.greater(rows.column("effective_close"), now), False))
    rows = rows.sort_by([("effective_close", "ascending"), ("market_id", "ascending")])
    yield _grid(lines(rows.slice(0, _SHOWN))) if rows.num_rows else Empty("No market that is followed ends ahead.", _RECORD)  # fmt: skip


def _grid(found: list[Line], note: str = "") -> Grid:
    headings = ["market", "ends", "tier", "phase", "category", "volume, $", "of a day, $", "event"]
    rows: list[list[Cell]] = [
        [Link(one.question or one.slug or one.market_id, linking.market(one.market_id)), one.ends_at, one.tier, one.phase, one.category,
         _whole(one.volume_usd), _whole(one.volume_24h_usd), Link(one.event_title or one.event_id, linking.event(one.event_id)) if one.event_id else None]
        for one in found
    ]  # fmt: skip
    return Grid(headings, rows, note, frozenset({0}))


def _whole(usd: float | None) -> int | None:
    return None if usd is None else round(usd)


def events(place: Place, asked: Asked) -> Iterable[Block]:
    """Events of open markets, by what they traded: negRisk sets among them."""
    rows = _open(place)
    text = asked.given.get("search", "").strip()
    if text:
        rows = rows.filter(_has(rows.column("event_title"), text))
    rows = rows.group_by(["event_id", "event_title", "neg_risk"]).aggregate([("market_id", "count"), ("volume_usd", "sum")])  # fmt: skip
    held = [row for row in rows.sort_by([("volume_usd_sum", "descending")]).slice(0, _FOUND).to_pylist() if row["event_id"]]  # fmt: skip
    if not held:
        yield Empty(f"No open event has “{text[:80]}” in its title." if text else _NOTHING, "" if text else _RECORD)  # fmt: skip
        return
    yield Grid(["event", "markets", "negRisk set", "volume, $"], [
        [Link(row["event_title"] or row["event_id"], linking.event(row["event_id"])), row["market_id_count"], "yes" if row["neg_risk"] else "no", _whole(row["volume_usd_sum"])]
        for row in held
    ], sentences=frozenset({0}))  # fmt: skip


def _has(column: Any, text: str) -> Any:
    import pyarrow.compute as pc

    return pc.fill_null(pc.match_substring(column, text, ignore_case=True), False)


MARKETS = (
    Part("found", "Found", found, 0),
    Part("traded", "Traded most in a day", traded, 60.0),
    Part("ending", "Ending soonest", ending, 60.0),
)
EVENTS = (Part("events", "Events of open markets", events, 60.0),)
