"""Rows of a table: the newest first, from as few files as they are in, and every value whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from console.database import footers
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.conftest import either_store
from polymarket_assets_tests.console.lakes import HOURS, OF_AN_HOUR, TRADES, filled, traded_at
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.report.rows import HOUR, MINUTE, NOON, file, trade

ROWS = "/api/database/tables"


@pytest.fixture
def console(lake: Lake) -> Iterator[Console]:
    with served(settings_of(filled(lake))) as console:
        yield console


def at(row: dict[str, Any]) -> str:
    return str(row["traded_at"])


def followed(console: Console, **asked: Any) -> Iterator[dict[str, Any]]:
    """Rows of a page and of all that follow it."""
    for _ in range(TRADES + HOURS + 1):
        found = console.json(f"{ROWS}/trades", **asked)
        yield from found["rows"]
        if found["next"] is None:
            return
        asked |= found["next"]


@either_store
def test_rows_are_the_same_wherever_the_lake_lies(lake: Lake) -> None:
    with served(settings_of(filled(lake))) as console:
        assert len({row["trade_id"] for row in followed(console, limit=8)}) == TRADES


def test_the_newest_rows_come_first_and_of_one_file(console: Console) -> None:
    """Ten million rows would be read for a page of a hundred otherwise."""
    found = console.json(f"{ROWS}/trades", limit=5)
    assert [at(row) for row in found["rows"]] == [
        f"{traded_at(2, n):%Y-%m-%dT%H:%M:%S.%fZ}" for n in (9, 8, 7, 6, 5)
    ]
    assert found["files"] == 1
    assert found["looked"] == {"start": "2026-03-02T14:00:00Z", "end": "2026-03-02T15:00:00Z"}


@pytest.mark.parametrize("limit", [3, 10, 30])
@pytest.mark.parametrize("given", [{}, {"where": "price_e6:>=:0"}, {"descending": "false"}, {"sort": "price_e6"}, {"sort": "price_e6", "from": "2026-03-02T00:00:00Z"}])  # fmt: skip
def test_following_next_meets_every_row_once(console: Console, limit: int, given: dict[str, str]) -> None:
    rows = list(followed(console, limit=limit, **given))
    assert len({row["trade_id"] for row in rows}) == len(rows) == TRADES
    if "sort" not in given:
        assert [at(row) for row in rows] == sorted(map(at, rows), reverse=given.get("descending") != "false")


def test_rows_that_come_in_meanwhile_do_not_move_the_next_page(console: Console, lake: Lake) -> None:
    """Counted from the newest row, a page of an open hour would show again what the one before showed."""
    first = console.json(f"{ROWS}/trades", limit=5)
    file(lake, "trades", [trade("a", traded_at(2, 9) + MINUTE, 1, n=999)], "traded_at", part="late")
    second = console.json(f"{ROWS}/trades", limit=5, **first["next"])
    assert {row["trade_id"] for row in first["rows"]} & {row["trade_id"] for row in second["rows"]} == set()
    assert at(second["rows"][0]) < at(first["rows"][-1])


def test_rows_of_one_instant_are_parted_between_pages(lake: Lake) -> None:
    """A slot has thousands of rows of one instant: a bound in time alone would leave some out, or show them for ever."""
    file(lake, "trades", [trade("a", NOON, 1, n=n) for n in range(7)], "traded_at")
    seen, asked = [], {"limit": 3}
    with served(settings_of(lake)) as console:
        while asked:
            found = console.json(f"{ROWS}/trades", **asked)
            seen += [row["trade_id"] for row in found["rows"]]
            asked = found["next"] and {**asked, **found["next"]}
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    ("where", "count"),
    [
        (["market_id:=:pm:a"], 15), (["market_id:!=:pm:a"], 15), (["price_e6:>:180000"], 3), (["price_e6:>=:180000", "market_id:=:pm:a"], 3),
        (["price_e6:<:110000"], 3), (["price_e6:<=:110000"], 6), (["source:contains:SCRIPT"], 27), (["is_buy:=:true"], 30), (["is_buy:=:false"], 0),
        (["tx_hash:is_null"], 30), (["tx_hash:not_null"], 0), (["traded_at:>=:2026-03-02T14:30:00Z"], 5), (["traded_at:<:2026-03-02 12:06"], 1),
        (["trade_id:=:" + (105).to_bytes(16, "big").hex()], 1), (["source:=:x' or 1=1 --"], 0), (["size_e6:=:10000000"], 30),
    ],
)  # fmt: skip
def test_conditions_are_typed_by_their_columns(console: Console, where: list[str], count: int) -> None:
    assert (
        len(
            console.json(f"{ROWS}/trades", where=where, limit=100, **{"from": "2026-03-02T00:00:00Z"})["rows"]
        )
        == count
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"where": "nix:=:1"}, "no column 'nix'"), ({"where": "price_e6:~:1"}, "column:op:value"), ({"where": "price_e6:=:cheap"}, "whole numbers"),
        ({"where": "price_e6:=:99999999999"}, "whole numbers"), ({"where": "traded_at:>:soon"}, "instants such as"), ({"where": "price_e6:="}, "names no value"),
        ({"where": "price_e6:contains:1"}, "holds no text"), ({"where": "trade_id:=:xyz"}, "hexadecimal"), ({"from": "yesterday"}, "from is an instant"),
        ({"from": "2026-03-02T14:00", "to": "2026-03-02T13:00"}, "no time lies"), ({"sort": 'a"; drop'}, "no column"), ({"where": ["price_e6:=:1"] * 21}, ""),
        ({"limit": 501}, ""), ({"offset": -1}, ""), ({"limit": "x"}, ""), ({"to": "9999-12-31T23:59:59Z"}, "years"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_says_why(
    console: Console, given: dict[str, Any], said: str
) -> None:
    assert said in str(console.json(f"{ROWS}/trades", 422, **given)["detail"])


def test_a_table_that_is_not_there_is_not_found(console: Console) -> None:
    assert "tables are markets" in console.json(f"{ROWS}/nix", 404)["detail"]


def test_a_table_filed_whole_has_no_span(console: Console) -> None:
    assert "not filed by time" in console.json(f"{ROWS}/training_set", 422, **{"from": "2026-03-02T00:00:00Z"})["detail"]  # fmt: skip


def test_a_table_without_files_has_no_rows(console: Console) -> None:
    found = console.json(f"{ROWS}/rejects")
    assert (found["rows"], found["next"]) == ([], None)


def test_sorted_by_another_column_one_hour_is_looked_at_and_said(console: Console) -> None:
    """Sorting a whole table for a page would read it whole; not saying so would call the hour's largest the table's."""
    found = console.json(f"{ROWS}/trades", sort="price_e6", limit=100)
    assert [row["price_e6"] for row in found["rows"]] == sorted((100_000 + 10_000 * n for n in range(OF_AN_HOUR)), reverse=True)  # fmt: skip
    assert found["looked"]["start"] == "2026-03-02T14:00:00Z"
    assert found["next"] == {"to": "2026-03-02T14:00:00Z", "offset": 0}


def test_a_span_is_exact(console: Console) -> None:
    found = console.json(f"{ROWS}/trades", **{"from": "2026-03-02T12:06:00Z", "to": "2026-03-02T13:06:00Z"})
    assert [at(found["rows"][n]) for n in (0, -1)] == [
        "2026-03-02T13:00:00.000000Z",
        "2026-03-02T12:06:00.000000Z",
    ]


def test_values_lose_nothing(console: Console) -> None:
    """JavaScript rounds whole numbers beyond 2**53, and a book's levels are lists of structs."""
    (row,) = console.json(f"{ROWS}/orderbooks")["rows"]
    assert row["bids"] == [{"price_e6": 400_000, "size_e6": str(2**60)}]
    assert row["asks"] == []
    assert row["slot_at"] == "2026-03-02T12:00:01.000000Z"
    assert console.json(f"{ROWS}/trades")["rows"][0]["trade_id"] == (209).to_bytes(16, "big").hex()


