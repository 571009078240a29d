"""The Lake page and a table's: what they show, where their links lead, and that text of the venue stays text."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from console.database import sql_box
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.console.lakes import SCRIPT, filled
from polymarket_assets_tests.console.served import Console, served, settings_of


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with served(settings_of(filled(Lake(tmp_path_factory.mktemp("pages") / "lake")))) as console:
        yield console


def links(text: str, name: str = "") -> list[str]:
    """Where the links of a text lead that say `name` (empty: all)."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', text)
    return [html.unescape(href) for href, said in found if name in said]


def followed(console: Console, href: str, part: str) -> str:
    """A part of the page that a link leads to, as a browser asks for it."""
    at = urlsplit(href)
    _, page, *of = at.path.split("/")
    given = {key: values[0] for key, values in parse_qs(at.query).items()}
    return console.part(page, part, **given, **({"of": of[0]} if of else {}))


def test_the_lake_lists_every_table_with_its_size(console: Console) -> None:
    text = console.part("lake", "tables")
    assert links(text, "trades")[0] == "/table/trades"
    assert "tables with rows" in text


def test_an_empty_lake_says_what_to_do(tmp_path: Path) -> None:
    with served(settings_of(tmp_path / "nowhere")) as console:
        assert "make up" in console.part("lake", "tables")
        assert "no rows yet" in console.part("table", "rows", of="trades")


def test_without_a_lake_each_part_says_so_and_the_page_stands() -> None:
    with served(settings_of(None)) as console:
        assert "SQL" in console.page("/lake")
        assert "LAKE_ROOT" in console.part("lake", "tables")
        assert "LAKE_ROOT" in console.part("table", "rows", of="trades")
        assert "what it holds" in console.part("table", "columns", of="trades")


def test_text_of_rows_is_text(console: Console) -> None:
    """A market may be called `<script>`."""
    text = console.part("table", "rows", of="trades")
    assert html.escape(SCRIPT, quote=False) in text
    assert SCRIPT not in text


def test_a_heading_sorts_and_sorts_the_other_way_round(console: Console) -> None:
    first = console.part("table", "rows", of="trades")
    (by_price,) = links(first, "price_e6")
    sorted_ = followed(console, by_price, "rows")
    assert "price_e6 ↓" in sorted_
    assert sorted_.index("190,000") < sorted_.index("100,000")
    back = followed(console, links(sorted_, "price_e6")[0], "rows")
    assert back.index("100,000") < back.index("190,000")


def test_pages_are_turned_on_and_back(console: Console) -> None:
    first = console.part("table", "rows", of="trades", limit="8")
    second = followed(console, links(first, "next")[0], "rows")
    third = followed(console, links(second, "next")[0], "rows")
    instants = [re.findall(r"<time[^>]*>([^<]*)</time>", text)[1:] for text in (first, second, third)]
    assert instants[0][-1] > instants[1][0]
    assert instants[1][-1] > instants[2][0]
    again = followed(console, links(third, "previous")[0], "rows")
    assert re.findall(r"<time[^>]*>([^<]*)</time>", again)[1:] == instants[1]


def test_a_condition_is_added_by_the_form_and_taken_away_by_its_cross(console: Console) -> None:
    given = {"of": "trades", "where": "price_e6:>:120000", "column": "market_id", "op": "=", "value": "pm:a"}
    form = console.part("table", "filter", **given)
    assert links(form, "×") == ["/table/trades?where=market_id%3A%3D%3Apm%3Aa", "/table/trades?where=price_e6%3A%3E%3A120000"]  # fmt: skip
    rows = console.part("table", "rows", **given)
    assert "pm:a" in rows
    assert "pm:b" not in rows


def test_a_row_opens_whole_with_units_and_meaning(console: Console) -> None:
    opened = followed(console, links(console.part("table", "rows", of="trades"), "open")[0], "row")
    assert (209).to_bytes(16, "big").hex() in opened
    assert "millionths of a dollar" in opened
    assert "/market/pm%3Ab" in opened


def test_every_table_with_rows_opens_its_rows_and_each_of_them(console: Console) -> None:
    for name in ("trades", "snapshots", "markets", "orderbooks"):
        for href in links(console.part("table", "rows", of=name), "open")[:3]:
            text = followed(console, href, "row")
            assert "received_at · instant" in text, (name, text)
            assert "Several rows" not in text


def test_downloads_take_the_conditions_along(console: Console) -> None:
    text = console.part("table", "rows", of="trades", where="market_id:=:pm:a\nprice_e6:<:130000")
    answer = console.ask(links(text, "CSV")[0])
    assert answer.text.count("\n") == 1 + 6


def test_a_bad_address_is_told_in_its_place(console: Console) -> None:
    assert "whole number" in console.part("table", "rows", of="trades", limit="many")
    assert "no column" in html.unescape(console.part("table", "rows", of="trades", sort="nix"))
    assert "there is no table" in console.part("table", "rows", of="nix")
    assert 'role="alert"' not in console.part("lake", "tables")


def test_a_table_leads_to_its_asset_in_dagster(console: Console) -> None:
    assert links(console.part("table", "about", of="trade_hours"), "asset") == [
        "http://127.0.0.1:3000/assets/trades"
    ]


def test_sql_in_the_address_is_answered_and_kept_in_the_box(console: Console) -> None:
    sql = "select count(*) as n, '<b>' as tag from trades where price_e6 > 100000"
    text = console.part("lake", "sql", sql=sql)
    assert html.escape(sql).replace("&#x27;", "&#39;") in text
    assert ">27<" in text
    assert "&lt;b&gt;" in text


def test_a_query_that_fails_says_so_and_stays_in_the_box(console: Console) -> None:
    text = console.part("lake", "sql", sql="selec 1")
    assert "line 1, column 1" in text
    assert "selec 1</textarea>" in text


@pytest.mark.parametrize("name", sql_box.EXAMPLES)
def test_every_example_is_a_query_that_works(console: Console, name: str) -> None:
    text = console.part("lake", "sql", sql=sql_box.EXAMPLES[name])
    assert 'role="alert"' not in text, text
