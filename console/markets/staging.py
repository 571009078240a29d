"""What all parts of a market's page are made of, read once for them: its rows, what was not known, the time they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from console.markets import slices, stillness
from console.markets.ending import versions
from console.markets.recall import Recall
from console.markets.shelves import shelves
from console.markets.spans import Look, look
from console.place import Place
from polymarket_assets.lake.spans import DAY, Span
from polymarket_assets.report import ends, facts, market, silences, sources
from polymarket_assets.report.charts import Frame
from polymarket_assets.report.ends import Version
from polymarket_assets.report.silences import Silences
from polymarket_assets.report.subject import Subject, subject_of

if TYPE_CHECKING:
    import pyarrow as pa

# Parts come again after fifteen seconds, and no two people look at the same moment.
_MOST, _FOR_S = 12, 10.0
# Which socket carried a market is read from the stream's files of so many hours.
_HOURS_LOOKED_UP = 2
_HISTORY = ("history_prices", "history_trades", "history_books")
_MADE = ("quotes", "shown", "dealt")


@dataclass(frozen=True)
class Stage:
    """A market within a choice of time; `tables` are rows by table, and `quotes`, `shown` and `dealt` of `report.sources`."""

    found: Subject
    known: list[Version]
    tables: dict[str, pa.Table]
    silences: Silences
    is_heard_known: bool
    frame: Frame


class Stages:
    """Those read lately."""

    def __init__(self, _: Place) -> None:
        self.recall: Recall[Stage] = Recall(_MOST, _FOR_S)


def stage(place: Place, found: Subject, choice: str) -> Stage:
    """What there is of a market within a choice of time. Raises `LakeError`."""
    return place.own(Stages).recall.get((found.market_id, choice), lambda: _read(place, found, choice))


def _read(place: Place, found: Subject, choice: str) -> Stage:
    found, now = with_past(place, found), place.clock()
    looked, known = look([found], choice, now), versions(place, found)
    quiet, is_known = stillness.tables(place)
    tables = {**recorded(place, [found], looked), **quiet}
    with slices.connected(place, tables) as connection:
        sources.fill(connection, [found.market_id], (looked.since, None))
        made = {name: connection.table(name).to_arrow_table() for name in _MADE}
        span = looked.hours and Span(min(looked.hours.start, now), min(looked.hours.end, now))
        amiss = silences.silences(
            place.lake(), connection, found.market_id, span,
            carried=lambda hours: slices.sockets(place, found.market_id, hours), looked_up=_HOURS_LOOKED_UP,
        )  # fmt: skip
        frame = market.frame_of(connection, {**facts.instants(found), **ends.instants(known)}, amiss)
    return Stage(found, known, {**tables, **made}, amiss, is_known, frame)


def recorded(place: Place, found: Sequence[Subject], looked: Look) -> dict[str, pa.Table]:
    """The rows that charts are made of, by table: `trades_raw` of hours whose trades are not built, history of the days of close."""
    ids = [s.market_id for s in found]
    days = sorted({s.close_day for s in found if s.close_day})
    past = {name: [f for day in days for f in shelves(place).files(name, Span.day(day))] for name in _HISTORY}
    history = {name: slices.of_files(place, name, ids, files) for name, files in past.items()}
    if looked.hours is None:
        return {"snapshots": slices.empty("snapshots"), "trades": slices.empty("trades"), "trades_raw": _raw(slices.empty("trades_raw")), **history}  # fmt: skip
    # An hour with what lies at its edges: rows are filed by receipt, and charts begin within an hour.
    span = Span(looked.hours.start - timedelta(minutes=1), looked.hours.end)
    built = {f.span for f in shelves(place).files("trades", span)}
    unbuilt = [f for f in shelves(place).files("trades_raw", span) if f.span not in built]
    sampled = {name: slices.rows(place, name, ids, span) for name in ("snapshots", "trades")}
    return {**sampled, "trades_raw": _raw(slices.of_files(place, "trades_raw", ids, unbuilt)), **history}


def _raw(heard: pa.Table) -> pa.Table:
    """Tokens of one market differ as its outcomes do."""
    return heard.append_column("token_id", heard.column("outcome_index").cast("string"))


def with_past(place: Place, found: Subject) -> Subject:
    """The same with what `history_markets` has of a followed market that closed: the day its history is filed under."""
    close = found.row.get("effective_close")
    if found.close_day is not None or found.row.get("phase") != "closed" or close is None:
        return found
    rows = slices.rows(place, "history_markets", [found.market_id], Span(close - DAY, max(close, found.row["received_at"]) + DAY))  # fmt: skip
    if not rows.num_rows:
        return found
    return subject_of(found.market_id, found.row, rows.to_pylist()[-1], None)
