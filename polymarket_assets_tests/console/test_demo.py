"""The console of a demo that is running, in a real browser: `make drill-console` says where it is (`CONSOLE_AT`).

What is in the lake is not known here, so what is shown is held against what the API says of it.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import expect

from console.pages import PAGES
from polymarket_assets_tests.console.browsing import (
    WITHIN_MS,
    Told,
    ask_in_sql,
    column,
    downloaded,
    either_screen,
    figures,
    filter_by,
    fits,
    needs_chromium,
    opened,
    sorted_by,
)

AT = os.environ.get("CONSOLE_AT", "")
# Where pictures of every page are kept, to be looked at.
PICTURES = os.environ.get("CONSOLE_PICTURES", "")
# A slot of the nearest tier, and what a busy machine adds.
_SLOT_MS = 90_000
_WITHIN_S, _LOOK_S = 20.0, 0.3

pytestmark = [
    pytest.mark.slow,
    needs_chromium,
    pytest.mark.skipif(not AT, reason="no demo is running: make drill-console"),
]


def asked(path: str, **given: Any) -> Any:
    """What the API says, once it was looked at."""
    until = time.monotonic() + _WITHIN_S
    while (answer := requests.get(f"{AT}{path}", params=given, timeout=_WITHIN_S)).status_code == 503:
        assert time.monotonic() < until, answer.text
        time.sleep(_LOOK_S)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    """The markets that are known, the largest first."""
    found: list[dict[str, Any]] = asked("/api/markets", limit=1_000)["markets"]
    return found


@pytest.fixture(scope="module")
def market(lines: list[dict[str, Any]]) -> str:
    """A market of the nearest tier that has a book, which changes in front of us, and not the one that ends first."""
    near = [one for one in lines if one["tier"] == "t4" and one["phase"] in ("scheduled", "live") and one["ends_at"]]  # fmt: skip
    ordered = [str(one["market_id"]) for one in sorted(near, key=lambda one: one["ends_at"], reverse=True)]
    return next(one for one in ordered if requests.get(f"{AT}/api/markets/{quote(one, safe='')}/book", timeout=_WITHIN_S).ok)  # fmt: skip


@pytest.fixture(scope="module")
def event(lines: list[dict[str, Any]]) -> str:
    """The one of most markets."""
    ((event_id, _),) = Counter(one["event_id"] for one in lines if one["event_id"]).most_common(1)
    return str(event_id)


@pytest.fixture(scope="module")
def paths(market: str, event: str) -> dict[str, str]:
    """An address of each page; what is about something names it."""
    of = {"market": market, "event": event, "table": "snapshots"}
    named = {page.name: f"/{page.name}/{quote(of[page.of], safe='')}" if page.of in of else f"/{page.name}" for page in PAGES}  # fmt: skip
    lists = {f"{page.name} list": f"/{page.name}" for page in PAGES if page.lists}
    return {**named, **lists, "api": "/api"}


@pytest.fixture
def address() -> str:
    return AT


def test_a_market_changes_in_front_of_the_reader(told: Told, market: str) -> None:
    """The ladder and the trades come again by themselves; a chart that has new data is drawn anew, and nothing is loaded anew."""
    page = opened(told, f"/market/{quote(market, safe='')}")
    page.evaluate("window.same = true")
    first = page.locator("#book time").first.get_attribute("datetime")
    before = asked(f"/api/markets/{quote(market, safe='')}/book")["slot_at"]
    page.wait_for_function("first => document.querySelector('#book time').getAttribute('datetime') !== first", arg=first, timeout=_SLOT_MS)  # fmt: skip
    after = asked(f"/api/markets/{quote(market, safe='')}/book")
    assert after["slot_at"] >= before
    expect(page.locator("#book tbody tr").first).to_be_visible()
    assert page.evaluate("window.same"), "the page was loaded anew"


@either_screen
@pytest.mark.parametrize("name", [*(page.name for page in PAGES if page.name != "row"), *(f"{page.name} list" for page in PAGES if page.lists), "api"])  # fmt: skip
def test_every_page_is_whole(told: Told, paths: dict[str, str], name: str, request: pytest.FixtureRequest) -> None:  # fmt: skip
    page = opened(told, paths[name])
    expect(page.locator("[data-soon]")).to_have_count(0, timeout=WITHIN_MS)
    expect(page.locator("h1")).not_to_be_empty()
    assert page.locator("main [role=alert]").all_inner_texts() == []
    assert fits(page)
    if PICTURES:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(PICTURES) / f"{name.replace(' ', '-')}-{request.node.callspec.id.split('-')[-1]}.png", full_page=True)  # fmt: skip


def test_rows_are_sorted_by_a_click_filtered_by_a_form_and_opened(told: Told) -> None:
    page = opened(told, "/table/trades")
    prices = sorted_by(page, "price_e6")
    assert len(prices) > 1
    assert prices == sorted(prices, reverse=True)
    page = opened(told, "/table/trades")
    filter_by(page, "price_e6", ">", str(prices[-1]))
    page.wait_for_url(re.compile("price_e6"))
    expect(page.locator("#rows tbody tr").first).to_be_visible()
    shown = figures(page, "price_e6")
    assert shown
    assert min(shown) > prices[-1]
    page.locator("#rows tbody a", has_text="open").first.click()
    expect(page.locator("main")).to_contain_text("tx_hash")


def test_rows_are_paged(told: Told) -> None:
    page = opened(told, "/table/snapshots")
    first = column(page, "rows", "slot_at")
    page.locator("#rows a", has_text="next").click()
    expect(page.locator("section[aria-busy]")).to_have_count(0)
    following = column(page, "rows", "slot_at")
    assert following
    assert max(following) <= min(first), "the newest come first, and older ones after them"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_shown_can_be_downloaded(told: Told, kind: str, tmp_path: Path) -> None:
    page = opened(told, "/table/trades")
    assert downloaded(page, kind, tmp_path).startswith(b"PAR1" if kind == "parquet" else b'"trade_id"')


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("select 'there are ' || (count(*) > 0)::varchar as n from trades", "there are true"),
        ("attach '/tmp/x.db'", "one SELECT"),
        ("select * from read_csv('/etc/passwd')", "cannot stand after FROM"),
    ],
)
def test_sql_is_answered_beside_its_box_or_refused_there(told: Told, sql: str, answer: str) -> None:
    page = opened(told, "/lake")
    ask_in_sql(page, sql)
    expect(page.locator("main")).to_contain_text(answer)


def test_what_is_trained_is_shown_with_its_run(told: Told) -> None:
    """Links lead to MLflow and Dagster, and the figures are those of the version that speaks."""
    version = asked("/api/models")["versions"][0]
    page = opened(told, "/models")
    expect(page.locator("#versions")).to_contain_text(str(version["version"]))
    addresses = page.locator("main a[href^=http]").evaluate_all("links => links.map(link => link.href)")
    assert any("/#/experiments/" in address or "/#/models/" in address for address in addresses)
