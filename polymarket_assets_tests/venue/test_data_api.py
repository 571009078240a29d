"""The Data API in both generations: the second asked first, the first only where the second is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.venue import data_api
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.data_api import DataApi
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused, Unavailable
from polymarket_assets.venue.http import Service
from polymarket_assets.venue.limits import Limits
from polymarket_assets.venue.records import Page, Trade
from polymarket_assets_tests.venue.server import Asked, Server, Told, told
from polymarket_assets_tests.venue.test_parse import case

CONDITION = "0x" + "ab" * 32
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETIRED = told({"error": "gone"}, 410)


@pytest.fixture
def data(server: Server) -> Iterator[DataApi]:
    limits = Limits(1.0)
    service = Service("data", server.url, limits, Breaker("data"))
    opened = DataApi(service, Service("clob", server.url, limits, Breaker("clob")))
    yield opened
    opened.close()


def trade(n: int, **changed: Any) -> dict[str, Any]:
    """The trade of `n` seconds before now."""
    row = case("data/v2_trades_btc15m_page1_own.json")[0]
    at = int((NOW - timedelta(seconds=n)).timestamp())
    return {**row, "timestamp": at, "transaction_hash": f"0x{n:064x}", **changed}


def trade_v1(n: int) -> dict[str, Any]:
    row = case("data/v1_activity_trades_own.json")[0]
    at = int((NOW - timedelta(seconds=n)).timestamp())
    return {**row, "timestamp": at, "transactionHash": f"0x{n:064x}"}


def envelope(rows: Any, cursor: str | None = None) -> Told:
    return told({"data": rows, "pagination": {"limit": 100, "offset": 0, "has_more": cursor is not None, "next_cursor": cursor}})  # fmt: skip


def paged(rows: list[Any], per_page: int) -> Any:
    """Rows by cursor, as v2 gives them."""

    def answer(asked: Asked) -> Told:
        start = int(asked.one("cursor") or 0)
        following = str(start + per_page) if start + per_page < len(rows) else None
        return envelope(rows[start : start + per_page], following)

    return answer


def hashes(pages: list[Page]) -> list[int]:
    return [int(row.tx_hash, 16) for page in pages for row in page.rows if isinstance(row, Trade)]


# --- trades -----------------------------------------------------------------------------------------


def test_trades_are_walked_by_cursor(server: Server, data: DataApi) -> None:
    server.on("/v2/trades", paged([trade(n) for n in range(25)], 10))
    pages = list(data.trades(CONDITION, since=EPOCH))
    assert hashes(pages) == list(range(25))
    assert [asked.one("cursor") for asked in server.asked] == [None, "10", "20"]
    assert {asked.one("condition") for asked in server.asked} == {CONDITION}
    assert {asked.one("limit") for asked in server.asked} == {"1000"}
    assert data.generation == "v2"


def test_a_walk_ends_where_trades_are_old_enough(server: Server, data: DataApi) -> None:
    """A market of a million trades, healed for an hour, must not be read to its beginning."""
    server.on("/v2/trades", paged([trade(n) for n in range(1_000)], 10))
    pages = list(data.trades(CONDITION, since=NOW - timedelta(seconds=14)))
    assert hashes(pages) == list(range(15))
    assert pages[-1].next_cursor is None
    assert len(server.asked) == 2


@pytest.mark.parametrize("rows", [None, []])
def test_no_trades_are_an_answer(rows: Any, server: Server, data: DataApi) -> None:
    server.on("/v2/trades", envelope(rows))
    assert list(data.trades(CONDITION, since=EPOCH)) == [Page((), None)]


def test_an_unreadable_trade_is_named_and_spoils_nothing(server: Server, data: DataApi) -> None:
    server.on("/v2/trades", envelope([trade(1), trade(2, side="?"), trade(3)]))
    (page,) = data.trades(CONDITION, since=EPOCH)
    assert hashes([page]) == [1, 3]
    assert len(page.malformed) == 1


def test_trades_of_other_markets_are_found_out(server: Server, data: DataApi) -> None:
    """`market` instead of `condition` is answered with the trades of everyone."""
    server.on("/v2/trades", envelope([trade(1, condition_id=f"0x{9:064x}")]))
    with pytest.raises(MalformedPayload, match="not asked for"):
        list(data.trades(CONDITION, since=EPOCH))


def test_a_stuck_cursor_stops_the_walk(server: Server, data: DataApi) -> None:
    server.on("/v2/trades", envelope([trade(1)], "same"))
    with pytest.raises(MalformedPayload, match="cursor is stuck"):
        list(data.trades(CONDITION, since=EPOCH))
    assert [asked.one("cursor") for asked in server.asked] == [None, *["same"] * data_api.PAGE_ATTEMPTS]


STUCK = {"data": [], "pagination": {"has_more": True, "next_cursor": "10"}}
LOST = {"data": [], "pagination": {"has_more": True, "next_cursor": None}}


@pytest.mark.parametrize("spoilt", [[STUCK], [LOST], [STUCK, LOST]])
def test_a_page_that_leads_nowhere_is_asked_for_again(
    spoilt: list[dict[str, Any]], server: Server, data: DataApi
) -> None:
    """What came before it is not: of a list of ten pages one is soon spoilt."""
    answers = paged([trade(n) for n in range(25)], 10)
    left = list(spoilt)
    server.on("/v2/trades", lambda asked: told(left.pop()) if asked.one("cursor") == "10" and left else answers(asked))  # fmt: skip
    assert hashes(list(data.trades(CONDITION, since=EPOCH))) == list(range(25))
    assert [asked.one("cursor") for asked in server.asked] == [None, *["10"] * (len(spoilt) + 1), "20"]


def test_a_walk_is_bounded(server: Server, data: DataApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_api, "MOST_TRADE_PAGES", 2)
    server.on("/v2/trades", paged([trade(n) for n in range(100)], 10))
    with pytest.raises(Refused, match="did not end within 2 pages"):
        list(data.trades(CONDITION, since=EPOCH))


# --- generations ------------------------------------------------------------------------------------


def v1_trades(rows: list[dict[str, Any]]) -> Any:
    def answer(asked: Asked) -> Told:
        offset, limit = int(asked.one("offset") or 0), int(asked.one("limit") or 100)
        return told(rows[offset : offset + limit])

    return answer


@pytest.mark.parametrize("absent", [told({"error": "not found"}, 404), RETIRED, Told(404, b"<html>", "text/html")], ids=["404", "410", "page"])  # fmt: skip
def test_v1_stands_in_where_v2_is_not_there(absent: Told, server: Server, data: DataApi) -> None:
    server.on("/v2/trades", absent)
    server.on("/trades", v1_trades([trade_v1(n) for n in range(700)]))
    assert hashes(list(data.trades(CONDITION, since=EPOCH))) == list(range(700))
    assert server.counts() == {"/v2/trades": 1, "/trades": 2}
    assert [asked.one("offset") for asked in server.asked[1:]] == ["0", "500"]


def test_the_generation_is_remembered(server: Server, data: DataApi) -> None:
    server.on("/v2/trades", RETIRED)
    server.on("/trades", v1_trades([]))
    for _ in range(3):
        list(data.trades(CONDITION, since=EPOCH))
    assert server.counts() == {"/v2/trades": 1, "/trades": 3}
    assert data.generation == "v1"
    assert data.resolutions([CONDITION]) == []
    assert server.counts() == {"/v2/trades": 1, "/trades": 3}


def test_v2_once_heard_is_not_given_up_for_a_404(server: Server, data: DataApi) -> None:
    """A miss late in a day must not turn the rest of it into v1."""
    server.on("/v2/trades", [envelope([]), told({"error": "not found"}, 404)])
    list(data.trades(CONDITION, since=EPOCH))
    with pytest.raises(Gone):
        list(data.trades(CONDITION, since=EPOCH))
    assert data.generation == "v2"


def test_v2_saying_no_in_its_own_form_is_there(server: Server, data: DataApi) -> None:
    problem = {"error": "unknown token", "code": "not_found", "retryable": False, "trace_id": "t"}
    server.on("/v2/prices-history", told(problem, 404))
    with pytest.raises(Gone, match="unknown token"):
        data.prices_history("5", NOW - timedelta(hours=1), NOW, 60)
    assert server.counts() == {"/v2/prices-history": 1}


def test_neither_generation_is_told_with_what_to_do(server: Server, data: DataApi) -> None:
    server.on("/v2/trades", RETIRED)
    server.on("/trades", RETIRED)
    with pytest.raises(Refused, match="neither generation.*POLYMARKET_DATA_URL.*doctor") as raised:  # noqa: RUF043
        list(data.trades(CONDITION, since=EPOCH))
    assert not isinstance(raised.value, Gone)


@pytest.mark.parametrize("status", [500, 503])
def test_a_fault_of_v2_is_not_its_absence(status: int, server: Server, data: DataApi) -> None:
    server.on("/v2/trades", told({}, status))
    with pytest.raises(Unavailable):
        list(data.trades(CONDITION, since=EPOCH))
    assert data.generation is None
    assert "/trades" not in server.counts()


def test_what_v1_cannot_show_is_said(server: Server, data: DataApi) -> None:
    """v1 ends at its largest offset: silence would look like a market without older trades."""
    server.on("/v2/trades", RETIRED)
    server.on("/trades", told([trade_v1(n) for n in range(500)]))
    pages = list(data.trades(CONDITION, since=EPOCH))
    assert len(pages) == 22
    assert [page.is_cut for page in pages] == [False] * 21 + [True]


def test_status_tells_the_generation(server: Server, data: DataApi) -> None:
    server.on("/v2/status", told({"sources": {"trades": "fresh"}}))
    assert data.status().generation == "v2"
    assert "fresh" in data.status().payload


def test_status_of_the_first_generation(server: Server, data: DataApi) -> None:
    server.on("/trades", told([]))
    assert data.status().generation == "v1"


def test_status_where_nothing_answers(data: DataApi) -> None:
    with pytest.raises(Refused, match="neither generation"):
        data.status()


# --- prices -----------------------------------------------------------------------------------------


def point(at: datetime, resolution_s: int = 300, price: float = 0.5) -> dict[str, Any]:
    return {"timestamp": int(at.timestamp()), "price": price, "resolution_seconds": resolution_s}


def v2_prices(asked: Asked) -> Told:
    """A point every hour of the window asked for, ten a page."""
    start, end = int(asked.one("start") or 0), int(asked.one("end") or 0)
    if end - start > 15 * 86_400:
        return told({"error": "window", "code": "invalid_request", "parameter": "end"}, 400)
    hours = range(-(-start // 3600) * 3600, end, 3600)
    return paged([{"timestamp": at, "price": 0.4, "resolution_seconds": 3600} for at in hours], 100)(asked)


@pytest.mark.parametrize("fraction", [timedelta(0), timedelta(seconds=0.25)])
def test_a_long_history_is_asked_in_windows_of_fifteen_days(
    fraction: timedelta, server: Server, data: DataApi
) -> None:
    """One second more is refused, and an end between two seconds is more."""
    server.on("/v2/prices-history", v2_prices)
    start = NOW - timedelta(days=40)
    points = data.prices_history("5", start - fraction, NOW - fraction, 3600)
    assert [found.at for found in points] == [start + timedelta(hours=n) for n in range(40 * 24)]
    windows = {(asked.one("start"), asked.one("end")) for asked in server.asked}
    assert len(windows) == 3
    assert {asked.one("token_id") for asked in server.asked} == {"5"}


@pytest.mark.parametrize(("asked_s", "sent"), [(1, "60"), (60, "60"), (1800, "1800"), (999_999, "86400")])
def test_buckets_are_what_the_venue_serves(asked_s: int, sent: str, server: Server, data: DataApi) -> None:
    server.on("/v2/prices-history", envelope([]))
    assert data.prices_history("5", NOW - timedelta(hours=1), NOW, asked_s) == []
    assert server.asked[0].one("bucket_seconds") == sent


def test_the_settlement_is_marked_by_its_resolution(server: Server, data: DataApi) -> None:
    rows = [point(NOW - timedelta(minutes=9)), point(NOW + timedelta(hours=2), 0, 1.0)]
    server.on("/v2/prices-history", envelope(rows))
    points = data.prices_history("5", NOW - timedelta(hours=1), NOW, 300)
    assert [found.resolution_s for found in points] == [300, 0]


def test_points_outside_the_window_are_dropped(server: Server, data: DataApi) -> None:
    rows = [point(NOW - timedelta(hours=2)), point(NOW - timedelta(minutes=9)), point(NOW)]
    server.on("/v2/prices-history", envelope(rows))
    assert len(data.prices_history("5", NOW - timedelta(hours=1), NOW, 300)) == 1


def test_a_window_the_venue_ignores_is_found_out(server: Server, data: DataApi) -> None:
    server.on("/v2/prices-history", envelope([point(NOW - timedelta(days=n)) for n in range(2, 9)]))
    with pytest.raises(MalformedPayload, match="no point of it was asked for"):
        data.prices_history("5", NOW - timedelta(hours=1), NOW, 300)


def test_prices_of_the_first_generation_come_from_the_order_book_service(server: Server, data: DataApi) -> None:  # fmt: skip
    server.on("/v2/prices-history", RETIRED)
    at = int((NOW - timedelta(minutes=30)).timestamp())
    server.on("/prices-history", told({"history": [{"t": at, "p": 0.0035}]}))
    (found,) = data.prices_history("5", NOW - timedelta(hours=1), NOW, 1800)
    assert (found.price, found.at.timestamp()) == (0.0035, at)
    asked = server.asked[-1]
    assert (asked.one("market"), asked.one("fidelity")) == ("5", "30")


@pytest.mark.parametrize(
    ("at_s", "spacing_s"),
    [
        ([0, 60, 120], [60, 60, 60]),
        # What comes hourly or more seldom, asked by the minute; a last point beside it; twice; backwards.
        ([0, 3_600, 7_200], [3_600, 3_600, 3_600]),
        ([0, 43_200, 86_400, 86_437], [43_200, 43_200, 43_200, 60]),
        ([0, 43_200, 43_200], [43_200, 43_200]),
        ([7_200, 3_600, 0], [3_600, 3_600, 3_600]),
        # Finer towards the end.
        ([0, 3_600, 3_660, 3_720], [3_600, 3_600, 60, 60]),
        ([0], [86_400]),
        ([], []),
    ],
)
def test_a_price_of_the_first_generation_is_as_coarse_as_its_neighbours_are_far(at_s: list[int], spacing_s: list[int], server: Server, data: DataApi) -> None:  # fmt: skip
    """It does not tell: taken for finer than it is, a price would be known before it was made."""
    server.on("/v2/prices-history", RETIRED)
    first = int((NOW - timedelta(days=2)).timestamp())
    server.on("/prices-history", told({"history": [{"t": first + at, "p": 0.5} for at in at_s]}))
    points = data.prices_history("5", NOW - timedelta(days=3), NOW, 60)
    assert [point.resolution_s for point in points] == spacing_s
    assert [point.at.timestamp() - first for point in points] == sorted(set(at_s))


def test_an_empty_span_is_no_request(server: Server, data: DataApi) -> None:
    assert data.prices_history("5", NOW, NOW, 60) == []
    assert server.asked == []


# --- resolutions ------------------------------------------------------------------------------------


def resolution(condition: str, **changed: Any) -> dict[str, Any]:
    return {**case("data/v2_resolutions_own.json")[0], "condition_id": condition, **changed}


def test_resolutions_are_asked_twenty_at_a_time(server: Server, data: DataApi) -> None:
    def answer(asked: Asked) -> Told:
        return told({"data": [resolution(each) for each in (asked.one("condition") or "").split(",")]})

    server.on("/v2/resolutions", answer)
    wanted = [f"0x{n:064x}" for n in range(45)]
    assert [row.condition_id for row in data.resolutions(wanted)] == wanted
    assert [len((asked.one("condition") or "").split(",")) for asked in server.asked] == [20, 20, 5]


def test_the_unknown_are_absent(server: Server, data: DataApi) -> None:
    server.on("/v2/resolutions", told({"data": []}))
    assert data.resolutions([CONDITION]) == []


def test_an_unreadable_resolution_is_left_out(server: Server, data: DataApi, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    server.on("/v2/resolutions", told({"data": [resolution(CONDITION, payouts=["?"])]}))
    assert data.resolutions([CONDITION]) == []
    assert "a resolution is left out" in caplog.text


def test_resolutions_of_other_markets_are_found_out(server: Server, data: DataApi) -> None:
    """A label of another market is worse than none."""
    server.on("/v2/resolutions", told({"data": [resolution(f"0x{9:064x}")]}))
    with pytest.raises(PolymarketError, match="not asked for"):
        data.resolutions([CONDITION])


@pytest.mark.parametrize(
    ("path", "rows", "ask"),
    [
        ("/v2/trades", "data/v2_trades_btc15m_page1_own.json", lambda data: list(data.trades(CONDITION, since=EPOCH))),
        ("/v2/prices-history", "data/v2_prices_history_own.json", lambda data: data.prices_history("1", NOW - timedelta(hours=1), NOW, 60)),
    ],
)  # fmt: skip
def test_a_page_that_has_more_and_does_not_say_where_is_no_last_page(data: DataApi, server: Server, path: str, rows: str, ask: Callable[[DataApi], object]) -> None:  # fmt: skip
    """The rest of a market's past would be missing without a word."""
    server.on(path, told({"data": case(rows), "pagination": {"limit": 1, "has_more": True, "next_cursor": None}}))  # fmt: skip
    with pytest.raises(MalformedPayload, match="the cursor is missing"):
        ask(data)
