"""`docs/tables.md`, written from the declared schemas: `python -m polymarket_assets.lake docs > docs/tables.md`."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

import pyarrow as pa

from polymarket_assets.lake.schemas import LAKE_FORMAT, catalogue, ends, learning, stream
from polymarket_assets.lake.schemas.declare import Column, Grain, Table

HEADINGS: tuple[tuple[str, ModuleType], ...] = (
    ("Collection", catalogue),
    ("Stream", stream),
    ("Ends and the past", ends),
    ("Learning", learning),
)

UNITS = """Instants are UTC in microseconds. Units come last in a name: `_usd` dollars, `_s` seconds, `_ms` milliseconds, `_h` hours, `_c` cents, `_e6` millionths. The canonical token is that of the
first outcome."""

INTRODUCTION = f"""# Tables

Written from `polymarket_assets/lake/schemas` by `python -m polymarket_assets.lake docs`; a test holds them together. Lake format {LAKE_FORMAT}.

The lake is Parquet under `LAKE_ROOT/<table>/[tier=tN/]date=YYYY-MM-DD/hour=HH/`; daily tables lack the hour, whole ones the date. Read it through `lake.connect()`, a DuckDB
connection with a view per table, or `lake.files(table)`: a closed folder is what its manifest names, so a bare glob can count rows twice.

{UNITS} A column not marked `null` is never null; null means not known or not there, never zero.
"""


def markdown() -> str:
    """The whole document."""
    parts = [INTRODUCTION, *(part for heading, module in HEADINGS for part in _section(heading, module))]
    return "\n".join(parts)


def _section(heading: str, module: ModuleType) -> Iterator[str]:
    yield f"## {heading}\n"
    for table in module.TABLES:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    yield f"One row is {table.row}. Key: {', '.join(f'`{name}`' for name in table.key)}. {_filing(table)}\n"
    yield "| column | type | | meaning |\n|---|---|---|---|"
    yield from (_row(column) for column in table.columns)
    yield ""


def _filing(table: Table) -> str:
    if table.grain is Grain.WHOLE:
        return "Not filed by time; a new version replaces it."
    return f"Filed by the {table.grain.value} of `{table.filed_by}`{' and by tier' if table.tiered else ''}."


def _row(column: Column) -> str:
    meaning = column.doc.replace("|", "\\|").replace("<", "\\<")
    return (
        f"| `{column.name}` | {type_in_words(column.type)} | {'null' if column.nullable else ''} | {meaning} |"
    ).replace("|  |", "| |")


def type_in_words(type_: pa.DataType) -> str:
    """A type in words a reader of any Parquet library knows."""
    if pa.types.is_timestamp(type_):
        return "instant"
    if pa.types.is_list(type_):
        return f"list of {type_in_words(type_.value_type)}"
    if pa.types.is_struct(type_):
        return f"{{{', '.join(f'{field.name} {type_in_words(field.type)}' for field in type_)}}}"
    if pa.types.is_fixed_size_binary(type_):
        return f"{type_.byte_width} bytes"
    return _NAMES.get(type_, str(type_))


_NAMES: dict[pa.DataType, str] = {
    pa.string(): "text",
    pa.bool_(): "flag",
    pa.float64(): "real",
    pa.date32(): "day",
}
