"""Every market known lately, with what it is called: a name is found in it without opening a file.

The newest row of each market in `markets` of fifteen days, as discovery and the streamer know them; looked at in the background, and
files that are new are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from console.kept import Seen
from console.markets.shelves import shelves
from console.place import Place
from polymarket_assets.collecting.known import KNOWN_FOR, brought_up
from polymarket_assets.lake import opening, reading
from polymarket_assets.lake.spans import HOUR, Span

if TYPE_CHECKING:
    import pyarrow as pa

_EVERY_S = 20.0
# The newest: a thousand bytes each. All open markets of the venue that are collected are a quarter of it.
_MOST = 40_000
_MARKET_NAMES = ("market_id", "condition_id", "gamma_id", "slug")
_EVENT_NAMES = ("event_id", "event_slug", "neg_risk_id")
_SEARCHED = ("question", "slug")

_COLUMNS = (
    "market_id", "received_at", "phase", "tier", "effective_close", "end_source", "venue", "condition_id", "gamma_id", "slug", "question", "outcomes",
    "token_ids", "event_id", "event_slug", "event_title", "neg_risk_id", "neg_risk", "category", "tags", "listed_at", "scheduled_end",
    "game_start_at", "window_start_at", "resolution_source", "tick_e6", "fee_schedule", "volume_usd", "volume_24h_usd", "liquidity_usd", "is_quiet",
    "is_left_out",
)  # fmt: skip

Row = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """The markets, that of the largest volume first, with phase and tier as of when they were looked at."""

    rows: pa.Table

    def called(self, name: str) -> list[Row]:
        """The markets of an id, condition id, id of the catalogue or slug; the one whose id it is before all others."""
        found = self._where(_MARKET_NAMES, {name, name.lower()})
        return [row for row in found if row["market_id"] == name] or found

    def event(self, name: str) -> list[Row]:
        """The markets of an event by its id, slug or the id of its negRisk set."""
        return self._where(_EVENT_NAMES, {name})

    def of_event(self, row: Row) -> list[Row]:
        """The markets beside a market, itself among them."""
        column = "event_id" if row["event_id"] else "neg_risk_id"
        found = self._where((column,), {row[column]}) if row[column] else [row]
        return [other for other in found if other["venue"] == row["venue"]]

    def by_id(self, market_ids: Sequence[str]) -> dict[str, Row]:
        """Rows by market id."""
        return {row["market_id"]: row for row in self._where(("market_id",), set(market_ids))}

    def search(self, text: str) -> pa.Table:
        """The markets whose question or slug has every word of a text."""
        import pyarrow.compute as pc

        rows = self.rows
        for word in text.split()[:_MOST_WORDS]:
            hits = [pc.fill_null(pc.match_substring(rows.column(c), word, ignore_case=True), False) for c in _SEARCHED]  # fmt: skip
            rows = rows.filter(reduce(pc.or_, hits))
        return rows

    def _where(self, columns: Sequence[str], values: set[str]) -> list[Row]:
        import pyarrow as pa
        import pyarrow.compute as pc

        wanted = pa.array(sorted(values), pa.string())
        hits = [pc.is_in(self.rows.column(column), wanted) for column in columns]
        found: list[Row] = self.rows.filter(reduce(pc.or_, hits)).to_pylist()
        return found


_MOST_WORDS = 8


class Names:
    """What was read of `markets` by now."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._read: set[str] = set()
        self._newest: pa.Table | None = None

    def look(self) -> Known:
        """Read what is new; after a merging, everything, so that no row counts twice."""
        now = self._place.clock()
        listed = shelves(self._place).files("markets", Span(now - KNOWN_FOR, now + HOUR))
        present = {filed.file for filed in listed}
        known = self._newest if self._read <= present else None
        fresh = sorted(present - self._read) if known is not None else sorted(present)
        if known is None or fresh:
            known = _newest(known, fresh)
        self._read, self._newest = present, known
        return Known(_ordered(known, now))


def _newest(known: pa.Table | None, files: list[str]) -> pa.Table:
    """The newest row of each market, when its first came and how many there are."""
    import pyarrow as pa

    with opening.connected() as connection:
        reading.add_view(connection, "markets", files)
        rows = connection.sql(_NEWEST.format(columns=", ".join(_COLUMNS))).to_arrow_table()
    # Several rows of one instant each have the versions of all of them.
    rows = _one_each(rows, "max")
    return _trimmed(rows if known is None else _one_each(pa.concat_tables([known, rows]), "sum"))


def _one_each(rows: pa.Table, versions: str) -> pa.Table:
    """Of several rows of a market the newest, with the first instant of all and their versions aggregated."""
    import pyarrow.compute as pc

    keys = rows.select(["market_id", "received_at", "first_received_at", "versions"])
    order = pc.sort_indices(keys, [("market_id", "ascending"), ("received_at", "descending")])
    keys = keys.take(order).append_column("place", order)
    whole = keys.group_by("market_id", use_threads=False).aggregate([("place", "first"), ("first_received_at", "min"), ("versions", versions)])  # fmt: skip
    found = rows.take(whole.column("place_first"))
    for name, of in (("first_received_at", "first_received_at_min"), ("versions", f"versions_{versions}")):
        found = found.set_column(found.schema.get_field_index(name), name, whole.column(of).cast(rows.schema.field(name).type))  # fmt: skip
    return found


def _trimmed(rows: pa.Table) -> pa.Table:
    return rows.sort_by([("received_at", "descending")]).slice(0, _MOST).combine_chunks()


def _ordered(rows: pa.Table, now: datetime) -> pa.Table:
    brought = brought_up(rows, now) if rows.num_rows else rows
    return brought.sort_by([("volume_usd", "descending"), ("market_id", "ascending")])


# Rows as wide as these are not grouped: DuckDB would hold all of them at once.
_NEWEST = """
with newest as (
    select market_id, max(received_at) as received_at, min(received_at) as first_received_at, count(*) as versions from markets group by market_id
)
select {columns}, first_received_at, versions from markets join newest using (market_id, received_at)
"""


def _look(place: Place) -> Known:
    return place.own(Names).look()


def known(place: Place) -> Seen[Known]:
    """The markets, and when they were looked at. Raises `NotYet`, or what the look raised."""
    return place.seen(_look, every_s=_EVERY_S)
