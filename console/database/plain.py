"""Values of any type of DuckDB as JSON that loses nothing, as `values` writes those of tables."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

from console.database.values import MOST_EXACT


def plain(value: Any) -> Any:
    """What `json.dumps` takes: numbers it can hold, else text; bytes hexadecimal, instants RFC 3339."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -MOST_EXACT <= value <= MOST_EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_FINITE.get(value, "nan")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {
            name if isinstance(name, str) else str(plain(name)): plain(one) for name, one in value.items()
        }
    return value.isoformat() if isinstance(value, date) else str(value)


_NOT_FINITE = {math.inf: "inf", -math.inf: "-inf"}


def _instant(at: datetime) -> str:
    """An instant in UTC; one without a zone is a time of day and year, and says none."""
    if at.tzinfo is None:
        return at.isoformat()
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
