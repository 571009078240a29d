"""The charts of a market's page, what there is of it, and its trades, of what was read for all of them (`staging`)."""

from __future__ import annotations

from typing import Any

from console.blocks import Block, Chart, Empty
from console.charting import spec, trust
from console.markets import slices
from console.markets.recall import Recall
from console.markets.staging import stage
from console.place import Place
from polymarket_assets.report import coverage, market
from polymarket_assets.report.coverage import Held
from polymarket_assets.report.page import Panel
from polymarket_assets.report.subject import Subject

# A third of a megabyte each.
_MOST, _FOR_S = 32, 10.0
_CHARTED = ("quotes", "shown", "dealt")
Trades = list[dict[str, Any]]


class Drawings:
    """Charts made lately."""

    def __init__(self, _: Place) -> None:
        self.recall: Recall[list[Block]] = Recall(_MOST, _FOR_S)


def chart(place: Place, found: Subject, choice: str, name: str) -> list[Block]:
    """A chart (`report.market.PANELS`) of a market within a choice of time. Raises `LakeError`."""
    key = (found.market_id, choice, name)
    return place.own(Drawings).recall.get(key, lambda: _chart(place, found, choice, name))


def _chart(place: Place, found: Subject, choice: str, name: str) -> list[Block]:
    trust()
    staged = stage(place, found, choice)
    with slices.connected(place, {table: staged.tables[table] for table in _CHARTED}) as connection:
        return blocks(name, market.PANELS[name](connection, staged.found, staged.frame))


def blocks(name: str, panel: Panel) -> list[Block]:
    """A panel as blocks; without a chart its remark says why."""
    if panel.chart is None:
        return [Empty(panel.remark)]
    return [Chart(name, spec(panel.chart), f"{panel.title}. {panel.remark}".strip())]


def held(place: Place, found: Subject, choice: str) -> list[Held]:
    """What each table holds of a market within a choice of time. Raises `LakeError`."""
    staged = stage(place, found, choice)
    with slices.connected(place, staged.tables) as connection:
        return coverage.held(connection, staged.found, staged.silences, len(staged.known))


def dealt(place: Place, found: Subject, choice: str, limit: int, offset: int) -> tuple[int, Trades]:
    """How many trades there are within a choice of time, and a page of them, the newest first. Raises `LakeError`."""
    rows = stage(place, found, choice).tables["dealt"]
    ordered = rows.sort_by([("drawn_at", "descending"), ("usd", "descending")])
    return rows.num_rows, ordered.slice(offset, limit).to_pylist()
