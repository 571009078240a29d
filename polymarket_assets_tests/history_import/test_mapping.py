"""Any dataset by a mapping: a complete one is imported, a mistaken one refused with a sentence for every mistake."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from polymarket_assets.history_import import __main__ as command
from polymarket_assets.history_import.errors import BadDataset
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import PROJECT
from polymarket_assets_tests.history_import.cases import write
from polymarket_assets_tests.history_import.conftest import Import
from polymarket_assets_tests.history_import.test_rows import only

CONDITIONS = [f"0x{n:064x}" for n in range(5)]
# 2026-04-02 10:00 UTC.
TEN = 1_775_124_000


def mapping(**changed: Any) -> dict[str, Any]:
    return {
        "source": "mine", "venue": "import",
        "markets": {"files": "markets.csv", "columns": {"id": "m", "close": "ends", "expected_close": "ends", "outcome": "won"}},
        "prices": {"files": "prices.csv", "columns": {"id": "m", "time": "t", "price": "p"}, "time": "s"}, **changed,
    }  # fmt: skip


def prices(**changed: Any) -> dict[str, Any]:
    return {"files": "prices.csv", "columns": {"id": "m", "time": "t", "price": "p"}, "time": "s", **changed}


def dataset(folder: Path, games: str | None = None, rows: str | None = None, **changed: Any) -> Path:
    """A mapping with two files of text beside it; returns the mapping."""
    ends = "\n".join(f"{n},2026-04-02T12:00:00Z,{n % 2}" for n in range(4))
    (folder / "markets.csv").write_text(games or f"m,ends,won\n{ends}\n")
    points = "\n".join(f"{n},{TEN + n},0.{n + 2}" for n in range(4))
    (folder / "prices.csv").write_text(rows or f"m,t,p\n{points}\n")
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(mapping(**changed)))
    return path


def reasons(import_: Import, path: Path) -> tuple[str, ...]:
    with pytest.raises(BadDataset) as refused:
        import_(path)
    return refused.value.reasons


def test_the_example_of_the_document_is_imported_by_the_command(
    tmp_path: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who follows the document should get rows, not reasons."""
    text = (PROJECT / "docs" / "import.md").read_text()
    files = re.findall(r"^`([a-z_.]+)`:\n\n```[a-z]*\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["games.csv", "books.csv", "trades.csv", "games.yaml"]
    for name, content in files:
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("LAKE_ROOT", lake.root)
    assert command.main([str(tmp_path / "games.yaml")]) == 0
    assert "2 markets, 2 of them labelled" in capsys.readouterr().out
    first = reading.rows(lake, "history_books").sort_by("booked_at").to_pylist()[0]
    assert (first["market_id"], first["bids"]) == (
        "my_games:17",
        [{"price_e6": 410_000, "size_e6": 250_000_000}, {"price_e6": 400_000, "size_e6": 900_000_000}],
    )
    assert reading.rows(lake, "history_prices").num_rows == 3
    (sold,) = [row for row in reading.rows(lake, "history_trades").to_pylist() if not row["is_buy"]]
    assert (sold["price_e6"], sold["size_e6"], sold["outcome_index"]) == (430_000, 12_500_000, 0)


@pytest.mark.parametrize(
    ("unit", "time"),
    [("s", TEN), ("ms", TEN * 1000), ("us", TEN * 1_000_000), ("iso", "2026-04-02T12:00:00+02:00")],
)
def test_instants_are_read_in_the_unit_that_is_named(
    lake: Lake, folder: Path, import_: Import, unit: str, time: object
) -> None:
    import_(dataset(folder, rows=f"m,t,p\n1,{time},0.5\n", prices=prices(time=unit)))
    assert only(lake, "history_prices")["priced_at"] == datetime(2026, 4, 2, 10, tzinfo=UTC)


def test_prices_in_cents_become_millionths(lake: Lake, folder: Path, import_: Import) -> None:
    import_(dataset(folder, rows=f"m,t,p\n1,{TEN},41.5\n", prices=prices(unit="cents")))
    assert only(lake, "history_prices")["price_e6"] == 415_000


def test_ids_of_text_files_stay_text(lake: Lake, folder: Path, import_: Import) -> None:
    """A token id has 77 digits: as a number it would lose all but sixteen of them, and 007 its zeros."""
    token = "11111111111111111111111111111111111111111111111111111111111111111111111111117"
    rows = f"m,t,p\n{token},{TEN},0.5\n007,{TEN},0.4\n"
    markets = f"m,ends,won\n{token},2026-04-02T12:00:00Z,1\n007,2026-04-02T12:00:00Z,0\n"
    import_(dataset(folder, markets, rows))
    assert {row["market_id"] for row in reading.rows(lake, "history_prices").to_pylist()} == {
        f"mine:{token}",
        "mine:007",
    }


def test_a_market_may_stand_on_every_row_of_its_prices(lake: Lake, folder: Path, import_: Import) -> None:
    rows = "\n".join(f"{n // 2},2026-04-02T12:00:00Z,{n // 2},{TEN + n},0.4" for n in range(4))
    markets = {
        "files": "prices.csv",
        "columns": {"id": "m", "close": "ends", "outcome": "won"},
        "repeats": True,
    }
    import_(dataset(folder, rows=f"m,ends,won,t,p\n{rows}\n", markets=markets))
    assert reading.rows(lake, "history_markets").num_rows == 2
    assert reading.rows(lake, "history_prices").num_rows == 4


def test_a_market_that_repeats_with_two_outcomes_is_refused(folder: Path, import_: Import) -> None:
    rows = f"m,ends,won,t,p\n1,2026-04-02T12:00:00Z,0,{TEN},0.4\n1,2026-04-02T12:00:00Z,1,{TEN + 1},0.4\n"
    markets = {
        "files": "prices.csv",
        "columns": {"id": "m", "close": "ends", "outcome": "won"},
        "repeats": True,
    }
    assert reasons(import_, dataset(folder, rows=rows, markets=markets)) == (
        "mine markets: 1 rows repeat a key (m)",
    )


def test_condition_ids_make_markets_of_the_venue(lake: Lake, folder: Path, import_: Import) -> None:
    markets = f"m,ends,won\n{CONDITIONS[1].upper().replace('0X', '0x')},2026-04-02T12:00:00Z,1\n"
    import_(
        dataset(folder, markets, f"m,t,p\n{CONDITIONS[1]},{TEN},0.5\n", ids="condition", venue="polymarket")
    )
    assert only(lake, "history_markets")["condition_id"] == CONDITIONS[1]
    assert only(lake, "history_prices")["market_id"] == f"pm:{CONDITIONS[1]}"


@pytest.mark.parametrize("best_first", [True, False])
def test_levels_of_lists_lie_best_first_or_are_sorted(
    lake: Lake, folder: Path, import_: Import, best_first: bool
) -> None:
    levels = [{"price": 0.4, "size": 1.0}, {"price": 0.41, "size": 2.0}]
    write(folder / "books.parquet", [{"m": "1", "t": TEN, "b": levels, "a": [{"price": 0.5, "size": 1.0}]}])
    books = {
        "files": "books.parquet",
        "columns": {"id": "m", "time": "t", "bids": "b", "asks": "a"},
        "time": "s",
        "best_first": best_first,
    }
    path = dataset(folder, books=books, prices=None)
    if best_first:
        assert reasons(import_, path) == (
            "mine books: 1 levels of b lie behind a worse one: the highest price comes first, or the mapping says best_first: false",
        )
        return
    import_(path)
    assert [level["price_e6"] for level in only(lake, "history_books")["bids"]] == [410_000, 400_000]
    assert only(lake, "history_prices")["bid_e6"] == 410_000


POINTS = [f"{n},{TEN + n},0.{n + 2}" for n in range(4)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rows": "m,t\n1,1\n"}, ["mine prices: the columns p are missing"]),
        ({"rows": "m,t,p\n" + "\n".join([*POINTS, f"1,{TEN * 1000},0.5"])},
         [f"mine prices: 1 values of t are not seconds since 1970 (such as {TEN * 1000}); the others are: the column mixes units"]),
        ({"rows": f"m,t,p\n1,{TEN},41\n"}, ["mine prices: 1 values of p lie outside 0 … 1: prices are dollars a share, not cents (such as 41)"]),
        ({"prices": prices(unit="cents")}, ["mine prices: the values of p never exceed 1: these are dollars, not cents"]),
        ({"rows": "m,t,p\n" + "\n".join([*POINTS, POINTS[0]])}, ["mine prices: 1 rows repeat a key (m, t)"]),
        ({"rows": f"m,t,p\n1,{TEN},\n"}, ["mine prices: p should be a price and is VARCHAR"]),
        ({"games": "m,ends,won\n1,soon,1\n"}, ["mine markets: 1 values of ends are no instants from 2000 to 2100 (such as soon)"]),
        ({"games": "m,ends,won\n1,2026-04-02T12:00:00Z,2\n"}, ["mine markets: 1 values of won are neither true nor false (such as 2)"]),
        ({"rows": "m,t,p\n" + "\n".join(f"{n},{TEN + k},{n % 2}" for n in range(4) for k in range(3))},
         ["mine prices: 12 of 12 prices equal the outcome of their market: an outcome is no price"]),
        ({"rows": "m,t,p\n" + "\n".join(f"{n},{TEN + k},{n % 2 if k == 2 else 0.5}" for n in range(4) for k in range(3))},
         ["mine prices: in 4 of 4 markets the last price before the close equals the outcome: settlements stand among the prices, or the close is too late"]),
        ({"rows": "m,t,p\n" + "\n".join(f"{n},{TEN + 90_000},0.4" for n in range(4))},
         ["mine prices: 4 of 4 prices lie at or after the close of their market: the close is not what it says, or the times are not"]),
        ({"rows": "m,t,p\n" + "\n".join(f"{n},{TEN + k},{1 - n % 2}" for n in range(4) for k in range(3))},
         ["mine prices: 12 of 12 before the close are exactly 0 or 1: outcomes stand among them"]),
        ({"rows": "m,t,p\n" + "\n".join(f"{n},{TEN + k},{n % 2 if n < 2 else 0.4}" for n in range(4) for k in range(3))},
         ["mine prices: 6 of 12 before the close are exactly 0 or 1: outcomes stand among them"]),
        ({"rows": "m,t,p,b\n" + "\n".join(f"{n},{TEN + k},0.4,{n % 2}" for n in range(4) for k in range(3)), "prices": prices(columns={"id": "m", "time": "t", "price": "p", "bid": "b"})},
         ["mine prices: 12 of 12 before the close are exactly 0 or 1: outcomes stand among them"]),
        ({"rows": "m,t,p,k\n" + "\n".join(f"{n},{TEN + n},0.4,{TEN + n - 60}" for n in range(4)), "prices": prices(columns={"id": "m", "time": "t", "price": "p", "known": "k"})},
         ["mine prices: 4 rows have k before t: nothing is known before it is there"]),
        ({"venue": "polymarket_us", "ids": "condition"}, ["mine.yaml: ids: condition ids are the venue polymarket's, and venue is polymarket_us"]),
    ],
)  # fmt: skip
def test_bad_data_is_refused_with_the_reason_and_the_lake_is_untouched(
    lake: Lake, folder: Path, import_: Import, changed: dict[str, Any], said: list[str]
) -> None:
    assert list(reasons(import_, dataset(folder, **changed))) == said
    assert not Path(lake.root).exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"source": "My Data"}, ["source should be a word of lower-case letters, digits and _, and is 'My Data'"]),
        ({"venue": "kalshi"}, ["venue: input should be 'polymarket', 'polymarket_us' or 'import', and it is 'kalshi'"]),
        ({"source": "us"}, ["source: us is taken, name it differently"]),
        ({"source": "polymarket"}, ["source: polymarket is taken, name it differently"]),
        ({"market": {}, "venue": "x"}, ["venue: input should be 'polymarket', 'polymarket_us' or 'import', and it is 'x'",
                                        "market is not known here: see docs/import.md for what there is"]),
        ({"prices": {"files": "prices.csv", "columns": {"id": "m", "price": "p"}}}, ["prices.columns.time is missing"]),
        ({"prices": prices(time="minutes")}, ["prices.time: input should be 's', 'ms', 'us' or 'iso', and it is 'minutes'"]),
        ({"prices": prices(files="no.csv")}, ["prices.files: there is no no.csv beside it"]),
        ({"prices": prices(columns={"id": "m", "time": "t"})}, ["prices.columns: price is missing, or bid and ask are"]),
        ({"prices": prices(columns={"id": "m", "time": "t", "price": "won"})},
         ["prices.columns.price: won is the outcome of the market; an outcome is no price"]),
        ({"prices": None, "books": {"files": "prices.csv", "columns": {"id": "m", "time": "t", "bids": "b"}}},
         ["books.columns: give bids and asks, or bid_price, bid_size, ask_price and ask_size"]),
    ],
)  # fmt: skip
def test_every_mistake_of_a_mapping_is_a_sentence(
    lake: Lake, folder: Path, import_: Import, changed: dict[str, Any], said: list[str]
) -> None:
    assert [
        reason.removeprefix("mine.yaml: ") for reason in reasons(import_, dataset(folder, **changed))
    ] == said
    assert not Path(lake.root).exists()


@pytest.mark.parametrize(("text", "said"), [("a: [", "mine.yaml is no YAML"), ("- 1", "it: input should be")])
def test_a_file_that_is_no_mapping_is_refused(folder: Path, import_: Import, text: str, said: str) -> None:
    path = dataset(folder)
    path.write_text(text)
    assert said in reasons(import_, path)[0]


def test_a_mapping_in_a_folder_is_found_beside_known_forms(folder: Path, import_: Import) -> None:
    dataset(folder)
    report = import_(folder)
    assert [(imported.source, imported.filed["history_prices"].rows) for imported in report.datasets] == [
        ("mine", 4)
    ]
