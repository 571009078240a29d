"""What rows are asked for: `column:op:value`, typed by the column's schema, and as parameters of SQL."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from polymarket_assets.lake.schemas import Table
from polymarket_assets.venue.errors import Refused

if TYPE_CHECKING:
    import pyarrow.dataset as ds

# More are a question for SQL.
MOST, MOST_CHARACTERS = 20, 1_000
_COMPARED = {"=": "=", "!=": "is distinct from", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WITHOUT_VALUE = {"is_null": "is null", "not_null": "is not null"}
OPS = (*_COMPARED, "contains", *_WITHOUT_VALUE)
FORM = f"column:op:value, with op one of {' '.join(OPS)}"


@dataclass(frozen=True)
class Filter:
    """One condition; `value` has the type of its column, and is None where the op has none."""

    column: str
    op: str
    value: Any = None


def parsed(table: Table, given: Sequence[str]) -> list[Filter]:
    """Conditions that all hold. Raises `Refused`, with what is wrong in a sentence."""
    if len(given) > MOST:
        raise Refused(f"{len(given)} conditions are more than {MOST}: ask in SQL")
    return [_parsed(table, one) for one in given]


def _parsed(table: Table, text: str) -> Filter:
    column, _, rest = text.partition(":")
    op, has_value, value = rest.partition(":")
    if len(text) > MOST_CHARACTERS or op not in OPS:
        raise Refused(f"a condition is {FORM}, in {MOST_CHARACTERS:,} characters at the most; this is {text[:60]!r}")  # fmt: skip
    type_ = require(table, column)
    if op in _WITHOUT_VALUE:
        return Filter(column, op)
    if not has_value:
        raise Refused(f"{column}:{op} names no value: a condition is {FORM}")
    if op == "contains":
        return Filter(column, op, _contained(column, type_, value))
    return Filter(column, op, typed(column, type_, value))


def require(table: Table, column: str) -> pa.DataType:
    """The type of a column. Raises `Refused` where the table has none of this name."""
    if column not in table.names:
        raise Refused(f"{table.name} has no column {column[:60]!r}; its columns are {', '.join(table.names)}")
    return table.schema.field(column).type


def typed(column: str, type_: pa.DataType, text: str) -> Any:
    """A value as its column holds it. Raises `Refused`."""
    for holds, read, wanted in _TYPES:
        if holds(type_):
            try:
                return read(type_, text.strip() if read is not _text else text)
            except (ValueError, OverflowError) as e:
                raise Refused(f"{column} holds {wanted}, and {text[:60]!r} is none") from e
    raise Refused(f"{column} holds lists: it can be asked for with contains, is_null and not_null")


def _contained(column: str, type_: pa.DataType, text: str) -> str:
    if not (pa.types.is_string(type_) or pa.types.is_nested(type_)):
        raise Refused(f"{column} holds no text: contains asks for part of a text or of a list")
    return _text(type_, text)


def _text(_: pa.DataType, text: str) -> str:
    text.encode()  # half of a surrogate pair is no text
    return text


def _whole(type_: pa.DataType, text: str) -> int:
    value, most = int(text), 2 ** (type_.bit_width - 1)
    if not -most <= value < most:
        raise ValueError(text)
    return value


def _real(_: pa.DataType, text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(text)
    return value


def _flag(_: pa.DataType, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def instant(text: str) -> datetime:
    """An instant of ISO 8601; without a zone it is UTC. Raises `ValueError`."""
    at = datetime.fromisoformat(text.replace(" ", "T", 1))
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at.astimezone(UTC)


_TYPES: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType, str], Any], str]] = (
    (pa.types.is_boolean, _flag, "true or false"),
    (pa.types.is_integer, _whole, "whole numbers"),
    (pa.types.is_floating, _real, "numbers"),
    (pa.types.is_timestamp, lambda _, text: instant(text), "instants such as 2026-03-01T12:00:00Z"),
    (pa.types.is_date, lambda _, text: date.fromisoformat(text), "days such as 2026-03-01"),
    (pa.types.is_string, _text, "text"),
    (lambda t: pa.types.is_binary(t) or pa.types.is_fixed_size_binary(t), lambda _, text: bytes.fromhex(text.removeprefix("0x")), "bytes in hexadecimal"),
)  # fmt: skip


def terms(filters: Sequence[Filter], column: Callable[[str], str]) -> tuple[list[str], list[Any]]:
    """Conditions as SQL with `?` for every value, and the values; `column` gives the SQL of a column."""
    found = [_term(one, column(one.column)) for one in filters]
    return [sql for sql, _ in found], [value for _, values in found for value in values]


def _term(one: Filter, column: str) -> tuple[str, list[Any]]:
    if one.op in _WITHOUT_VALUE:
        return f"{column} {_WITHOUT_VALUE[one.op]}", []
    if one.op == "contains":
        return f"contains(lower({column}::varchar), lower(?))", [one.value]
    return f"{column} {_COMPARED[one.op]} ?", [one.value]


def expression(table: Table, filters: Sequence[Filter]) -> ds.Expression | None:
    """The same conditions for pyarrow, which files are read with when they are sent on; None where there is none.

    Raises `Refused` of a list that is to contain something: pyarrow has no text of it.
    """
    found = None
    for one in filters:
        term = _pyarrow_term(table, one)
        found = term if found is None else found & term
    return found


def _pyarrow_term(table: Table, one: Filter) -> ds.Expression:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    field, type_ = ds.field(one.column), table.schema.field(one.column).type
    if one.op in _WITHOUT_VALUE:
        return field.is_null() if one.op == "is_null" else field.is_valid()
    if one.op == "contains":
        if pa.types.is_nested(type_):
            raise Refused(f"{one.column} holds lists, of which a download cannot ask what they contain: take the condition away, or ask in SQL")  # fmt: skip
        return pc.match_substring(field, one.value, ignore_case=True)
    value = pa.scalar(one.value, type_)
    if one.op == "!=":
        return (field != value) | field.is_null()
    return _PYARROW[one.op](field, value)


_PYARROW: Mapping[str, Callable[[Any, Any], Any]] = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}  # fmt: skip
