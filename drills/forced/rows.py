"""Rows of the lake for conditions that need some: with something in every column that must hold something."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from drills.alert_place import Place
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR


def row(table: str, **given: Any) -> dict[str, Any]:
    """A row of a table; instants that nobody gave are the first one given."""
    declared = TABLES[table]
    at = next((value for name, value in given.items() if name.endswith("_at")), None)
    return {column.name: _filler(declared.schema.field(column.name).type, at) for column in declared.columns if not column.nullable} | given  # fmt: skip


def market(place: Place, name: str = "pm:a") -> dict[str, Any]:
    """A market that T4 samples."""
    return row("markets", market_id=name, received_at=place.now, phase="live", tier="t4", effective_close=place.now + 2 * HOUR, fee_schedule='{"rate": 0.0}')  # fmt: skip


def listed(place: Place, name: str = "pm:a", part: str = "0") -> None:
    """Publish a market."""
    place.lake.publish_rows("markets", [market(place, name)], part=part, at=place.now)


def _filler(type_: pa.DataType, at: Any) -> Any:
    empty: tuple[tuple[Any, Any], ...] = ((pa.types.is_list, []), (pa.types.is_timestamp, at), (pa.types.is_boolean, False), (pa.types.is_string, ""), (pa.types.is_binary, b""))  # fmt: skip
    if pa.types.is_fixed_size_binary(type_):
        return b"\0" * type_.byte_width
    return next((value for is_one, value in empty if is_one(type_)), 1)
