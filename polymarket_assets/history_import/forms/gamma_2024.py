"""`gamma_2024`: catalogue rows of markets created in 2024, all closed: what they asked, and how they ended. No prices.

Labels are those of the rule for markets we followed ourselves, given nothing but the catalogue row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymarket_assets.history_import.forms import catalogued
from polymarket_assets.history_import.forms.declare import FLAG, INSTANT, TEXT, Column, File, Form

if TYPE_CHECKING:
    import duckdb

_EVENT = ("event_id", "event_slug", "event_title", "series_slug", "event_tags")

OBJECTS = File(
    "objects",
    frozenset({"conditionId", "outcomePrices", "closedTime", "event_tags"}),
    (
        Column("id", TEXT),
        Column("conditionId", TEXT),
        Column("slug", TEXT),
        Column("question", TEXT),
        Column("outcomes", TEXT),
        Column("outcomePrices", TEXT),
        Column("clobTokenIds", TEXT),
        Column("closed", FLAG),
        Column("closedTime", INSTANT, nullable=True),
        Column("endDate", INSTANT, nullable=True),
    ),
    key=("conditionId",),
)


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Read the rows as the venue's; a column that the file lacks is a key that the row lacks."""
    there = {name for name, *_ in connection.execute("describe objects").fetchall()}
    names = [name for name in (*catalogued.CLOSED_KEYS, *_EVENT) if name in there]
    rows = (
        connection.sql(f"select {', '.join(catalogued.keyed(names))} from objects")
        .to_arrow_table()
        .to_pylist()
    )
    catalogued.register(
        connection,
        (catalogued.wire(row, catalogued.CLOSED_KEYS, row.get("event_tags") or ()) for row in rows),
    )


FORM = Form(
    name="gamma_2024",
    holds="catalogue rows of 2024 with their ends, without prices: gamma_markets_2024",
    files=(OBJECTS,),
    markets="select * from listed",
    ends="select * replace (evidence::json as evidence) from ended",
    prepare=_prepare,
)
