"""The figure of importing is of books that all arrive, in the form the plain way reads, too."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import imported
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake

pytestmark = pytest.mark.slow


def test_every_generated_book_arrives_by_both_ways(tmp_path: Path) -> None:
    """Rows that were left out would make the import look fast."""
    books = 3 * imported.MARKETS
    mapping = imported.generate(tmp_path, books)
    assert imported.imported(mapping, tmp_path / "lake").wall_s > 0
    assert imported.plainly(tmp_path, tmp_path / "plain").wall_s > 0
    lake = Lake(tmp_path / "lake")
    held = reading.rows(lake, "history_books")
    assert held.num_rows == reading.rows(lake, "history_prices").num_rows == books
    assert len(held.column("bids")[0]) == imported.LEVELS
    assert sum(pq.read_metadata(path).num_rows for path in (tmp_path / "plain").glob("*.parquet")) == books
    assert len(list((tmp_path / "plain").glob("*.parquet"))) == imported.DAYS
