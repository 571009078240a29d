"""A bad dataset is refused with every reason, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.history_import import cases
from polymarket_assets_tests.history_import.conftest import Import

Change = Callable[[pa.Table], pa.Table]


def put(name: str, value: object, type_: pa.DataType | None = None) -> Change:
    """The same value in every row of a column."""

    def change(rows: pa.Table) -> pa.Table:
        values = pa.array([value] * rows.num_rows, type_ or rows.schema.field(name).type)
        return rows.set_column(rows.column_names.index(name), name, values)

    return change


def without(*names: str) -> Change:
    return lambda rows: rows.drop_columns(list(names))


def twice(rows: pa.Table) -> pa.Table:
    return pa.concat_tables([rows, rows])


def none(rows: pa.Table) -> pa.Table:
    return rows.slice(0, 0)


def in_cents(rows: pa.Table) -> pa.Table:
    return rows.set_column(rows.column_names.index("p"), "p", pc.multiply(rows.column("p"), 100))


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("weather_prices", without("p"), "weather prices: the columns p are missing"),
        ("weather_markets", without("title", "endDate"), "weather markets: the columns title, endDate are missing"),
        ("weather_prices", in_cents, "weather prices: 1 values of p lie outside 0 … 1: prices are dollars a share, not cents (such as 25.0)"),
        ("weather_prices", put("p", float("nan")), "1 values of p lie outside 0 … 1"),
        ("weather_prices", put("p", "a quarter", pa.string()), "weather prices: p should be a price and is VARCHAR"),
        ("weather_prices", put("t", 1_775_000_000_000), "1 values of t are not seconds since 1970 (such as 1775000000000)"),
        ("weather_prices", put("yes_token", None), "1 values of yes_token are missing"),
        ("weather_prices", twice, "weather prices: 1 rows repeat a key (yes_token, t)"),
        ("weather_markets", twice, "weather markets: 1 rows repeat a key (yes_token)"),
        ("weather_prices", none, "weather prices: it holds no rows"),
        ("weather_markets", put("endDate", "soon"), "1 values of endDate are no instants from 2000 to 2100 (such as soon)"),
        *(("weather_markets", put("endDate", never), f"1 values of endDate are no instants from 2000 to 2100 (such as {never})") for never in ("9999-12-31T23:59:59Z", "infinity", "0001-01-01T00:00:00Z")),
        ("weather_markets", put("resolved_yes", 7, pa.int64()), "1 values of resolved_yes are neither true nor false"),
        ("sports_closing", put("p1_close", 25.0), "sports_closing markets: 1 values of p1_close lie outside 0 … 1"),
        ("us_quotes", put("bid", 40.0), "us quotes: 1 values of bid lie outside 0 … 1"),
        ("us_markets", put("last_ts", None), "us markets: 2 values of last_ts are missing"),
    ],
)  # fmt: skip
def test_a_defect_is_named_and_nothing_is_written(
    folder: Path, lake: Lake, import_: Import, file: str, change: Change, said: str
) -> None:
    cases.us(cases.sports(cases.weather(folder)))
    cases.edit(folder / f"{file}.parquet", change)
    with pytest.raises(BadDataset) as refused:
        import_(folder)
    assert len(refused.value.reasons) == 1
    assert said in refused.value.reasons[0]
    assert not Path(lake.root).exists()


def test_a_damaged_page_is_a_reason(folder: Path, lake: Lake, import_: Import) -> None:
    """The end of the file, which says what is in it, is whole."""
    cases.weather(folder)
    path = folder / "weather_prices.parquet"
    many = [{**point, "t": point["t"] + n, "p": 0.2 + n % 997 / 2_000} for point in pq.read_table(path).to_pylist() for n in range(20_000)]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(many), path, compression="snappy")
    damaged = bytearray(path.read_bytes())
    damaged[2_000:2_400] = bytes(255 - byte for byte in damaged[2_000:2_400])
    path.write_bytes(damaged)
    with pytest.raises(BadDataset, match="weather: a file cannot be read"):
        import_(folder)
    assert not Path(lake.root).exists()


def test_every_reason_is_listed_at_once(folder: Path, import_: Import) -> None:
    """Who mends a dataset should not find its defects one import at a time."""
    cases.us(cases.weather(folder))
    cases.edit(folder / "weather_prices.parquet", in_cents)
    cases.edit(folder / "weather_markets.parquet", twice)
    cases.edit(folder / "us_quotes.parquet", without("segment", "ts"))
    with pytest.raises(BadDataset) as refused:
        import_(folder)
    assert [reason.split(":")[0] for reason in refused.value.reasons] == [
        "weather markets",
        "weather prices",
        "us quotes",
    ]


def test_a_column_nobody_reads_may_hold_anything(folder: Path, import_: Import) -> None:
    """An outcome that leaks into a price file is not read, so it cannot become a feature."""
    cases.weather(folder)
    cases.edit(
        folder / "weather_prices.parquet",
        lambda rows: rows.append_column("resolved_yes", pa.array([True] * rows.num_rows)),
    )
    (imported,) = import_(folder).datasets
    assert imported.filed["history_prices"].rows == 1
