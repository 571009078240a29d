"""Bytes a row in sealed hours: whole files as they lie, and changes apart from levels of whole books."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.storage import LocalStore
from polymarket_assets.lake.writing import Lake


@dataclass(frozen=True)
class Size:
    """Rows and the bytes they take up."""

    rows: int
    bytes: int

    @property
    def each(self) -> float:
        """Bytes a row."""
        return self.bytes / max(1, self.rows)


def sizes(lake: Lake) -> dict[str, Size]:
    """Of a lake whose hours are sealed: `trades_raw`, `book_changes`, and of the latter `changes` and `levels` alone.

    A sealed file holds changes and books together; each kind alone is written once more by the lake's own writer.
    """
    rows = reading.rows(lake, "book_changes")
    kinds = {name: rows.filter(pc.equal(rows.column("kind"), kind)) for name, kind in (("changes", "change"), ("levels", "book"))}  # fmt: skip
    return {
        **{table: _lying(lake, table) for table in ("trades_raw", "book_changes")},
        **{name: _written(kept) for name, kept in kinds.items()},
    }


def _lying(lake: Lake, table: str) -> Size:
    files = [urlsplit(str(file)).path for file in reading.files(lake, table)]
    return Size(reading.rows(lake, table).num_rows, sum(Path(file).stat().st_size for file in files))


def _written(rows: pa.Table) -> Size:
    with tempfile.TemporaryDirectory() as folder:
        return Size(rows.num_rows, LocalStore(folder).write_table("rows.parquet", rows))
