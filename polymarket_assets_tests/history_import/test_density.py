"""A small file that would become a large one is refused in one sentence, with memory and disk as they were."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polymarket_assets.history_import import density
from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.history_import import cases
from polymarket_assets_tests.history_import.conftest import Import
from polymarket_assets_tests.hostile import peak_mb

# A process that imports nothing takes some 150 MB; DuckDB is given a gigabyte.
LITTLE_MB = 400


def one(value: Any, rows: int) -> pa.DictionaryArray:
    """The same value in every row, held once."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))


def prices(token: Any, rows: int) -> pa.Table:
    return pa.table(
        {"yes_token": token, "t": pa.array(np.arange(rows) + 1_000_000_000), "p": one(0.25, rows)}
    )


def rows_without_end(folder: Path) -> None:
    written = {"use_dictionary": ["yes_token", "p"], "column_encoding": {"t": "DELTA_BINARY_PACKED"}}
    pq.write_table(prices(one("111", 20_000_000), 20_000_000), folder / "weather_prices.parquet", compression="zstd", **written)  # fmt: skip


def one_long_text(folder: Path) -> None:
    pq.write_table(prices(pa.array(["1" * 120_000_000]), 1), folder / "weather_prices.parquet", compression="zstd", use_dictionary=False)  # fmt: skip


def a_long_text_in_every_row(folder: Path) -> None:
    path = folder / "weather_markets.parquet"
    (row,) = pq.read_table(path).to_pylist()
    many = pa.Table.from_pylist([{**row, "yes_token": f"{n}"} for n in range(3_000)])
    title = many.column_names.index("title")
    pq.write_table(many.set_column(title, "title", one("x" * 900_000, 3_000)), path, compression="zstd")


def a_long_text_of_a_million_rows(folder: Path) -> None:
    """A key of a terabyte, if it were written out."""
    pq.write_table(prices(one("1" * 900_000, 1_000_000), 1_000_000), folder / "weather_prices.parquet", compression="zstd")  # fmt: skip


BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "rows without end": (rows_without_end, r"weather_prices\.parquet holds 20,000,000 values in \d{3},\d{3} bytes: what is recorded is not so dense"),
    "one long text": (one_long_text, r"weather_prices\.parquet holds 120,\d{3},\d{3} bytes in "),
    "a long text, once in the file": (a_long_text_in_every_row, "weather markets: title has a text of 900,000 bytes, 100,000 are the most"),
    "a long text, named by a million rows": (a_long_text_of_a_million_rows, "weather prices: yes_token has a text of 900,000 bytes, 100,000 are the most"),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_that_would_become_large_is_refused_in_little_memory(bomb: str, folder: Path, lake: Lake) -> None:  # fmt: skip
    make, said = BOMBS[bomb]
    cases.weather(folder)
    make(folder)
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
    code = f"""
import re, sys
from pathlib import Path
from datetime import UTC, datetime
from polymarket_assets.history_import import importing
from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.lake.writing import Lake
try:
    importing.run(Lake(sys.argv[1]), [Path(sys.argv[2])], clock=lambda: datetime.now(UTC))
except BadDataset as e:
    assert len(e.reasons) == 1 and re.search({said!r}, e.reasons[0]), e
else:
    sys.exit("it was taken")
"""
    assert peak_mb(code, lake.root, str(folder)) < LITTLE_MB
    assert not Path(lake.root).exists()


def test_lists_longer_than_any_book_are_refused(tmp_path: Path) -> None:
    levels = pa.array([list(range(1_200_000))] + [[]] * 999)
    pq.write_table(pa.table({"bids": levels}), tmp_path / "books.parquet")
    assert "1,200,999 levels in 1,000 rows" in " ".join(density.reasons([tmp_path / "books.parquet"]))


@pytest.mark.parametrize(("megabytes", "is_told"), [(50, False), (150, True)])
def test_packed_text_is_unpacked_no_further_than_it_may_be(tmp_path: Path, megabytes: int, is_told: bool) -> None:  # fmt: skip
    path = tmp_path / "prices.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as packed:
        for _ in range(megabytes):
            packed.write(b"1," * 500_000)
    assert bool(list(density.reasons([path]))) is is_told


def test_what_is_recorded_is_not_too_dense(folder: Path, import_: Import) -> None:
    """A price a minute of one market after the other: the densest that anybody records."""
    minutes = 400_000
    cases.weather(folder)
    many = pa.table({"yes_token": one("111", minutes), "t": pa.array(np.arange(minutes) * 60 + 1_700_000_000), "p": pa.array(np.random.default_rng(1).integers(1, 999, minutes) / 1_000)})  # fmt: skip
    pq.write_table(pa.concat_tables([many] * 3), folder / "weather_prices.parquet", compression="zstd")
    assert list(density.reasons([folder / "weather_prices.parquet"])) == []
    with pytest.raises(BadDataset, match="repeat a key"):
        import_(folder)