def test_an_open_hour_counts_at_once(console: Console, lake: Lake) -> None:
    console.json(f"{ROWS}/trades")
    file(lake, "trades", [trade("new", NOON + 5 * HOUR, 1, n=7_000)], "traded_at")
    assert console.json(f"{ROWS}/trades", limit=1)["rows"][0]["market_id"] == "pm:new"


def test_a_part_that_is_published_again_is_read_again(console: Console, lake: Lake) -> None:
    """What a footer said is remembered by file, and a part may be replaced under its name."""
    console.json(f"{ROWS}/trades", limit=1)
    file(lake, "trades", [trade("again", traded_at(2, 9), 5, n=n) for n in range(25)], "traded_at")
    assert {row["market_id"] for row in console.json(f"{ROWS}/trades", limit=5)["rows"]} == {"pm:again"}


def test_a_damaged_file_is_told_and_other_tables_are_none_the_worse(console: Console, lake: Lake) -> None:
    (path,) = lake.store.list("orderbooks")
    lake.store.write_bytes(path, b"PAR1 no more")
    answer = console.ask(f"{ROWS}/orderbooks")
    assert answer.status_code in (422, 503)
    assert "could not be read" in answer.json()["detail"]
    assert len(console.json(f"{ROWS}/trades")["rows"]) > 0


def test_footers_are_read_once(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lake of 20,000 files would be opened for every look otherwise."""
    console.json("/api/database/tables")
    before = footers._footer.cache_info().misses
    console.json(f"{ROWS}/trades")
    console.json(f"{ROWS}/trades", limit=30)
    assert footers._footer.cache_info().misses == before


def test_without_a_lake_every_answer_says_what_to_set() -> None:
    with served(settings_of(None)) as console:
        for path in ("/api/database/tables", f"{ROWS}/trades", f"{ROWS}/trades/download"):
            answer = console.ask(path)
            assert answer.status_code in (422, 503)
            assert "LAKE_ROOT" in answer.json()["detail"]
