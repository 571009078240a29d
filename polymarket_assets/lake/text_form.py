"""Columns as text that every spreadsheet and language reads: instants RFC 3339, bytes hexadecimal, lists JSON.

Numbers, flags and days are written as they are; an empty field is null, an empty text is `""`.
"""

from __future__ import annotations

from typing import Self

import pyarrow as pa

_INSTANT = "%Y-%m-%dT%H:%M:%S.%fZ"


def written(type_: pa.DataType) -> str:
    """How values of a type are written, in words."""
    if pa.types.is_nested(type_):
        return "JSON"
    if pa.types.is_timestamp(type_):
        return "RFC 3339, UTC"
    if _is_bytes(type_):
        return "hexadecimal"
    if pa.types.is_boolean(type_):
        return "true, false"
    return "YYYY-MM-DD" if pa.types.is_date(type_) else "text" if pa.types.is_string(type_) else "number"


class Converter:
    """Rows of a table as rows of `schema`; a context manager, for it holds a connection."""

    def __init__(self, declared: pa.Schema) -> None:
        self.schema = pa.schema(
            [pa.field(f.name, pa.string() if _is_converted(f.type) else f.type) for f in declared]
        )
        self._columns = ", ".join(f'{_column(field)} as "{field.name}"' for field in declared)

    def __enter__(self) -> Self:
        import duckdb

        self._connection = duckdb.connect()
        self._connection.execute("set TimeZone = 'UTC'")
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._connection.close()

    def converted(self, rows: pa.Table) -> pa.Table:
        """The same rows in the same order."""
        self._connection.register("rows", rows)
        found = self._connection.sql(f"select {self._columns} from rows").to_arrow_table()
        return found.cast(self.schema)


def _is_bytes(type_: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_binary(type_) or pa.types.is_binary(type_))


def _is_converted(type_: pa.DataType) -> bool:
    return bool(pa.types.is_nested(type_) or pa.types.is_timestamp(type_) or _is_bytes(type_))


def _column(field: pa.Field) -> str:
    found = _expression(field.type, f'"{field.name}"')
    return f"to_json({found})::varchar" if pa.types.is_nested(field.type) else found


def _expression(type_: pa.DataType, value: str, depth: int = 0) -> str:
    """SQL that gives a value with its instants and bytes as text, however deep they lie."""
    if pa.types.is_timestamp(type_):
        return f"strftime({value}, '{_INSTANT}')"
    if _is_bytes(type_):
        return f"lower(hex({value}))"
    if pa.types.is_list(type_):
        return f"list_transform({value}, lambda v{depth}: {_expression(type_.value_type, f'v{depth}', depth + 1)})"
    if pa.types.is_struct(type_):
        return "{" + ", ".join(f"'{f.name}': {_expression(f.type, f'{value}.{f.name}', depth)}" for f in type_) + "}"  # fmt: skip
    return value
