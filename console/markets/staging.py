"""What all parts of a market's page are made of, read once for them: its charts, its newest trades, what was not known.

A busy market has half a million trades a day: DuckDB has them while a stage is made, and of them only what is shown is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console import desk
from console.markets import drawing, slices, stillness
from console.markets.drawing import Drawing
from console.markets.ending import versions
from console.markets.holding import holding
from console.markets.recall import Recall
from console.markets.shelves import Filed, shelves
from console.markets.spans import Look, look
from console.place import Place
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import DAY, Span
from polymarket_assets.report import coverage, ends, facts, market, silences, sources
from polymarket_assets.report.charts import Frame
from polymarket_assets.report.coverage import Held
from polymarket_assets.report.ends import Version
from polymarket_assets.report.silences import Silences
from polymarket_assets.report.subject import Subject, subject_of

if TYPE_CHECKING:
    import pyarrow as pa

# Parts come again after fifteen seconds, and no two people look at the same moment. A megabyte each.
_MOST, _FOR_S = 16, 10.0
# Which socket carried a market is read from the stream's files of so many hours.
_HOURS_LOOKED_UP = 2
# Of trades; who asks for older ones has them read again.
_NEWEST = 500
# Fills of one second are many: without an order among them pages would repeat some and never show others.
_ORDER = "drawn_at desc, usd desc, price, is_buy, shares, source"
_HISTORY = ("history_prices", "history_trades", "history_books")
Trades = list[dict[str, Any]]


@dataclass(frozen=True)
class Dealt:
    """How many trades there are, and the newest of them, in order."""

    count: int
    newest: pa.Table


@dataclass(frozen=True)
class Stage:
    """A market within a choice of time; `charts` by name (`report.market.PANELS`), where it is drawn."""

    found: Subject
    known: list[Version]
    silences: Silences
    is_heard_known: bool
    frame: Frame
    charts: dict[str, Drawing]
    held: list[Held]
    dealt: Dealt


class Stages:
    """What was read lately."""

    def __init__(self, _: Place) -> None:
        self.stages: Recall[Stage] = Recall(_MOST, _FOR_S)
        self.dealt: Recall[Dealt] = Recall(_MOST, _FOR_S)


def stage(place: Place, found: Subject, choice: str, *, is_drawn: bool = True) -> Stage:
    """What there is of a market within a choice of time. Raises `LakeError`."""
    key = (found.market_id, choice, is_drawn)
    return place.own(Stages).stages.get(key, lambda: _read(place, found, choice, is_drawn))


def trades(place: Place, found: Subject, choice: str, limit: int, offset: int) -> tuple[int, Trades]:
    """How many trades there are within a choice of time, and a page of them, the newest first. Raises `LakeError`."""
    dealt = place.own(Stages).dealt.get((found.market_id, choice), lambda: _sold(place, found, choice))
    if offset + limit > dealt.newest.num_rows < dealt.count:
        dealt, offset = _sold(place, found, choice, limit, offset), 0
    return dealt.count, dealt.newest.slice(offset, limit).to_pylist()


def _sold(place: Place, found: Subject, choice: str, limit: int = _NEWEST, offset: int = 0) -> Dealt:
    found = with_past(place, found)
    with _opened(place, found, look([found], choice, place.clock()), {}) as (connection, _):
        return _dealt(connection, limit, offset)


def _read(place: Place, found: Subject, choice: str, is_drawn: bool) -> Stage:
    found, now = with_past(place, found), place.clock()
    looked, known = look([found], choice, now), versions(place, found)
    quiet, is_known = stillness.tables(place)
    with _opened(place, found, looked, quiet) as (connection, among):
        span = looked.hours and Span(min(looked.hours.start, now), min(looked.hours.end, now))
        amiss = silences.silences(
            place.lake(), connection, found.market_id, span,
            carried=lambda hours: slices.sockets(place, found.market_id, hours), looked_up=_HOURS_LOOKED_UP,
        )  # fmt: skip
        frame = market.frame_of(connection, {**facts.instants(found), **ends.instants(known)}, amiss)
        charts = drawing.charts(connection, found, frame) if is_drawn else {}
        held = coverage.held(connection, found, amiss, len(known), among)
        return Stage(found, known, amiss, is_known, frame, charts, held, _dealt(connection, _NEWEST, 0))


@contextmanager
def _opened(place: Place, found: Subject, looked: Look, more: dict[str, pa.Table]) -> Iterator[tuple[Any, list[str]]]:  # fmt: skip
    """A connection with `quotes`, `shown` and `dealt` (`report.sources`) of a market, and what they were made of: tables that can have rows."""
    tables = {**more, **recorded(place, [found], looked), "trades_raw": _heard(place, found, looked)}
    built = [f.file for f in _built(place, found, looked)]
    held = [*(name for name, rows in tables.items() if rows.num_rows), *(["trades"] if built else ())]
    with desk.of(place).asked() as connection:
        for name, rows in tables.items():
            # Silences are asked of snapshots whether there are any or not; nothing is asked of what else is empty.
            if rows.num_rows or name in more or name == "snapshots":
                connection.register(name, rows)
        reading.add_view(connection, "trades", built)
        sources.fill(connection, [found.market_id], (looked.since, None), held)
        yield connection, held


def _dealt(connection: Any, limit: int, offset: int) -> Dealt:
    ((count,),) = connection.execute("select count(*) from dealt").fetchall()
    page = connection.sql(f"select * from dealt order by {_ORDER} limit {limit} offset {offset}")
    return Dealt(count, page.to_arrow_table())


def recorded(place: Place, found: Sequence[Subject], looked: Look) -> dict[str, pa.Table]:
    """The rows that lines are made of, by table: `snapshots`, and history of the days of close."""
    ids = [s.market_id for s in found]
    days = sorted({s.close_day for s in found if s.close_day})
    past = {name: [f for day in days for f in shelves(place).files(name, Span.day(day))] for name in _HISTORY}
    history = {name: slices.of_files(place, name, ids, files) for name, files in past.items()}
    span = _around(looked)
    return {"snapshots": slices.rows(place, "snapshots", ids, span) if span else slices.empty("snapshots"), **history}  # fmt: skip


def _around(looked: Look) -> Span | None:
    """Hours with what lies at their edges: rows are filed by receipt, and charts begin within an hour."""
    return looked.hours and Span(looked.hours.start - timedelta(minutes=1), looked.hours.end)


def _built(place: Place, found: Subject, looked: Look) -> list[Filed]:
    """The files of `trades` that can hold the market's."""
    span = _around(looked)
    return holding(place, "trades", shelves(place).files("trades", span), [found.market_id]) if span else []


def _heard(place: Place, found: Subject, looked: Look) -> pa.Table:
    """`trades_raw` of hours whose trades are not built; tokens of one market differ as its outcomes do."""
    span = _around(looked)
    built = {f.span for f in shelves(place).files("trades", span)} if span else set()
    unbuilt = [f for f in shelves(place).files("trades_raw", span) if f.span not in built] if span else []
    heard = slices.of_files(place, "trades_raw", [found.market_id], unbuilt)
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
