"""What a partition holds, for people who look at it: where it lies, in how many files, rows and bytes."""

from __future__ import annotations

from dataclasses import dataclass

from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake


@dataclass(frozen=True)
class Held:
    """A partition as published by now."""

    uri: str
    files: int
    rows: int
    bytes: int


def held(lake: Lake, table: str, span: Span, *, tier: str | None = None) -> Held:
    """What the hours or days of a span hold of a table; reads one footer per file. Raises `DamagedFile`."""
    footers = [reading.footer(file) for file in reading.files(lake, table, span, tier=tier)]
    groups = [footer.metadata.row_group(n) for footer in footers for n in range(footer.num_row_groups)]
    return Held(
        uri=lake.store.uri(layout.folder(TABLES[table], span.start, tier)),
        files=len(footers),
        rows=sum(footer.metadata.num_rows for footer in footers),
        bytes=sum(
            group.column(n).total_compressed_size for group in groups for n in range(group.num_columns)
        ),
    )
