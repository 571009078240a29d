"""The console in a real browser: pages come, refresh without a reload, sort, filter, page, ask and download."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from console.pages import PAGES
from polymarket_assets.lake.writing import Lake
from polymarket_assets_tests.console.browsing import (
    WITHIN_MS,
    Told,
    ask_in_sql,
    downloaded,
    either_screen,
    filter_by,
    fits,
    needs_chromium,
    opened,
    sorted_by,
)
from polymarket_assets_tests.console.lakes import trades
from polymarket_assets_tests.console.markets_lake import book, prediction, rain
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.hostile import MARKUP
from polymarket_assets_tests.report import rows
from polymarket_assets_tests.report.rows import HOUR, MINUTE, NOON, SECOND

MARKET, EVENT = "/market/pm%3Arain", "/event/77"
WHERE = {"market": MARKET, "event": EVENT, "table": "/table/trades", "row": "/row/trades"}
# One row of it is a page of its own, reached from the table.
PATHS = {page.name: WHERE.get(page.name, f"/{page.name}") for page in PAGES if page.name != "row"}

pytestmark = [pytest.mark.slow, needs_chromium]


@dataclass
class Clock:
    """The console's, moved by hand."""

    now: datetime = NOON + 10 * MINUTE

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A market in a set of two, and three hours of trades before it."""
    made = Lake(tmp_path_factory.mktemp("looked-at") / "lake")
    rain(made)
    book(made, NOON + 10 * MINUTE - SECOND)
    rows.file(
        made,
        "trades",
        [{**one, "traded_at": one["traded_at"] - 5 * HOUR} for one in trades()],
        "traded_at",
        part="before",
    )
    rows.file(made, "predictions", [prediction("polymarket/2", NOON + 5 * MINUTE, 0.47)], "as_of")
    return made


@pytest.fixture(scope="module")
def console(lake: Lake, clock: Clock) -> Iterator[Console]:
    with served(settings_of(lake), clock=clock) as console:
        console.json("/api/markets")
        yield console


@pytest.fixture
def address(console: Console) -> str:
    return console.address


@either_screen
@pytest.mark.parametrize("path", [*PATHS.values(), "/api"], ids=[*PATHS, "api"])
def test_every_page_comes_whole_and_fits_the_screen(told: Told, path: str) -> None:
    page = opened(told, path)
    expect(page.locator("h1")).not_to_be_empty()
    assert fits(page)


def test_the_navigation_leads_to_every_listed_page(told: Told) -> None:
    page = opened(told, "/")
    names = page.locator("nav a").all_inner_texts()
    assert names == [one.title for one in PAGES if one.listed]
    for name in names:
        page.locator("nav a", has_text=name).first.click()
        expect(page.locator("nav a[aria-current]")).to_have_text(name)


def test_the_word_of_the_venue_is_text(told: Told) -> None:
    page = opened(told, MARKET)
    expect(page.locator("main")).to_contain_text(MARKUP)
    assert page.locator("main img, main iframe").count() == 0


def test_charts_are_drawn_though_no_code_may_be_evaluated(told: Told) -> None:
    page = opened(told, MARKET)
    expect(page.locator("#chart-price svg path").first).to_be_attached()
    assert page.locator("#chart-price svg").evaluate("it => it.getBoundingClientRect().width") > 600


def test_an_instant_tells_the_readers_own_time(told: Told) -> None:
    page = opened(told, "/table/trades")
    instant = page.locator("#rows tbody time").first
    expect(instant).to_have_text("2026-03-02 12:09:00")
    expect(instant).to_have_attribute("title", re.compile(r"Mar 2, 2026, 7:09:00\sAM EST"))


def test_a_market_s_book_changes_without_a_reload_and_its_charts_stay(told: Told, lake: Lake, clock: Clock) -> None:  # fmt: skip
    page = opened(told, MARKET)
    expect(page.locator("#book")).not_to_contain_text("old")
    expect(page.locator("#chart-price svg")).to_be_visible()
    page.evaluate("document.querySelector('#chart-price svg').dataset.same = 'yes'")
    clock.now += 5 * MINUTE
    expect(page.locator("#book")).to_contain_text("minutes old", timeout=WITHIN_MS)
    book(lake, clock.now - SECOND, part="later")
    expect(page.locator("#book")).not_to_contain_text("old", timeout=WITHIN_MS)
    assert page.locator("#chart-price svg").get_attribute("data-same") == "yes", "a chart of the same data is not drawn again"  # fmt: skip


def test_rows_are_sorted_by_a_click_on_their_column_and_paged(told: Told) -> None:
    page = opened(told, "/table/trades")
    prices = sorted_by(page, "price_e6")
    assert prices == sorted(prices, reverse=True)
    assert len(prices) > 1


def test_rows_are_filtered_by_a_form_whose_address_can_be_sent(told: Told) -> None:
    page = opened(told, "/table/trades")
    filter_by(page, "price_e6", ">", "405000")
    expect(page.locator("#rows tbody tr")).to_have_count(4)
    assert "price_e6" in page.url
    again = opened(told, page.url)
    expect(again.locator("#rows tbody tr")).to_have_count(4)


def test_a_row_opens_with_every_column(told: Told) -> None:
    page = opened(told, "/table/trades")
    page.locator("#rows tbody a", has_text="open").first.click()
    expect(page.locator("main")).to_contain_text("tx_hash")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_shown_can_be_downloaded(told: Told, kind: str, tmp_path: Path) -> None:
    page = opened(told, "/table/trades")
    assert downloaded(page, kind, tmp_path).startswith(b"PAR1" if kind == "parquet" else b'"trade_id"')


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("select count(*) as n, max(price_e6) from trades", "409,000"),
        ("copy trades to '/tmp/x.csv'", "one SELECT"),
        ("select * from read_text('/etc/passwd')", "cannot stand after FROM"),
    ],
)
def test_sql_is_answered_beside_its_box_or_refused_there(told: Told, sql: str, answer: str) -> None:
    page = opened(told, "/lake")
    ask_in_sql(page, sql)
    expect(page.locator("main")).to_contain_text(answer)
