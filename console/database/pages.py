"""The pages of `console.database`: what the lake holds, a table's rows, one row whole, SQL."""

from __future__ import annotations

from collections.abc import Iterator

from console.blocks import Block, Cell, Empty, Grid, Link, Note, Tile, Tiles
from console.database import held, one_row, sql_box, table_page
from console.parts import Asked, Page, Part
from console.place import Place
from console.rendering import size
from polymarket_assets.lake.schemas import TABLES


def _tables(place: Place, _: Asked) -> Iterator[Block]:
    """Every table with what it holds, the largest files first."""
    seen = held.seen(place)
    if not any(one.files for one in seen.value):
        yield Empty(f"The lake at {place.lake().root} holds nothing yet.", "make up")
    if seen.error is not None:
        yield Note(f"The last look failed ({seen.error}); this is what was seen before.", "warning")
    yield _totals(seen.value)
    rows = [_row(one) for one in sorted(seen.value, key=lambda one: -one.bytes)]
    yield Grid(
        ("table", "rows", "files", "size", "first", "last", "one row is"), rows, sentences=frozenset({6})
    )
    yield from (Note(f"{one.name}: {one.problem}", "warning") for one in seen.value if one.problem)


def _totals(found: list[held.Held]) -> Tiles:
    filled = [one for one in found if one.rows]
    rows, files, size_ = (sum(getattr(one, name) for one in found) for name in ("rows", "files", "bytes"))
    return Tiles((
        Tile("tables with rows", f"{len(filled)} of {len(found)}"), Tile("rows", rows), Tile("files", files), Tile("size", size(size_)),
    ))  # fmt: skip


def _row(one: held.Held) -> list[Cell]:
    link = Link(one.name, f"/table/{one.name}")
    return [link, one.rows, one.files, size(one.bytes), one.first, one.last, TABLES[one.name].row]


LAKE = Page(
    "lake", "Lake",
    (Part("tables", "Tables", _tables, every_s=5), Part("sql", "SQL", sql_box.part, every_s=0)),
    says="Everything the platform recorded, table by table; docs/tables.md has the same in print.",
)  # fmt: skip
TABLE = Page(
    "table", "Table",
    (
        Part("about", "What it is", table_page.about, every_s=5), Part("filter", "Which rows", table_page.form, every_s=0),
        Part("rows", "Rows", table_page.rows_of, every_s=30), Part("columns", "Columns", table_page.columns, every_s=0),
    ),
    of="table", controls="tables.html", listed=False,
)  # fmt: skip
ROW = Page("row", "Row", (Part("row", "Columns", one_row.part, every_s=0),), of="table", controls="tables.html", listed=False)  # fmt: skip
PAGES: tuple[Page, ...] = (LAKE, TABLE, ROW)
