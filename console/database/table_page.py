"""The page of a table: what it is, which rows are asked for, the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from console.blocks import Block, Cell, Custom, Empty, Facts, Grid, Link, Note
from console.database import addresses, cells, described, filters, held, rows
from console.database import asked as asking
from console.database.rows import Found
from console.kept import NotYet
from console.parts import Asked
from console.place import Place
from console.rendering import instant, size
from polymarket_assets.lake.schemas import Table


def about(place: Place, asked: Asked) -> Iterator[Block]:
    """The table in words, what the lake holds of it, and where else to look."""
    table = asking.table_of(asked.of)
    form = described.form(table, place.settings)
    filed = f"by the {form.grain} of {form.filed_by}" if form.filed_by else "whole; a new version replaces it"
    pairs: list[tuple[str, Cell]] = [("one row is", form.row), ("key", ", ".join(form.key)), ("filed", filed)]
    try:
        one = next(one for one in held.seen(place).value if one.name == table.name)
        pairs += [("rows", one.rows), ("files", one.files), ("size", size(one.bytes)), ("first", one.first), ("last", one.last)]  # fmt: skip
        problem = one.problem
    except NotYet as e:
        problem = f"What it holds: {e}."
    if form.asset:
        pairs.append(("filled by", Link(f"asset {described.asset_key(table.name)} in Dagster", form.asset)))
    yield Facts(pairs)
    if problem:
        yield Note(problem, "warning")


def form(_: Place, asked: Asked) -> Iterator[Block]:
    """The bounds and conditions, to be changed."""
    table = asking.table_of(asked.of)
    lines = addresses.conditions(asked.given)
    held_ = [Link(line, addresses.other(asked, where="\n".join(other for other in lines if other != line) or None, offset=None)) for line in lines]  # fmt: skip
    given = {name: asked.given.get(name, "") for name in ("from", "to", "sort", "descending", "limit")}
    yield Custom("table_form.html", {
        "table": table.name, "columns": table.names, "ops": filters.OPS, "held": held_, "where": "\n".join(lines), "asked": given,
        "is_timed": table.filed_by is not None, "filed_by": table.filed_by,
    })  # fmt: skip


def rows_of(place: Place, asked: Asked) -> Iterator[Block]:
    """The rows, and where the others are."""
    of = addresses.question(asked)
    found = rows.found(place, of)
    yield Custom("table_turns.html", {"turns": _turns(asked, of, found), "said": _said(of, found), "downloads": [Link(format_.upper(), addresses.download(asked, format_)) for format_ in ("csv", "parquet")]})  # fmt: skip
    if found.rows:
        yield _grid(asked, of, [json.loads(row) for row in found.rows])
    else:
        yield _empty(place, of, found)


def _grid(asked: Asked, of: asking.Asked, found: list[dict[str, Any]]) -> Grid:
    headings: list[str | Link] = ["row", *(_heading(asked, of, name) for name in of.table.names)]
    schema = of.table.schema
    lines: list[list[Cell]] = [
        [Link("open", addresses.row(of.table, row)), *(cells.cell(field.name, field.type, row[field.name]) for field in schema)]
        for row in found
    ]  # fmt: skip
    return Grid(headings, lines)


def _heading(asked: Asked, of: asking.Asked, name: str) -> str | Link:
    if pa.types.is_nested(of.table.schema.field(name).type):
        return name
    is_by = name == of.by
    mark = " ↓" if is_by and of.descending else " ↑" if is_by else ""
    descending = not of.descending if is_by else True
    return Link(f"{name}{mark}", addresses.other(asked, sort=name, descending=descending, offset=None))


def _turns(asked: Asked, of: asking.Asked, found: Found) -> list[Link]:
    """To the first page, the one before, and the next."""
    back = [one for one in asked.given.get("back", "").split("~") if one]
    turns = []
    if back:
        to, _, offset = back[-1].partition(",")
        turns.append(Link("← previous", addresses.other(asked, to=to or None, offset=offset or None, back="~".join(back[:-1]) or None)))  # fmt: skip
    if found.next is not None:
        here = f"{asked.given.get('to', '')},{asked.given.get('offset', '')}"
        given = {("from_" if name == "from" else name): value for name, value in found.next.items()}
        trail = "~".join([*back, here][-_MOST_BACK:])
        turns.append(Link(_onwards(of, found), addresses.other(asked, **given, back=trail)))
    return turns


# Pages that one can turn back, one by one: an address has an end.
_MOST_BACK = 30


def _onwards(of: asking.Asked, found: Found) -> str:
    return "next →" if len(found.rows) >= of.limit else "look further back →" if of.descending else "look further on →"  # fmt: skip


def _said(of: asking.Asked, found: Found) -> str:
    """Which rows these are."""
    if found.span is None:
        return f"{len(found.rows)} rows"
    by = "" if of.is_in_order else f", sorted by {of.by} within these"
    return f"{len(found.rows)} rows of the files of {instant(found.span.start)} to {instant(found.span.end)} UTC{by}"


def _empty(place: Place, of: asking.Asked, found: Found) -> Empty:
    if found.next is not None:
        return Empty("No row of these hours is like that; look further with the link above.")
    if of.filters or of.span or of.offset:
        return Empty("No row is like that: take a condition away, or widen the span.")
    key = described.asset_key(of.table.name)
    return Empty(f"{of.table.name} has no rows yet.", f"materialise {key} in Dagster, or wait for its schedule" if key else "")  # fmt: skip


def columns(_: Place, asked: Asked) -> Iterator[Block]:
    """Every column in words."""
    table: Table = asking.table_of(asked.of)
    found: list[list[Cell]] = [[c.name, c.type, c.unit or None, "yes" if c.nullable else None, c.said] for c in described.columns(table)]  # fmt: skip
    yield Grid(("column", "type", "unit", "may be null", "what it holds"), found, sentences=frozenset({4}))
