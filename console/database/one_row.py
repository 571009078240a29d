"""One row whole: every column with its type, its unit and what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator

from console.blocks import Block, Cell, Custom, Link
from console.database import addresses, cells, described, rows
from console.parts import Asked
from console.place import Place
from polymarket_assets.lake.schemas import Table
from polymarket_assets.venue.errors import Refused


def part(place: Place, asked: Asked) -> Iterator[Block]:
    """The row that the address names by its key."""
    of = addresses.question(Asked(asked.of, {**asked.given, "limit": "2"}))
    if not of.filters:
        raise Refused(f"a row is named by its key: open one from /table/{of.table.name}")
    found = [json.loads(row) for row in rows.found(place, of).rows]
    yield Custom(
        "row_head.html",
        {"back": Link(f"rows of {of.table.name}", f"/table/{of.table.name}"), "count": len(found)},
    )
    if found:
        yield Custom("row_columns.html", {"columns": _columns(of.table, found[0])})


def _columns(table: Table, row: dict[str, object]) -> list[tuple[described.ColumnSaid, Cell]]:
    """Every column in words, with its value: numbers to the last digit."""
    values = (cells.whole(field.name, field.type, row[field.name]) for field in table.schema)
    told = (
        str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for value in values
    )
    return list(zip(described.columns(table), told, strict=True))
