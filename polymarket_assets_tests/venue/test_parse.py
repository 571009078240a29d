"""What rows become: first our own small cases, then facts of recorded ones that PROTOCOL.md names."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polymarket_assets.venue import parse
from polymarket_assets.venue.errors import MalformedPayload
from polymarket_assets.venue.records import E6, ClobToken, FeeSchedule, Level, Listing, Market, MarketEnd
from polymarket_assets_tests.venue import recorded

CASES = Path(__file__).parents[1] / "cases"
YES, NO = "1111111111111111111111", "2222222222222222222222"
RIVER = "0x" + "ab" * 32
TOK = "0x" + "0c" * 31 + "00"


def case(name: str) -> list[Any]:
    return recorded.rows(CASES, name)


@pytest.fixture(scope="module")
def page() -> dict[str, Listing]:
    return {row["slug"].split("-")[0]: parse.listing(row) for row in case("gamma/markets_keyset_page.json")}


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_every_case_is_read() -> None:
    for name in recorded.files(CASES):
        form = recorded.form_of(name)
        assert form is not None
        assert form.parser is not None
        assert [form.parser(row) for row in case(name)]


# --- the catalogue ----------------------------------------------------------------------------------


def test_a_market_as_listed(page: dict[str, Listing]) -> None:
    assert page["river"].market == Market(
        market_id=f"pm:{RIVER}",
        condition_id=RIVER,
        gamma_id="7000001",
        version="v1",
        slug="river-above-3m-by-friday",
        question="Will the river rise above 3 m by Friday?",
        outcomes=("Yes", "No"),
        token_ids=(YES, NO),
        event_id="9001",
        event_slug="river-levels",
        event_title="River levels",
        series_slug="weekly-river",
        category="weather",
        tags=("weather",),
        listed_at=at(2026, 11, 20, 10, 0, 1),
        scheduled_end=at(2026, 11, 27, 12),
        tick_e6=10_000,
        min_size_e6=5 * E6,
        fees=FeeSchedule(0.05, 1.0, True, 0.25),
        volume_usd=20350.125,
        volume_24h_usd=310.0,
        liquidity_usd=1520.5,
        accepting_orders=True,
        enable_order_book=True,
    )
    assert page["river"].end == MarketEnd(
        market_id=f"pm:{RIVER}",
        condition_id=RIVER,
        token_ids=(YES, NO),
        closed=False,
        closed_at=None,
        prices=("0.385", "0.615"),
        status=None,
    )


def test_ids_follow_the_version_and_short_ids_are_padded(page: dict[str, Listing]) -> None:
    """A v1 market may carry both kinds of ids; trading its position ids would record nothing."""
    assert page["river"].market.token_ids == (YES, NO)
    of_v2 = page["tok"].market
    assert (of_v2.version, of_v2.condition_id) == ("v2", TOK)
    assert of_v2.token_ids == ("9000000000000000000100", "9000000000000000000101")
    assert page["tok"].end.status == "active"


def test_a_closed_game(page: dict[str, Listing]) -> None:
    market, end = page["epl"].market, page["epl"].end
    assert (market.version, market.game_id, market.sports_market_type) == ("v1", "4711", "moneyline")
    assert (market.game_start_at, market.tick_e6) == (at(2026, 11, 21, 17, 30), 2_500)
    assert (market.closed, market.end_proposed, market.category) == (True, True, "sports")
    assert end.closed_at == datetime(2026, 11, 21, 19, 41, 12, 500_000, UTC)
    assert (end.prices, end.status) == (("0", "1"), "resolved")
    assert end.statuses == ("proposed", "disputed", "proposed", "resolved")
    assert end.automatically_resolved is False


def test_a_closed_market_keeps_its_fees_and_an_open_one_without_has_none(page: dict[str, Listing]) -> None:
    """What a trade cost is asked long after the market closed."""
    row = case("gamma/markets_keyset_page.json")[0]
    assert page["epl"].market.fees == FeeSchedule(0.05, 1.0, True, 0.15)
    assert parse.market({**row, "feesEnabled": False}).fees is None
    assert parse.market({**row, "feeSchedule": None}).fees is None


def test_a_placeholder_leg_has_no_tokens(page: dict[str, Listing]) -> None:
    market = page["person"].market
    assert (market.token_ids, market.active, market.accepting_orders) == ((), False, True)
    assert page["person"].end.prices == ()
    assert market.neg_risk_id is not None


@pytest.mark.parametrize("ids", [None, "", "[]", '["",""]', '["1",""]'])
def test_tokens_not_minted_yet_are_none(ids: str | None) -> None:
    row = case("gamma/markets_keyset_page.json")[0]
    assert parse.market({**row, "clobTokenIds": ids}).token_ids == ()


@pytest.mark.parametrize(
    ("changed", "category"),
    [({"tags": [{"slug": "politics"}, {"slug": "mentions"}]}, "mentions"), ({"tags": [{"slug": "Fed"}]}, "economics"), ({"tags": [{"slug": "hide-from-new"}]}, "weather"),
     ({"tags": [{"slug": "hide-from-new"}], "feeType": None}, "other"), ({"events": [], "feeType": "finance_fees"}, "finance"), ({"events": [], "feeType": "general_fees"}, "other"),
     ({"events": [], "feeType": None}, None), ({"events": [], "feeType": None, "category": "Crypto"}, "crypto"), ({"events": [], "feeType": "zero_fees"}, "geopolitics")],
)  # fmt: skip
def test_category_is_of_a_fixed_list(changed: dict[str, Any], category: str | None) -> None:
    row = case("gamma/markets_keyset_page.json")[0]
    assert parse.market({**row, **changed}).category == category


@pytest.mark.parametrize(
    ("status", "proposed"),
    [(None, False), ("", False), ("requested", False), ("proposed", True), ("disputed", True), ("resolved", True), ("settled", True), ("Proposed", True)],
)  # fmt: skip
def test_a_proposal_ends_trading_whatever_it_says(status: str | None, proposed: bool) -> None:
    row = case("gamma/markets_keyset_page.json")[0]
    assert parse.market({**row, "umaResolutionStatus": status}).end_proposed is proposed


REVEALING = ("outcomePrices", "closedTime", "umaResolutionStatuses", "automaticallyResolved", "lastTradePrice", "bestBid", "bestAsk", "resolvedBy", "umaEndDate")  # fmt: skip


def test_nothing_that_reveals_the_end_reaches_a_market(page: dict[str, Listing]) -> None:
    """The outcome never meets the question: a row told both ways is the same market."""
    row = case("gamma/markets_keyset_page.json")[2]
    other = {**row, "outcomePrices": '["1", "0"]', "closedTime": "2026-11-22 00:00:00+00", "umaResolutionStatuses": "[]", "automaticallyResolved": True, "lastTradePrice": 0.999}  # fmt: skip
    assert parse.market(other) == page["epl"].market
    assert parse.market({k: v for k, v in row.items() if k not in REVEALING}) == page["epl"].market
    assert parse.market_end(other) != page["epl"].end
    assert not {"prices", "closed_at", "status", "winner"} & set(Market.__struct_fields__)


@pytest.mark.parametrize(
    "changed",
    [{"id": None}, {"conditionId": ""}, {"conditionId": "0x12"}, {"version": "v3"}, {"outcomes": "[\"Yes\""}, {"outcomes": "{}"}, {"clobTokenIds": '["1"]'}, {"clobTokenIds": '["a","b"]'}, {"endDate": "soon"},
     {"closedTime": "NOW()"}, {"orderPriceMinTickSize": "abc"}, {"orderPriceMinTickSize": -0.01}, {"volumeNum": float("nan")}, {"volumeNum": 10**400}, {"closed": "yes"}, {"feeSchedule": {"rate": 0.05}}, {"events": [1]}],
    ids=str,
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_told_with_its_evidence(changed: dict[str, Any]) -> None:
    row = case("gamma/markets_keyset_page.json")[0]
    with pytest.raises(MalformedPayload) as raised:
        parse.listing({**row, **changed})
    assert raised.value.kind == "catalogue row"
    assert raised.value.evidence


@pytest.mark.parametrize("row", [None, 1, "x", "", b"\xff", [], "[]", "{}", {}, {1: 2}, {"id": object()}, "[" * 100_000, '{"id":' * 100_000])  # fmt: skip
@pytest.mark.parametrize("parser", [parse.listing, parse.market, parse.market_end, parse.book, parse.clob_market, parse.trade, parse.price_point, parse.resolution_row])  # fmt: skip
def test_what_is_no_row_at_all(parser: Any, row: Any) -> None:
    with pytest.raises(MalformedPayload):
        parser(row)


def test_nesting_without_end_is_malformed() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    row = {**case("gamma/markets_keyset_page.json")[0], "events": deep}
    with pytest.raises(MalformedPayload):
        parse.listing(row)
    while deep:  # freeing it in one go would recurse as deep
        deep = deep.pop()


def test_numbers_keep_their_text() -> None:
    """0.1 + 0.2 of a float is not 0.3: a size of 17 digits survives only as text."""
    row = b'{"market":"%b","asset_id":"1","bids":[{"price":0.1,"size":123456789012.1234565}],"asks":[]}'
    book = parse.book(row % RIVER.encode())
    assert book.bids == (Level(100_000, 123_456_789_012_123_456),)


# --- the order books --------------------------------------------------------------------------------


def test_books_are_best_first_whatever_the_wire_says() -> None:
    row = case("clob/books_pair_and_v2_empty.json")[0]
    book = parse.book(row)
    assert book.bids == (Level(380_000, 7_000_000), Level(370_000, 12_500_000), Level(10_000, 1_000_000_000))
    assert book.asks == (Level(390_000, 20_750_000), Level(990_000, 800_000_000))
    shuffled = {**row, "bids": row["bids"][::-1], "asks": row["asks"][::-1]}
    assert parse.book(shuffled) == book
    assert (book.condition_id, book.token_id, book.hash) == (RIVER, YES, row["hash"])
    assert book.venue_at == datetime(2026, 11, 22, 9, 59, 59, 123_000, UTC)
    assert (book.tick_e6, book.min_size_e6, book.last_trade_e6, book.version) == (
        10_000,
        5 * E6,
        390_000,
        None,
    )


def test_an_empty_book_never_traded_has_no_last_trade() -> None:
    """`""` read as 0 would be a price."""
    book = parse.book(case("clob/books_pair_and_v2_empty.json")[2])
    assert (book.bids, book.asks, book.last_trade_e6, book.version) == ((), (), None, "v2")
    assert book.condition_id == TOK


def test_a_level_of_size_0_is_no_level() -> None:
    row = {"market": RIVER, "asset_id": "1", "bids": [{"price": "0.5", "size": "0"}], "asks": []}
    assert parse.book(row).bids == ()


def test_markets_of_the_order_book_service_in_both_forms() -> None:
    full = parse.clob_market(case("clob/market_full_closed.json")[0])
    assert full.tokens == (ClobToken("31", "Reds", False), ClobToken("32", "Blues", True))
    assert (full.closed, full.accepting_orders, full.tick_e6) == (True, True, 2_500)
    compact = parse.clob_market(case("clob/clob_markets_compact_v2.json")[0])
    assert (compact.condition_id, compact.version, compact.tick_e6) == (TOK, "v2", 1_000)
    assert compact.tokens[0] == ClobToken("9000000000000000000100", "Up", None)
    assert compact.fees == FeeSchedule(0.07, 1.0, True)


# --- the Data API -----------------------------------------------------------------------------------


def test_trades_of_both_generations() -> None:
    buy, sell, unjoined = map(parse.trade, case("data/v2_trades_btc15m_page1_own.json"))
    assert (buy.condition_id, buy.token_id, buy.outcome_index, buy.is_buy) == (RIVER, YES, 0, True)
    assert (buy.price_e6, buy.size_e6, buy.tx_hash) == (390_000, 11_718_750, f"0x{1001:064x}")
    assert (sell.is_buy, sell.price_e6, sell.outcome_index) == (False, 615_000, 1)
    assert unjoined.outcome_index is None
    (old,) = map(parse.trade, case("data/v1_activity_trades_own.json"))
    assert (old.token_id, old.price_e6, old.size_e6) == (YES, 390_000, 11_718_750)
    assert old.traded_at == datetime.fromtimestamp(1773718931, UTC)


@pytest.mark.parametrize("changed", [{"side": "HOLD"}, {"price": 1.5}, {"size": -1}, {"transaction_hash": ""}, {"outcome_index": -1}, {"timestamp": "now"}, {"price": None}], ids=str)  # fmt: skip
def test_a_trade_that_cannot_be_read(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedPayload):
        parse.trade({**case("data/v2_trades_btc15m_page1_own.json")[0], **changed})


def test_price_points_of_both_generations() -> None:
    points = list(map(parse.price_point, case("data/v2_prices_history_own.json")))
    assert [(point.price, point.resolution_s) for point in points] == [(0.395, 300), (0.41, 1800), (1.0, 0)]
    old = parse.price_point(case("clob/prices_history_v1_own.json")[0], v1_resolution_s=3600)
    assert (old.price, old.resolution_s) == (0.004, 3600)


@pytest.mark.parametrize("price", [0.5, "0.5", 0, 1, "1", 1e-3])
def test_points_read_at_once_are_those_read_one_by_one(price: object) -> None:
    """The quick way must not take what the careful one refuses, nor read it otherwise."""
    rows = [msgspec.json.encode({"timestamp": 1_791_238_500 + n, "price": price, "resolution_seconds": 300}) for n in range(3)]  # fmt: skip
    assert parse.price_points(rows) == [parse.price_point(row) for row in rows]
    old = msgspec.json.encode({"t": 1_791_238_500, "p": price})
    assert parse.price_points([*rows, old], v1_resolution_s=3600)[-1].resolution_s == 3600


@pytest.mark.parametrize("bad", [{"price": 1.5}, {"price": "nan"}, {"timestamp": -1}, {"resolution_seconds": -300}, {"price": None}])  # fmt: skip
def test_one_point_that_cannot_be_read_is_named_among_others(bad: dict[str, object]) -> None:
    point = {"timestamp": 1_791_238_500, "price": 0.5, "resolution_seconds": 300}
    with pytest.raises(MalformedPayload, match="price point"):
        parse.price_points([msgspec.json.encode(point), msgspec.json.encode({**point, **bad})])


def test_resolutions_of_conditions_and_of_questions() -> None:
    done, posed = map(parse.resolution_row, case("data/v2_resolutions_own.json"))
    assert (done.condition_id, done.status, done.was_disputed) == (TOK, "resolved", True)
    assert (done.payouts_e6, done.reporter, done.market_type) == ((E6, 0), "CHAINLINK", "BINARY")
    assert done.resolved_at == at(2026, 11, 22, 10, 6, 10)
    assert (posed.payouts_e6, posed.resolved_at, posed.status) == (None, None, "posed")


# --- recorded facts ---------------------------------------------------------------------------------


def test_yes_and_no_of_the_recorded_books_are_mirrors(recorded_dir: Path) -> None:
    """What lets us record one token of two (PROTOCOL fact 20)."""
    books = {book.token_id: book for book in map(parse.book, recorded.rows(recorded_dir, "clob/books_post_fed_june_2026.json"))}  # fmt: skip
    markets = recorded.rows(recorded_dir, "clob/clob_markets_compact_fed_june_2026.json")
    assert len(markets) == 5
    for market in map(parse.clob_market, markets):
        yes, no = (books[token.token_id] for token in market.tokens)
        assert tuple(Level(E6 - level.price_e6, level.size_e6) for level in yes.bids) == no.asks
        assert tuple(Level(E6 - level.price_e6, level.size_e6) for level in yes.asks) == no.bids
        assert yes.last_trade_e6 == no.last_trade_e6
        assert yes.bids[0].price_e6 == max(level.price_e6 for level in yes.bids) < yes.asks[0].price_e6
        assert yes.asks[0].price_e6 == min(level.price_e6 for level in yes.asks)
        assert yes.tick_e6 == 1_000


def test_recorded_hashes_are_kept_as_they_came(recorded_dir: Path) -> None:
    for row in recorded.rows(recorded_dir, "clob/books_post_fed_june_2026.json"):
        assert parse.book(row).hash == row["hash"]


def test_the_second_generation_as_recorded(recorded_dir: Path) -> None:
    """The canary market of October 2026: one identity in all services."""
    condition = "0x017791f201d5a788e0039e511fc1900e5f" + "0" * 30
    token = "663574927012476832975694178961957910328055987427402067619466963999000625152"
    book = parse.book(recorded.rows(recorded_dir, "clob/book_empty_v2_canary_2026_10_05.json")[0])
    market = parse.clob_market(recorded.rows(recorded_dir, "clob/clob_markets_compact_v2_canary_2026_10_05.json")[0])  # fmt: skip
    assert (book.condition_id, book.token_id, book.version) == (condition, token, "v2")
    assert (market.condition_id, market.tokens[0].token_id, market.version) == (condition, token, "v2")
    assert int(market.tokens[1].token_id) - int(token) == 1


def test_the_documented_second_generation_of_the_catalogue(recorded_dir: Path) -> None:
    """The only published v2 row is a fragment; with an identity it is a market."""
    fragment = json.loads((recorded_dir / "gamma/docs_example_market_v2_fragment.json").read_text())
    listing = parse.listing({"id": "1", "conditionId": "0x" + "0d" * 31, **fragment})
    assert listing.market.token_ids == tuple(fragment["positionIds"])
    assert listing.market.condition_id == "0x" + "0d" * 31 + "00"
    assert listing.end.prices == ("0.085", "0.915")


def test_a_recorded_v1_market_with_both_kinds_of_ids(recorded_dir: Path) -> None:
    (row,) = recorded.rows(recorded_dir, "gamma/markets_keyset_page_trimmed_to_1_2026_10_06.json")
    assert row["positionIds"]
    assert list(parse.market(row).token_ids) == json.loads(row["clobTokenIds"])


def edge_cases(recorded_dir: Path) -> dict[str, list[Listing]]:
    lines = recorded.documents(recorded_dir / "gamma/markets_resolved_2024_edge_cases.jsonl")
    found: dict[str, list[Listing]] = {}
    for line in lines:
        found.setdefault(line["case"], []).append(parse.listing(line["market"]))
    return found


EDGES: dict[str, Any] = {
    "fifty_fifty": lambda m: m.end.prices == ("0.5", "0.5") and m.end.status == "resolved",
    "one_one_anomaly": lambda m: m.end.prices == ("1", "1") and m.end.status == "resolved",
    "status_disputed_but_final_prices": lambda m: m.end.status == "disputed" and set(m.end.prices) == {"0", "1"},
    "status_missing": lambda m: m.end.status is None and m.end.closed,
    "was_disputed_then_resolved": lambda m: "disputed" in m.end.statuses and m.end.status == "resolved",
    "stuck_proposed": lambda m: m.end.status == "proposed" and m.end.closed and set(m.end.prices) == {"0", "1"},
    "no_closed_time": lambda m: m.end.closed_at is None and m.end.closed,
    "no_end_date": lambda m: m.market.scheduled_end is None,
    "negrisk_key_absent": lambda m: m.market.neg_risk is False,
    "two_sided_names": lambda m: set(m.market.outcomes) != {"Yes", "No"} and len(m.market.outcomes) == 2,
    "accepting_orders_true_while_closed": lambda m: m.market.accepting_orders and m.market.closed,
    "closed_before_end_date": lambda m: m.end.closed_at < m.market.scheduled_end,
}  # fmt: skip


def test_edge_cases_of_2024_are_what_their_names_say(recorded_dir: Path) -> None:
    found = edge_cases(recorded_dir)
    assert sum(map(len, found.values())) == 53
    for name, holds in EDGES.items():
        assert found[name], name
        assert all(holds(listing) for listing in found[name]), name
    unnamed = set(found) - set(EDGES)
    assert all(name.startswith("negrisk_") for name in unnamed), unnamed
    for name in unnamed:
        assert all(listing.market.neg_risk for listing in found[name]), name


def test_up_down_markets_of_july_2026_agree_with_their_collector(recorded_dir: Path) -> None:
    for line in recorded.documents(recorded_dir / "gamma/markets_resolved_btc5m_2026_07_24_first24.jsonl"):
        listing = parse.listing(line["raw"])
        assert listing.market.condition_id == line["condition_id"]
        assert list(listing.market.token_ids) == line["token_ids"]
        assert list(listing.end.prices) == line["outcome_prices"]
        assert listing.market.window_start_at == datetime.fromtimestamp(line["start_sec"], UTC)
        assert listing.market.scheduled_end == datetime.fromtimestamp(line["end_sec"], UTC)


def test_rows_are_read_from_text_and_raw_alike() -> None:
    row = case("gamma/markets_keyset_page.json")[0]
    text = json.dumps(row)
    assert parse.listing(text) == parse.listing(text.encode()) == parse.listing(msgspec.Raw(text.encode())) == parse.listing(row)  # fmt: skip
