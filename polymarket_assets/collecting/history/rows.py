"""Rows of one market, column by column: what is the same in all of them is said once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from polymarket_assets.lake.schemas import TABLES

Column: TypeAlias = Sequence[Any] | pa.Array


def of_market(table: str, count: int, own: Mapping[str, Column], same: Mapping[str, Any]) -> pa.Table:
    """`count` rows of a table: columns of `own`, values of `same` in every row, null in the columns of neither.

    Raises:
        pa.ArrowInvalid, pa.ArrowTypeError: a value does not fit its column.
    """
    schema = TABLES[table].schema
    return pa.Table.from_arrays([_column(field, count, own, same) for field in schema], schema=schema)


def _column(field: pa.Field, count: int, own: Mapping[str, Column], same: Mapping[str, Any]) -> pa.Array:
    if field.name not in own:
        value = same.get(field.name)
        return pa.nulls(count, field.type) if value is None else pa.repeat(pa.scalar(value, field.type), count)  # fmt: skip
    column = own[field.name]
    return column.cast(field.type) if isinstance(column, pa.Array) else pa.array(column, field.type)
