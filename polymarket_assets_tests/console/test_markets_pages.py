"""The pages of a market and an event: every part shows what there is, or says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NoReturn

import pytest

from console.blocks import Chart
from console.markets import drawing, event_parts, lists, market_parts
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import charts, market
from polymarket_assets_tests.console.markets_lake import after, book, prediction, rain
from polymarket_assets_tests.console.served import Console, served, settings_of
from polymarket_assets_tests.report import rows
from polymarket_assets_tests.report.rows import HOUR, MINUTE, NOON, SECOND

TEN_MINUTES = after(timedelta(minutes=10))
FAILED = 'role="alert"'


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """One for all that only read it."""
    lake = Lake(tmp_path_factory.mktemp("rain") / "lake")
    rain(lake)
    book(lake, NOON + 10 * MINUTE - SECOND)
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        console.json("/api/markets")
        yield console


@pytest.mark.parametrize("part", [part.name for part in market_parts.PARTS])
def test_every_part_of_a_market_is_made_and_its_words_are_text(console: Console, part: str) -> None:
    """Questions are the venue's: `<script>` in one is eight characters to read."""
    html = console.part("market", part, of="pm:rain")
    assert FAILED not in html
    assert "<script>alert" not in html
    assert "<img src=x" not in html


@pytest.mark.parametrize("part", [part.name for part in event_parts.PARTS])
def test_every_part_of_an_event_is_made_and_its_words_are_text(console: Console, part: str) -> None:
    html = console.part("event", part, of="77")
    assert FAILED not in html
    assert "<script>alert" not in html


@pytest.mark.parametrize("part", [part.name for part in lists.MARKETS])
def test_every_list_is_made_and_its_words_are_text(console: Console, part: str) -> None:
    html = console.part("market", part, search="rain")
    assert FAILED not in html
    assert "<script>alert" not in html
    assert "/market/pm%3Arain" in html


def test_the_charts_are_there(console: Console) -> None:
    for name in ("price", "spread", "depth", "volume"):
        assert f'data-chart="chart-{name}"' in console.part("market", name, of="pm:rain")


def test_the_head_leads_to_event_rows_and_assets(console: Console) -> None:
    head = console.part("market", "head", of="pm:rain")
    for address in ("/event/weather-today", "/table/trades?where=market_id%3A%3D%3Apm%3Arain", "/assets/snapshots/t"):  # fmt: skip
        assert address in head
    assert "<strong>0.450</strong>" in head


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(10, None), (13, "This book is 3 minutes old"), (26 * 60, "This book is 26 hours old")],
)
def test_a_book_older_than_a_minute_says_so(lake: Lake, minutes: int, said: str | None) -> None:
    rain(lake)
    book(lake, NOON + 10 * MINUTE - SECOND)
    with served(settings_of(lake), clock=after(minutes * MINUTE)) as console:
        html = console.part("market", "book", of="pm:rain")
    assert "0.44" in html
    assert ("This book is" in html) is (said is not None)
    assert said is None or said in html


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("book", "No book was sampled"),
        ("model", "No model spoke of it"),
        ("trades", "the asset <code>trades</code> brings an hour together"),
        ("volume", "No trades"),
        ("evidence", "No version in resolutions"),
    ],
)
def test_what_is_not_there_says_why(lake: Lake, part: str, said: str) -> None:
    rows.followed(lake)
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        html = console.part("market", part, of="pm:rain")
    assert said in html
    assert FAILED not in html


def test_evidence_of_an_end_is_shown_version_by_version(lake: Lake) -> None:
    rain(lake)
    evidence = '{"catalogue": {"seen_at": "2026-03-02T13:00:00Z", "winner": "Yes"}}'
    ends = [rows.resolution("pm:rain", NOON + HOUR, 1, evidence=evidence, payouts_e6=[1_000_000, 0])]
    rows.publish(lake, "resolutions", ends)
    with served(settings_of(lake), clock=after(2 * HOUR)) as console:
        html = console.part("market", "evidence", of="pm:rain")
        for said in ("final", "1 (Yes won)", "1 / 0", "Catalogue (Gamma)", "winner Yes"):
            assert said in html
        assert "final: Yes won" in console.part("market", "head", of="pm:rain")


def test_a_model_stands_beside_the_market_and_leads_to_its_version(lake: Lake) -> None:
    rain(lake)
    rows.file(lake, "predictions", [prediction("polymarket/3", NOON + 5 * MINUTE, 0.5)], "as_of")
    settings = settings_of(lake, mlflow_url="http://mlflow.example:5000")
    with served(settings, clock=TEN_MINUTES) as console:
        html = console.part("market", "model", of="pm:rain")
    assert "http://mlflow.example:5000/#/models/polymarket/versions/3" in html
    assert 'data-chart="chart-predicted"' in html


@pytest.mark.parametrize(("span", "quotes"), [("1h", 40), ("nonsense", 40), ("all", 40)])
def test_the_address_chooses_how_far_back(console: Console, span: str, quotes: int) -> None:
    assert f"Quotes of snapshots: {quotes}" in console.part("market", "price", of="pm:rain", span=span)


def test_a_page_without_a_name_has_lists_and_one_with_a_name_has_parts(console: Console) -> None:
    assert "/parts/market/traded" in console.page("/market")
    assert "/parts/market/price" not in console.page("/market")
    named = console.page("/market/pm:rain?span=6h")
    assert "/parts/market/price?span=6h&amp;of=pm%3Arain" in named
    assert "/parts/market/traded" not in named


def test_one_table_that_is_damaged_leaves_the_rest(lake: Lake) -> None:
    rain(lake)
    book(lake, NOON + 10 * MINUTE - SECOND)
    lake.store.write_bytes("predictions/date=2026-03-02/hour=12/part-0.parquet", b"no parquet")
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        assert FAILED in console.part("market", "model", of="pm:rain")
        assert FAILED not in console.part("market", "price", of="pm:rain")
        assert FAILED not in console.part("market", "book", of="pm:rain")


def _broken(*_: object) -> NoReturn:
    raise ZeroDivisionError


def _unread(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(market.PANELS, "spread", _broken)


def _undrawn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(charts, "spread", _broken)


def _unwritten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(drawing, "Chart", lambda name, *rest: _broken() if name == "spread" else Chart(name, *rest))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_unread, "the chart of spread could not be made"),
        (_undrawn, "the chart of spread could not be made"),
        (_unwritten, "Spread could not be made"),
    ],
)
def test_one_chart_that_cannot_be_made_leaves_the_rest(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None], said: str
) -> None:
    rain(lake)
    break_it(monkeypatch)
    with served(settings_of(lake), clock=TEN_MINUTES) as console:
        assert said in console.part("market", "spread", of="pm:rain")
        for name in ("price", "depth", "volume"):
            assert FAILED not in console.part("market", name, of="pm:rain")


def test_the_sum_of_a_set_says_what_it_means(console: Console) -> None:
    assert "About 1 where the set is whole" in console.part("event", "total", of="weather-today")
