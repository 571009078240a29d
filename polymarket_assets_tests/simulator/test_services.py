"""The three services over real HTTP: pages, filters, limits and refusals as the venue has them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from multidict import MultiDict

from polymarket_assets_tests.simulator.conftest import lines, tokens, walk
from simulator import listing
from simulator.books import book_hash
from simulator.listing import Entry
from simulator.running import Running


def get(url: str, **query: Any) -> requests.Response:
    return requests.get(url, params=query, timeout=10)


# --- the catalogue ------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [7, 100, 5000])
@pytest.mark.parametrize(
    "order",
    [
        {},
        {"order": "volumeNum", "ascending": "false"},
        {"order": "endDate,id"},
        {"order": "closedTime", "ascending": "false"},
    ],
)
def test_a_walk_meets_every_closed_market_once(venue: Running, limit: int, order: dict[str, str]) -> None:
    rows = walk(venue, closed="true", limit=limit, end_date_max=_midnight(), **order)
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) > 30
    assert set(ids) == {row["id"] for row in walk(venue, closed="true", end_date_max=_midnight())}


def _midnight() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT00:00:00Z}"


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_rows_without_the_key_of_an_order_stand_together_and_none_is_lost(ascending: str) -> None:
    """A few closed rows do not say when they closed; a walk must get past them."""
    rows = [{"id": str(n), "closedTime": None if n % 4 == 0 else f"2026-11-01 00:00:{n:02d}+00"} for n in range(1, 30)]  # fmt: skip
    entries = [Entry(row, row) for row in rows]
    found: list[Any] = []
    query = {"order": "closedTime", "ascending": ascending, "limit": "4"}
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = listing.page("markets", entries, MultiDict({**query, "after_cursor": cursor}))
        found += [entry.row for entry in page]
    assert sorted(row["id"] for row in found) == sorted(row["id"] for row in rows)
    undated = [place for place, row in enumerate(found) if row["closedTime"] is None]
    assert undated == list(range(undated[0], undated[0] + len(undated)))


def test_pages_are_ordered_as_asked(venue: Running) -> None:
    volumes = [
        row.get("volumeNum") for row in walk(venue, closed="true", order="volumeNum", ascending="false")
    ]
    traded = [volume for volume in volumes if volume is not None]
    assert traded == sorted(traded, reverse=True)
    ids = [int(row["id"]) for row in walk(venue, closed="true")]
    assert ids == sorted(ids)


def test_only_open_markets_are_listed_unless_asked(venue: Running) -> None:
    assert not any(row["closed"] for row in walk(venue))
    assert all(row["closed"] for row in walk(venue, closed="true"))


def test_the_last_page_lacks_a_cursor_and_a_cursor_under_another_name_is_ignored(venue: Running) -> None:
    first = get(f"{venue.gamma_url}/markets/keyset", limit=5, closed="true").json()
    again = get(
        f"{venue.gamma_url}/markets/keyset", limit=5, closed="true", cursor=first["next_cursor"]
    ).json()
    assert [row["id"] for row in again["markets"]] == [row["id"] for row in first["markets"]]
    assert "next_cursor" not in get(f"{venue.gamma_url}/markets/keyset", id=first["markets"][0]["id"], closed="true").json()  # fmt: skip


def test_a_page_holds_at_most_a_hundred_rows_and_usually_twenty(venue: Running) -> None:
    assert len(get(f"{venue.gamma_url}/markets/keyset").json()["markets"]) == 20
    assert len(get(f"{venue.gamma_url}/markets", limit=500, closed="true").json()) <= 100


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/markets/keyset", {"offset": 0}, 422),
        ("/events/keyset", {"offset": 0}, 422),
        ("/markets/keyset", {"order": "volume_num"}, 422),
        ("/markets/keyset", {"after_cursor": "bm9uc2Vuc2U"}, 422),
        ("/markets/keyset", {"end_date_min": "tomorrow"}, 422),
        ("/markets/keyset", {"tag_id": "crypto"}, 422),
        ("/markets/keyset", {"condition_ids": [f"0x{n:064x}" for n in range(101)]}, 422),
        ("/markets", {"offset": 2001}, 422),
        ("/markets/0xabc", {}, 422),
        ("/markets/1", {}, 404),
        ("/markets/slug/none", {}, 404),
    ],
)
def test_what_the_catalogue_refuses(venue: Running, path: str, query: dict[str, Any], status: int) -> None:
    answer = get(venue.gamma_url + path, **query)
    assert answer.status_code == status
    assert set(answer.json()) == {"type", "error"}


def test_filters_keep_what_matches_and_nothing_else(venue: Running) -> None:
    rows = walk(venue, closed="true")
    row = next(r for r in rows if r["version"] == "v1" and r.get("volumeNum"))
    v2 = next(r for r in rows if r["version"] == "v2")
    found = walk(venue, closed="true", condition_ids=[row["conditionId"], v2["conditionId"]])
    assert {r["id"] for r in found} == {row["id"], v2["id"]}
    assert [r["id"] for r in walk(venue, closed="true", condition_ids=v2["conditionId"] + "00")] == [v2["id"]]
    assert [r["id"] for r in walk(venue, closed="true", clob_token_ids=tokens(row)[1])] == [row["id"]]
    assert [r["id"] for r in walk(venue, closed="true", slug=row["slug"])] == [row["id"]]
    assert all(r["volumeNum"] >= 500 for r in walk(venue, closed="true", volume_num_min=500))
    cut = row["endDate"]
    assert all(r["endDate"] >= cut for r in walk(venue, closed="true", end_date_min=cut))
    assert all(r["endDate"] <= cut for r in walk(venue, closed="true", end_date_max=cut))
    # A resolved market is not found by its id alone.
    assert walk(venue, condition_ids=row["conditionId"]) == []


def test_a_hundred_ids_are_one_request(venue: Running) -> None:
    ids = [row["conditionId"] for row in walk(venue, closed="true")]
    many = [*ids[:40], *(f"0x{n:064x}" for n in range(60))]
    assert len(walk(venue, closed="true", condition_ids=many)) == len(ids[:40])


@pytest.mark.parametrize("form", ["brackets", "commas", "unknown"])
def test_arrays_in_other_forms_and_unknown_parameters_are_silently_ignored(venue: Running, form: str) -> None:
    """The whole list comes back: a client must check that rows match its filter."""
    ids = [row["conditionId"] for row in walk(venue, closed="true")][:2]
    query = {"brackets": {"condition_ids[]": ids}, "commas": {"condition_ids": ",".join(ids)}, "unknown": {"whatever": "1"}}[form]  # fmt: skip
    assert len(walk(venue, closed="true", **query)) > 30


def test_tags_come_only_with_include_tag_and_can_be_filtered_by(venue: Running) -> None:
    assert not any("tags" in row for row in walk(venue))
    rows = walk(venue, include_tag="true")
    assert all(row["tags"] for row in rows)
    tag = rows[0]["tags"][0]["id"]
    assert all(tag in {t["id"] for t in row["tags"]} for row in walk(venue, include_tag="true", tag_id=tag))


def test_single_rows_carry_a_schema_and_lists_do_not(venue: Running) -> None:
    row = get(f"{venue.gamma_url}/markets", closed="true", limit=1).json()[0]
    assert "$schema" not in row
    for path in (row["id"], f"slug/{row['slug']}"):
        single = get(f"{venue.gamma_url}/markets/{path}").json()
        assert next(iter(single)) == "$schema"
        assert single["id"] == row["id"]


def test_old_lists_say_that_they_are_over(venue: Running) -> None:
    headers = get(f"{venue.gamma_url}/markets").headers
    assert headers["deprecation"] == "true"
    assert "keyset" in headers["warning"]


def test_a_nameless_client_is_turned_away_in_html(venue: Running) -> None:
    answer = requests.get(
        f"{venue.gamma_url}/markets", headers={"User-Agent": "Python-urllib/3.11"}, timeout=10
    )
    assert answer.status_code == 403
    assert answer.headers["content-type"].startswith("text/html")


# --- books --------------------------------------------------------------------------------------------


def some_tokens(venue: Running) -> list[str]:
    rows = [row for row in walk(venue) if row["enableOrderBook"] and row["active"]]
    return [token for row in rows for token in tokens(row)]


def books(venue: Running, ids: list[str]) -> dict[str, Any]:
    answer = requests.post(f"{venue.clob_url}/books", json=[{"token_id": token} for token in ids], timeout=10)
    return {book["asset_id"]: book for book in answer.json()}


def test_books_of_both_tokens_mirror_each_other_and_hash_as_the_venue_s(venue: Running) -> None:
    row = next(
        r for r in walk(venue, order="endDate", ascending="false") if r["enableOrderBook"] and r["active"]
    )
    first, second = tokens(row)
    found = books(venue, [first, second])
    mirror = [(round(1 - float(level["price"]), 3), level["size"]) for level in found[first]["asks"]]
    assert [(float(level["price"]), level["size"]) for level in found[second]["bids"]] == mirror
    for book in found.values():
        assert book_hash(book) == book["hash"]
        assert [float(b["price"]) for b in book["bids"]] == sorted(float(b["price"]) for b in book["bids"])
        assert [float(a["price"]) for a in book["asks"]] == sorted((float(a["price"]) for a in book["asks"]), reverse=True)  # fmt: skip
    assert found[first]["last_trade_price"] == found[second]["last_trade_price"]


def test_books_have_the_recorded_keys(venue: Running, recorded_dir: Path) -> None:
    recorded = json.loads((recorded_dir / "clob" / "books_post_fed_june_2026.json").read_text())[0]
    for book in books(venue, some_tokens(venue)[:40]).values():
        assert [key for key in book if key != "version"] == list(recorded)
        assert book.get("version", "v1") in ("v1", "v2")
        assert {key: type(book[key]) for key in recorded} == {
            key: type(value) for key, value in recorded.items()
        }


def test_batches_of_books_have_the_venue_s_limits(venue: Running) -> None:
    ids = some_tokens(venue)
    assert len(books(venue, [*ids[:20], "123"])) <= 20
    for count, status in ((500, 200), (501, 400)):
        body = [{"token_id": str(n)} for n in range(count)]
        assert requests.post(f"{venue.clob_url}/books", json=body, timeout=10).status_code == status
    wrapped = requests.post(f"{venue.clob_url}/books", json={"tokens": [{"token_id": ids[0]}]}, timeout=10)
    assert (wrapped.status_code, wrapped.json()) == (200, [])


def test_quotes_agree_with_the_book(venue: Running) -> None:
    row = next(r for r in walk(venue, order="endDate", ascending="false") if r["enableOrderBook"] and r["active"] and r.get("bestBid"))  # fmt: skip
    token = tokens(row)[0]
    for _ in range(5):
        before = get(f"{venue.clob_url}/book", token_id=token).json()
        said = {side: get(f"{venue.clob_url}/price", token_id=token, side=side).json()["price"] for side in ("buy", "SELL")}  # fmt: skip
        mid = get(f"{venue.clob_url}/midpoint", token_id=token).json()["mid"]
        if get(f"{venue.clob_url}/book", token_id=token).json()["hash"] == before["hash"]:
            break
    bid, ask = before["bids"][-1]["price"], before["asks"][-1]["price"]
    assert said == {"buy": bid, "SELL": ask}
    assert float(mid) == pytest.approx((float(bid) + float(ask)) / 2)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/book?token_id=abc", 400, "Invalid token id"),
        ("/book?token_id=1", 404, "No orderbook exists for the requested token id"),
        ("/clob-markets/0x" + "0" * 62, 404, "market not found"),
        ("/markets/0x" + "0" * 64, 404, "market not found"),
        ("/fee-rate?token_id=1", 404, "fee rate not found for market"),
    ],
)
def test_what_the_order_book_service_refuses(venue: Running, path: str, status: int, error: str) -> None:
    answer = get(venue.clob_url + path)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_small_answers(venue: Running) -> None:
    row = next(r for r in walk(venue) if r["enableOrderBook"] and r["active"])
    token = tokens(row)[0]
    assert get(f"{venue.clob_url}/ok").text == "OK"
    assert abs(get(f"{venue.clob_url}/time").json() - time.time()) < 5
    assert get(f"{venue.clob_url}/neg-risk", token_id=token).json() == {"neg_risk": row["negRisk"]}
    assert get(f"{venue.clob_url}/fee-rate", token_id=token).json() == {"base_fee": 1000}
    assert get(f"{venue.clob_url}/tick-size", token_id=token).json()["minimum_tick_size"] in (0.01, 0.001)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_markets_of_the_order_book_service_name_the_winner(venue: Running, version: str, recorded_dir: Path) -> None:  # fmt: skip
    row = next(r for r in walk(venue, closed="true") if r["version"] == version and r["outcomePrices"] == '["1", "0"]')  # fmt: skip
    padded = row["conditionId"] + ("00" if version == "v2" else "")
    full = get(f"{venue.clob_url}/markets/{padded}").json()
    assert [token["winner"] for token in full["tokens"]] == [True, False]
    assert [token["token_id"] for token in full["tokens"]] == tokens(row)
    recorded = json.loads((recorded_dir / "clob" / "market_closed_binary_accepting_false.json").read_text())
    assert set(full) == set(recorded)
    compact = get(f"{venue.clob_url}/clob-markets/{padded}").json()
    assert compact["v"] == version
    assert [token["t"] for token in compact["t"]] == tokens(row)
    if version == "v2":
        assert get(f"{venue.clob_url}/clob-markets/{row['conditionId']}").status_code == 404


# --- the Data API -------------------------------------------------------------------------------------


def past(venue: Running, version: str = "v1") -> dict[str, Any]:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0)
    rows = walk(venue, closed="true", volume_num_min=100)
    return next(r for r in rows if r["version"] == version and r["closedTime"] < f"{midnight:%Y-%m-%d}")


def condition(row: dict[str, Any]) -> str:
    return row["conditionId"] + ("00" if row["version"] == "v2" else "")


def pages(url: str, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(200):
        answer = get(url, **query, **cursor).json()
        rows += answer["data"]
        assert answer["pagination"]["has_more"] == (answer["pagination"]["next_cursor"] is not None)
        if answer["pagination"]["next_cursor"] is None:
            return rows
        cursor = {"cursor": answer["pagination"]["next_cursor"]}
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_market_s_trades_come_newest_first_in_pages_and_sum_to_its_volume(venue: Running, version: str, recorded_dir: Path) -> None:  # fmt: skip
    row = past(venue, version)
    rows = pages(f"{venue.data_url}/v2/trades", condition=condition(row), limit=7)
    assert rows == pages(f"{venue.data_url}/v2/trades", condition=condition(row), limit=1000)
    assert [r["timestamp"] for r in rows] == sorted((r["timestamp"] for r in rows), reverse=True)
    assert sum(r["price"] * r["size"] for r in rows) == pytest.approx(row["volumeNum"], rel=1e-4)
    assert {r["token_id"] for r in rows} <= set(tokens(row))
    recorded = json.loads(
        (recorded_dir / "data" / "v2_trades_btc15m_page1_redacted_2026_10_05.json").read_text()
    )
    assert list(rows[0]) == list(recorded["data"][0])


def test_trades_of_the_short_id_of_the_newer_generation_are_empty(venue: Running) -> None:
    answer = get(f"{venue.data_url}/v2/trades", condition=past(venue, "v2")["conditionId"])
    assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_prices_end_with_the_payout_and_lie_in_the_window(venue: Running) -> None:
    row = past(venue)
    closed = datetime.fromisoformat(row["closedTime"])
    end = int(closed.timestamp()) + 60
    query = {"token_id": tokens(row)[0], "start": end - 86_400, "end": end, "bucket_seconds": 300}
    rows = pages(f"{venue.data_url}/v2/prices-history", **query, limit=50)
    assert rows == pages(f"{venue.data_url}/v2/prices-history", **query)
    times = [r["timestamp"] for r in rows]
    assert times == sorted(times)
    assert all(query["start"] <= at < end for at in times)
    assert rows[-1]["resolution_seconds"] == 0
    assert rows[-1]["price"] in (0, 0.5, 1)
    assert {r["resolution_seconds"] for r in rows[:-1]} == {300}
    other = pages(f"{venue.data_url}/v2/prices-history", **{**query, "token_id": tokens(row)[1]})
    assert [r["price"] + o["price"] for r, o in zip(rows, other, strict=True)] == pytest.approx(
        [1] * len(rows)
    )
    # The end is exclusive, the start inclusive.
    edge = pages(f"{venue.data_url}/v2/prices-history", **{**query, "start": times[3], "end": times[5]})
    assert [r["timestamp"] for r in edge] == times[3:5]


def test_resolutions_agree_with_the_catalogue(venue: Running, recorded_dir: Path) -> None:
    rows = [r for r in walk(venue, closed="true") if r["outcomePrices"] != '["1", "1"]'][:20]
    found = get(f"{venue.data_url}/v2/resolutions", condition=",".join(condition(r) for r in rows)).json()[
        "data"
    ]
    said = {r["condition_id"]: r for r in found}
    for row in rows:
        paid = [float(price) * 1_000_000 for price in json.loads(row["outcomePrices"])]
        assert said[condition(row)]["payouts"] == paid
        assert said[condition(row)]["status"] == "resolved"
    for version in ("v1", "v2"):
        name = f"v2_resolutions_{version}_market_resolved_2026_10_05.json"
        recorded = json.loads((recorded_dir / "data" / name).read_text())["data"][0]
        assert list(said[condition(past(venue, version))]) == list(recorded) or condition(past(venue, version)) not in said  # fmt: skip


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v2/trades?offset=10", "offset"),
        ("/v2/trades?market=0x1", "market"),
        ("/v2/trades?cursor=bm8", "cursor"),
        ("/v2/prices-history?token_id=1&start=0", "start"),
        ("/v2/prices-history?token_id=1&start=1790000000&end=1795418700", "start"),
        ("/v2/prices-history?token_id=1&start=1795000000&interval=1d", "start"),
        ("/v2/resolutions?condition=0x" + "0" * 62, "condition"),
        ("/v2/resolutions", "condition"),
        ("/v2/resolutions?condition=" + ",".join(["0x" + "0" * 64] * 21), "condition"),
    ],
)
def test_what_the_data_api_refuses(venue: Running, path: str, parameter: str) -> None:
    answer = get(venue.data_url + path)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "code", "retryable", "trace_id", "parameter"}
    assert answer.json()["parameter"] == parameter


def test_the_first_version_is_gone(venue: Running) -> None:
    for path in ("/trades", "/activity", "/holders"):
        assert get(venue.data_url + path).status_code == 410


def test_fresh_trades_reach_the_data_api_with_their_block(venue: Running, ledger_file: Path) -> None:
    """About two seconds after the match, and the same trade that the ledger tells."""
    deadline = time.monotonic() + 20
    while not (told := lines(ledger_file, "trade")) and time.monotonic() < deadline:
        time.sleep(0.2)
    time.sleep(2.5)
    trade = told[0]
    rows = pages(f"{venue.data_url}/v2/trades", condition=trade["condition_id"])
    row = next(r for r in rows if r["transaction_hash"] == trade["tx_hash"])
    assert (row["token_id"], row["side"], row["price"], row["size"]) == (trade["token_id"], trade["side"], trade["price"], trade["size"])  # fmt: skip
    late = row["timestamp"] - datetime.fromisoformat(trade["at"]).timestamp()
    assert 0 < late < timedelta(seconds=4).total_seconds()


def test_every_answer_is_in_the_ledger(venue: Running, ledger_file: Path) -> None:
    mark = f"mark={time.time_ns()}"
    body = get(f"{venue.gamma_url}/markets/keyset?{mark}").content
    time.sleep(0.8)
    told = [line for line in lines(ledger_file, "response") if mark in line["path"]]
    assert [(line["status"], line["bytes"]) for line in told] == [(200, len(body))]


def test_the_control_port_tells_what_is_going_on(venue: Running) -> None:
    assert get(f"{venue.control_url}/health").json() == {"status": "ok"}
    told = get(f"{venue.control_url}/summary").json()
    assert told["markets"] == told["open"] + told["closed"]
    assert {"listed", "resolved", "trades", "sockets", "requests"} <= set(told)
