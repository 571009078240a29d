"""Rows as JSON that loses nothing: instants RFC 3339, bytes hexadecimal, lists and structs as such.

Whole numbers that JavaScript would round, and reals that JSON does not know (NaN, infinity), are text. DuckDB makes
the text of whole rows: it does so beside the interpreter, which four clients share.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from polymarket_assets.lake.schemas import Table

# What stands for a column that the files of before do not have.
ABSENT = "null"
_INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"
# What a double holds of whole numbers.
MOST_EXACT = 2**53 - 1


def row(table: Table, column: Callable[[str], str]) -> str:
    """SQL of a row as the text of an object; `column` gives the SQL of a column."""
    told = (f"'{f.name}': {_expression(f.type, column(f.name))}" for f in table.schema)
    return "to_json({" + ", ".join(told) + "})::varchar"


def _expression(type_: pa.DataType, value: str, depth: int = 0) -> str:
    if value == ABSENT:
        return value
    if pa.types.is_timestamp(type_):
        return f"strftime({value}, '{_INSTANT}')"
    if pa.types.is_binary(type_) or pa.types.is_fixed_size_binary(type_):
        return f"lower(hex({value}))"
    if pa.types.is_floating(type_):
        return f"case when isfinite({value}) then to_json({value}) else to_json({value}::varchar) end"
    if pa.types.is_decimal(type_):
        return f"{value}::varchar"
    if pa.types.is_int64(type_):
        return f"case when {value} between -{MOST_EXACT} and {MOST_EXACT} then to_json({value}) else to_json({value}::varchar) end"  # fmt: skip
    if pa.types.is_list(type_):
        inner = _expression(type_.value_type, f"v{depth}", depth + 1)
        return f"list_transform({value}, lambda v{depth}: {inner})"
    if pa.types.is_struct(type_):
        return "{" + ", ".join(f"'{f.name}': {_expression(f.type, f'{value}.{f.name}', depth)}" for f in type_) + "}"  # fmt: skip
    return value
