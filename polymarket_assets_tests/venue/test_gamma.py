"""The catalogue: pages until they end, filters believed only when the rows show them, guards that stop."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from polymarket_assets.venue import gamma as catalogue
from polymarket_assets.venue.breaker import Breaker
from polymarket_assets.venue.errors import Gone, MalformedPayload, Refused, Unavailable
from polymarket_assets.venue.gamma import Gamma
from polymarket_assets.venue.http import Service
from polymarket_assets.venue.limits import Limits
from polymarket_assets.venue.records import Listing, Page
from polymarket_assets_tests.venue.server import Asked, Server, Told, told

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def gamma(server: Server) -> Iterator[Gamma]:
    opened = Gamma(Service("gamma", server.url, Limits(1.0), Breaker("gamma")))
    yield opened
    opened.close()


def row(n: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": str(n), "conditionId": f"0x{n:064x}", "slug": f"m-{n}", "question": f"{n}?", "outcomes": '["Yes","No"]', "clobTokenIds": f'["{n}1","{n}2"]',
        "endDate": "2026-11-22T12:00:00Z", "volumeNum": 1000 + n, "active": True, "closed": False, **changed,
    }  # fmt: skip


class Catalogue:
    """Key-set listing as PROTOCOL 2.1 describes it, of rows in order of id; `ignored` parameters have no effect."""

    def __init__(self, rows: list[dict[str, Any]], *, per_page: int = 100, ignored: frozenset[str] = frozenset()) -> None:  # fmt: skip
        self.rows = rows
        self.per_page = per_page
        self.ignored = ignored

    def __call__(self, asked: Asked) -> Told:
        given = [(name, value) for name, value in asked.params if name not in self.ignored]
        one = dict(given)
        kept = [row for row in self.rows if self._matches(row, one, [v for name, v in given if name == "condition_ids"])]  # fmt: skip
        start = int(one.get("after_cursor", "c0")[1:])
        page = {"$schema": "x", "markets": kept[start : start + self.per_page]}
        more = {"next_cursor": f"c{start + self.per_page}"} if start + self.per_page < len(kept) else {}
        return told({**page, **more})

    def _matches(self, row: dict[str, Any], one: dict[str, str], conditions: list[str]) -> bool:
        return (
            row["closed"] == (one.get("closed", "false") == "true")
            and (not conditions or row["conditionId"] in conditions)
            and row["volumeNum"] >= float(one.get("volume_num_min", 0))
            and one.get("end_date_min", "") <= row["endDate"] <= one.get("end_date_max", "9")
        )


def ids(pages: list[Page]) -> list[str]:
    return [
        listing.market.gamma_id for page in pages for listing in page.rows if isinstance(listing, Listing)
    ]


def test_pages_are_walked_to_the_end(server: Server, gamma: Gamma) -> None:
    server.on("/markets/keyset", Catalogue([row(n) for n in range(250)]))
    pages = list(gamma.markets(closed=False))
    assert ids(pages) == [str(n) for n in range(250)]
    assert [page.next_cursor for page in pages] == ["c100", "c200", None]
    assert [asked.one("after_cursor") for asked in server.asked] == [None, "c100", "c200"]
    assert all(asked.one("limit") == "100" for asked in server.asked)
    assert all(asked.one("include_tag") == "true" for asked in server.asked)


def test_an_empty_listing_is_one_empty_page(server: Server, gamma: Gamma) -> None:
    server.on("/markets/keyset", Catalogue([]))
    assert list(gamma.markets(closed=True)) == [Page((), None)]


def test_filters_are_asked_for_and_hold(server: Server, gamma: Gamma) -> None:
    rows = [row(n, endDate=f"2026-11-{n:02}T12:00:00Z", volumeNum=n * 10) for n in range(1, 29)]
    server.on("/markets/keyset", Catalogue(rows))
    pages = gamma.markets(
        closed=False,
        end_date_min=NOON - timedelta(days=12),
        end_date_max=NOON + timedelta(days=2, microseconds=7),
        volume_num_min=150.0,
        order="volumeNum",
        ascending=False,
        tag_ids=[1, 2],
    )
    assert ids(list(pages)) == [str(n) for n in range(15, 25)]
    asked = server.asked[0]
    assert asked.one("end_date_min") == "2026-11-10T12:00:00Z"
    assert asked.one("end_date_max") == "2026-11-24T12:00:00Z"
    assert asked.one("volume_num_min") == "150"
    assert (asked.one("order"), asked.one("ascending"), asked.all("tag_id")) == ("volumeNum", "false", ["1", "2"])  # fmt: skip


@pytest.mark.parametrize("ignored", ["closed", "end_date_min", "end_date_max", "volume_num_min"])
def test_a_filter_the_venue_ignores_is_found_out(ignored: str, server: Server, gamma: Gamma) -> None:
    """Unknown parameters are ignored without a word: what comes then is the whole catalogue, and looks fine."""
    rows = [row(n, endDate=f"2026-11-{1 + n % 28:02}T12:00:00Z", volumeNum=n) for n in range(100)]
    closed = ignored == "closed"
    server.on("/markets/keyset", Catalogue(rows, ignored=frozenset({ignored})))
    with pytest.raises(MalformedPayload, match="the venue ignores a filter"):
        list(gamma.markets(closed=closed, end_date_min=NOON - timedelta(days=5), end_date_max=NOON + timedelta(days=1), volume_num_min=50))  # fmt: skip


def test_a_stray_row_is_left_out_and_named(server: Server, gamma: Gamma) -> None:
    """Rows change between index and page; one that closed meanwhile is no reason to lose the walk."""
    page = {"markets": [row(1), row(2, closed=True), row(3)]}
    server.on("/markets/keyset", told(page))
    (found,) = gamma.markets(closed=False)
    assert ids([found]) == ["1", "3"]
    assert found.malformed == ("market 2 was not asked for: closed=True",)


def test_a_row_that_cannot_be_read_is_named_and_spoils_nothing(server: Server, gamma: Gamma) -> None:
    page = {"markets": [row(1), row(2, conditionId="?"), 7, row(3)]}
    server.on("/markets/keyset", told(page))
    (found,) = gamma.markets(closed=False)
    assert ids([found]) == ["1", "3"]
    assert len(found.malformed) == 2


def endless(cursor: str) -> dict[str, Any]:
    return {"markets": [row(1)], "next_cursor": cursor}


def test_a_stuck_cursor_stops_the_walk(server: Server, gamma: Gamma) -> None:
    pages = [{"markets": [row(n)], "next_cursor": "same"} for n in range(5)]
    server.on("/markets/keyset", [told(page) for page in pages])
    walk = gamma.markets(closed=False)
    next(walk)
    with pytest.raises(MalformedPayload, match="the cursor is stuck"):
        next(walk)
    assert len(server.asked) == 1 + catalogue.PAGE_ATTEMPTS


@pytest.mark.parametrize("spoilt", [{"next_cursor": "two"}, {}], ids=["stuck", "missing"])
def test_a_page_that_leads_nowhere_once_is_asked_for_again(server: Server, gamma: Gamma, spoilt: dict[str, str]) -> None:  # fmt: skip
    """Of a list of hundreds of pages one answer in fifty would spoil it, however often it is begun anew."""
    rows = [row(n) for n in range(1, 301)]
    one, two, three = rows[:100], rows[100:200], rows[200:]
    answers = [{"markets": one, "next_cursor": "two"}, {"markets": two, **spoilt}]
    answers += [] if spoilt else [{"markets": three[::-1]}]
    answers += [{"markets": two, "next_cursor": "three"}, {"markets": three[:50]}]
    server.on("/markets/keyset", [told(answer) for answer in answers])
    assert sum(len(page.rows) for page in gamma.markets(closed=False)) == 250


def test_a_first_page_that_comes_again_stops_the_walk(server: Server, gamma: Gamma) -> None:
    """A cursor under a name the venue does not know is ignored: page one, for ever."""
    server.on("/markets/keyset", lambda asked: told(endless(f"after {len(server.asked)}")))
    walk = gamma.markets(closed=False)
    next(walk)
    with pytest.raises(MalformedPayload, match="the cursor is stuck"):
        next(walk)


def test_a_walk_is_bounded(server: Server, gamma: Gamma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "MOST_PAGES", 3)
    server.on("/markets/keyset", Catalogue([row(n) for n in range(1_000)]))
    with pytest.raises(Refused, match="did not end within 3 pages"):
        list(gamma.markets(closed=False))
    assert len(server.asked) == 3


def test_a_failure_midway_leaves_what_was_read(server: Server, gamma: Gamma) -> None:
    listing = Catalogue([row(n) for n in range(250)])
    server.on("/markets/keyset", lambda a: listing(a) if len(server.asked) < 3 else told({}, 503))
    walk = gamma.markets(closed=False)
    pages = [next(walk), next(walk)]
    with pytest.raises(Unavailable):
        next(walk)
    assert len(ids(pages)) == 200


def test_an_answer_of_another_form_is_malformed(server: Server, gamma: Gamma) -> None:
    """The legacy list is a bare array: taken for a page it would be an empty one."""
    server.on("/markets/keyset", told([row(1)]))
    with pytest.raises(MalformedPayload):
        list(gamma.markets(closed=False))


# --- by condition -----------------------------------------------------------------------------------


def test_markets_by_condition_come_in_the_order_asked(server: Server, gamma: Gamma) -> None:
    server.on("/markets/keyset", Catalogue([row(n, closed=n % 2 == 0) for n in range(1, 10)]))
    asked = [f"0x{n:064x}" for n in (5, 4, 3, 77)]
    assert [found.market.gamma_id for found in gamma.by_condition(asked, closed=False)] == ["5", "3"]
    assert [found.market.gamma_id for found in gamma.by_condition(asked, closed=True)] == ["4"]
    assert server.asked[0].all("condition_ids") == asked
    assert [asked.one("closed") for asked in server.asked] == ["false", "true"]


def test_batches_hold_a_hundred_ids(server: Server, gamma: Gamma) -> None:
    server.on("/markets/keyset", Catalogue([row(n) for n in range(1, 250)]))
    wanted = [f"0x{n:064x}" for n in range(1, 250)]
    assert len(gamma.by_condition(wanted, closed=False)) == 249
    assert [len(asked.all("condition_ids")) for asked in server.asked] == [100, 100, 49]


def test_no_ids_are_no_request(server: Server, gamma: Gamma) -> None:
    """An empty filter would be none: the first page of everything."""
    assert gamma.by_condition([], closed=False) == []
    assert server.asked == []


def test_a_padded_id_is_also_asked_for_in_its_short_form(server: Server, gamma: Gamma) -> None:
    """The catalogue may list a v2 market under 62 digits; the rest of the platform knows 64."""
    short = "0x" + "0d" * 31
    of_v2 = row(1, conditionId=short, version="v2", positionIds=["1", "2"])
    server.on("/markets/keyset", Catalogue([of_v2]))
    (found,) = gamma.by_condition([short + "00"], closed=False)
    assert found.market.condition_id == short + "00"
    assert server.asked[0].all("condition_ids") == [short + "00", short]


def test_ids_the_venue_ignores_are_found_out(server: Server, gamma: Gamma) -> None:
    server.on("/markets/keyset", Catalogue([row(n) for n in range(5)], ignored=frozenset({"condition_ids"})))
    with pytest.raises(MalformedPayload, match="ignores condition_ids"):
        gamma.by_condition([f"0x{3:064x}"], closed=False)


def test_an_unreadable_market_is_left_out_and_logged(server: Server, gamma: Gamma, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    server.on("/markets/keyset", told({"markets": [row(1), row(2, clobTokenIds='["1"]')]}))
    found = gamma.by_condition([f"0x{1:064x}", f"0x{2:064x}"], closed=False)
    assert [listing.market.gamma_id for listing in found] == ["1"]
    assert "a market is left out" in caplog.text


# --- single -----------------------------------------------------------------------------------------


def test_a_single_market(server: Server, gamma: Gamma) -> None:
    server.on("/markets/12", told({"$schema": "x", **row(12)}))
    assert gamma.market("12").market.gamma_id == "12"


@pytest.mark.parametrize("status", [404, 422])
def test_a_delisted_market_is_gone(status: int, server: Server, gamma: Gamma) -> None:
    server.on("/markets/12", told({"type": "validation error", "error": "id not found"}, status))
    with pytest.raises(Gone, match="id not found"):
        gamma.market("12")


def test_a_listing_that_is_not_there_is_refused_and_not_merely_absent(server: Server, gamma: Gamma) -> None:
    """`Gone` is swallowed as an answer by those who ask for one market; a wrong address must not be."""
    with pytest.raises(Refused) as raised:
        list(gamma.markets(closed=False))
    assert not isinstance(raised.value, Gone)
    assert json.loads(raised.value.said) == {"error": "no such path"}
