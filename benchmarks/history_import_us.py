"""Bringing 867,000 quotes into a lake: what a user of a dataset waits for. Skipped where DATASETS_DIR is absent."""

import os
from pathlib import Path

from benchmarks.measuring import Figure

DATASETS = Path(os.environ.get("DATASETS_DIR", Path(__file__).parents[2] / "shared" / "datasets"))
QUOTES = DATASETS / "us_quotes.parquet"

_SUBJECT = f"""
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from polymarket_assets.history_import import importing
from polymarket_assets.lake.writing import Lake
with tempfile.TemporaryDirectory() as root:
    importing.run(Lake(root), [Path({str(DATASETS)!r})], only=("us",), clock=lambda: datetime.now(UTC))
"""
_BESIDE = f"""
import tempfile
import pyarrow.parquet as pq
with tempfile.TemporaryDirectory() as root:
    pq.write_table(pq.read_table({str(QUOTES)!r}), root + "/copy.parquet", compression="zstd")
"""

FIGURE = (
    Figure(
        name="history_import_us",
        subject=_SUBJECT,
        beside=_BESIDE,
        called="reading and writing the file",
        rounds=3,
    )
    if QUOTES.exists()
    else None
)
