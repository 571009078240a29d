"""Values of rows as cells of a grid: instants with the reader's own time, ids that lead somewhere, long ones cut."""

from __future__ import annotations

import json
from datetime import date
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from console.blocks import Cell, Link
from console.database import filters

# Of a text in a grid; a row's own page has it whole.
SHOWN_CHARACTERS = 40


def cell(name: str, type_: pa.DataType, value: Any) -> Cell:
    """A value, as `values` writes it, in a grid."""
    whole_ = whole(name, type_, value)
    if isinstance(whole_, Link):
        return Link(cut(whole_.text, 20), whole_.href)
    return cut(whole_) if isinstance(whole_, str) else whole_


def whole(name: str, type_: pa.DataType, value: Any) -> Cell:
    """A value as it is."""
    if value is None:
        return None
    if pa.types.is_timestamp(type_):
        return filters.instant(value)
    if pa.types.is_date(type_):
        return date.fromisoformat(value)
    if name == "market_id":
        return Link(str(value), f"/market/{quote(str(value), safe='')}")
    if pa.types.is_integer(type_) or pa.types.is_boolean(type_) or (pa.types.is_floating(type_) and not isinstance(value, str)):  # fmt: skip
        found: Cell = value
        return found
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cut(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """Its beginning; of an id its end, too, which tells it apart."""
    return text if len(text) <= most else f"{text[: most - 5]}…{text[-4:]}"
