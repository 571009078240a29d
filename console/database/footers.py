"""What the footer of a file says, remembered: a file of a lake never changes once written, and another of its name has other bytes."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import pyarrow.parquet as pq

from console.database.shelf import File
from polymarket_assets.lake import reading

# Some 400 bytes each: 20 MB at the most.
MOST_FOOTERS = 50_000


@dataclass(frozen=True, slots=True)
class Footer:
    """Rows and columns of a file, and the ends of the column that files its table, where its statistics have them."""

    rows: int
    names: frozenset[str]
    first: datetime | date | None = None
    last: datetime | date | None = None


def footer(file: File, filed_by: str | None) -> Footer:
    """Raises `DamagedFile`, `StoreUnavailable`, `StoreRefused`; of a file that went meanwhile `FileNotFoundError`."""
    return _footer(file.uri, file.bytes, filed_by)


@lru_cache(maxsize=MOST_FOOTERS)
def _footer(uri: str, _: int, filed_by: str | None) -> Footer:
    with contextlib.closing(reading.footer(uri)) as opened, reading.damage_told(uri):
        found = opened.metadata
        names = _same(frozenset(opened.schema_arrow.names))
        return Footer(found.num_rows, names, *_ends(found, filed_by))


@lru_cache(maxsize=1_000)
def _same(names: frozenset[str]) -> frozenset[str]:
    """One object for the files of a table."""
    return names


def _ends(found: pq.FileMetaData, filed_by: str | None) -> tuple[Any, Any]:
    """The ends of a column over all row groups; of these it is a plain one, so it stands once by its name."""
    if filed_by is None or not found.num_row_groups:
        return None, None
    names = [found.row_group(0).column(n).path_in_schema for n in range(found.num_columns)]
    if filed_by not in names:
        return None, None
    at = names.index(filed_by)
    known = [found.row_group(n).column(at).statistics for n in range(found.num_row_groups)]
    if not all(one is not None and one.has_min_max for one in known):
        return None, None
    return _aware(min(one.min for one in known)), _aware(max(one.max for one in known))


def _aware(value: datetime | date) -> datetime | date:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
