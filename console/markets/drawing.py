"""What several parts of a market's page show, made once for all of them: its charts, what there is of it, its silences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from console.blocks import Block, Chart, Empty
from console.charting import spec
from console.markets import slices, stillness
from console.markets.ending import versions
from console.markets.recall import Recall
from console.markets.shelves import shelves
from console.markets.spans import Look, look
from console.place import Place
from polymarket_assets.lake.spans import DAY, Span
from polymarket_assets.report import coverage, ends, facts, market, silences, sources
from polymarket_assets.report.coverage import Held
from polymarket_assets.report.page import Panel
from polymarket_assets.report.silences import Silences
from polymarket_assets.report.subject import Subject, subject_of

if TYPE_CHECKING:
    import pyarrow as pa

# Half a megabyte each; parts come again after fifteen seconds.
_MOST, _FOR_S = 24, 10.0
# Which socket carried a market is read from the stream's files of so many hours, which takes a tenth of a second.
_HOURS_LOOKED_UP = 2
_NAMES = ("price", "spread", "depth", "volume")
# Of the part of trades, and of the endpoint of a market.
_TRADES_SHOWN = 100
_HISTORY = ("history_prices", "history_trades", "history_books")
Trades = list[dict[str, Any]]


@dataclass(frozen=True)
class Drawn:
    """Blocks by part; `trades` are the newest, in terms of the canonical outcome."""

    blocks: dict[str, list[Block]]
    held: list[Held]
    silences: Silences
    is_heard_known: bool
    notes: list[str]
    trades: Trades


class Drawings:
    """Those made lately."""

    def __init__(self, _: Place) -> None:
        self.recall: Recall[Drawn] = Recall(_MOST, _FOR_S)


def drawn(place: Place, found: Subject, choice: str) -> Drawn:
    """A market within a choice of time. Raises `LakeError`."""
    return place.own(Drawings).recall.get((found.market_id, choice), lambda: _drawn(place, found, choice))


def _drawn(place: Place, found: Subject, choice: str) -> Drawn:
    found, now = with_past(place, found), place.clock()
    looked = look([found], choice, now)
    known = versions(place, found)
    quiet, is_known = stillness.tables(place)
    with slices.connected(place, {**recorded(place, [found], looked), **quiet}) as connection:
        days = [found.close_day] if found.close_day else []
        slices.add_history(place, connection, _HISTORY, days)
        sources.fill(connection, [found.market_id], (looked.since, None))
        span = looked.hours and Span(min(looked.hours.start, now), min(looked.hours.end, now))
        amiss = silences.silences(place.lake(), connection, found.market_id, span, looked_up=_HOURS_LOOKED_UP)
        frame = market.frame_of(connection, {**facts.instants(found), **ends.instants(known)}, amiss)
        made = market.panels(connection, found, frame)
        outside = {what: at for what, at in frame.instants.items() if what not in frame.inside}
        return Drawn(
            {name: blocks(name, panel) for name, panel in zip(_NAMES, made, strict=True)},
            coverage.held(connection, found, amiss, len(known)), amiss, is_known,
            [f"{what}: {at:%Y-%m-%d %H:%M:%S}" for what, at in outside.items()],
            connection.sql(_TRADES, params={"limit": _TRADES_SHOWN, "offset": 0}).to_arrow_table().to_pylist(),
        )  # fmt: skip


def dealt(place: Place, found: Subject, looked: Look, limit: int, offset: int) -> tuple[int, Trades]:
    """How many trades there are in a span, and a page of them, the newest first. Raises `LakeError`."""
    found = with_past(place, found)
    with slices.connected(place, recorded(place, [found], looked)) as connection:
        slices.add_history(place, connection, _HISTORY, [found.close_day] if found.close_day else [])
        sources.fill(connection, [found.market_id], (looked.since, None))
        ((count,),) = connection.execute("select count(*) from dealt").fetchall()
        page = connection.sql(_TRADES, params={"limit": limit, "offset": offset}).to_arrow_table()
    return count, page.to_pylist()


def blocks(name: str, panel: Panel) -> list[Block]:
    """A panel as blocks; without a chart its remark says why."""
    if panel.chart is None:
        return [Empty(panel.remark)]
    return [Chart(name, spec(panel.chart), f"{panel.title}. {panel.remark}".strip())]


def recorded(place: Place, found: Sequence[Subject], looked: Look) -> dict[str, pa.Table]:
    """The rows of `snapshots`, `trades` and, of hours whose trades are not built, `trades_raw`, by name."""
    ids = [s.market_id for s in found]
    if looked.hours is None:
        return {name: slices.empty(name) for name in ("snapshots", "trades")} | {"trades_raw": _raw(slices.empty("trades_raw"))}  # fmt: skip
    # An hour with what lies at its edges: rows are filed by receipt, and charts begin within an hour.
    span = Span(looked.hours.start - timedelta(minutes=1), looked.hours.end)
    built = {f.span for f in shelves(place).files("trades", span)}
    unbuilt = [f for f in shelves(place).files("trades_raw", span) if f.span not in built]
    return {
        **{name: slices.rows(place, name, ids, span) for name in ("snapshots", "trades")},
        "trades_raw": _raw(slices.of_files(place, "trades_raw", ids, unbuilt)),
    }


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


_TRADES = """
select drawn_at, price, is_buy, usd, shares, source from dealt order by drawn_at desc, usd desc limit $limit offset $offset
"""
