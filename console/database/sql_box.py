"""The SQL box: a query in the address, its result beneath."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from console.blocks import Block, Cell, Custom, Empty, Grid, Link, Note
from console.database import querying
from console.database.cells import cut
from console.parts import Asked, failed
from console.place import Place
from polymarket_assets.venue.errors import PolymarketError

# Of a result in the page; the API gives more.
SHOWN_ROWS = 200
EXAMPLES = {
    "trades an hour": "select date_trunc('hour', traded_at) as hour, count(*) as trades, sum(usd_e6) / 1e6 as usd\nfrom trades group by 1 order by 1 desc limit 48",
    "most traded markets": "select market_id, count(*) as trades, sum(usd_e6) / 1e6 as usd\nfrom trades group by 1 order by usd desc limit 20",
    "spread by tier": "select tier, count(*) as snapshots, median(spread) as spread, avg(is_one_sided::int) as one_sided\nfrom snapshots group by 1 order by 1",
    "slots by status": "select tier, status, count(*) as slots, max(slot_at) as newest\nfrom sweeps group by 1, 2 order by 1, 2",
    "how markets ended": "select reason, label, count(*) as versions from resolutions group by 1, 2 order by 3 desc",
}  # fmt: skip


def part(place: Place, asked: Asked) -> Iterator[Block]:
    """The box, examples, and what the query gives."""
    sql = asked.given.get("sql", "")
    bounds = {name: asked.given.get(name, "") for name in ("from", "to")}
    examples = [Link(name, f"/lake?{urlencode({'sql': text})}#sql") for name, text in EXAMPLES.items()]
    yield Custom(
        "sql_box.html", {"sql": sql, "asked": bounds, "examples": examples, "within_s": querying.WITHIN_S}
    )
    if sql.strip():
        yield from _answered(place, sql, bounds)


def _answered(place: Place, sql: str, bounds: Mapping[str, str]) -> Iterator[Block]:
    """The result, or why there is none, beneath the box that keeps the query."""
    try:
        found = querying.answer(place, sql, limit=SHOWN_ROWS, since=bounds["from"], until=bounds["to"])
    except PolymarketError as e:
        yield failed(e, "the query")
        return
    yield from _result(found)


def _result(found: querying.Answer) -> Iterator[Block]:
    more = (
        f"; there are more, of which POST /api/database/query gives {querying.MOST_ROWS:,}"
        if found.truncated
        else ""
    )
    yield Note(
        f"{len(found.rows):,} rows in {found.ms:,.0f} ms, {found.total_ms:,.0f} ms with opening the lake{more}."
    )
    if found.rows:
        yield Grid(
            [column.name for column in found.columns], [[_cell(value) for value in row] for row in found.rows]
        )
    else:
        yield Empty(f"No rows; its columns are {', '.join(column.name for column in found.columns)}.")


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        return cut(value, 80)
    if value is None or isinstance(value, int | float):
        return value
    return cut(json.dumps(value, ensure_ascii=False), 80)
