"""Trades are counted once, and over the gaps of the stream the Data API fills in exactly what was not heard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.collecting import healing
from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.shards import shard_of
from polymarket_assets.venue.errors import Gone, MalformedPayload, PolymarketError, Refused, Unavailable
from polymarket_assets.venue.records import Page, Trade
from polymarket_assets_tests.collecting.fakes import HOUR, Time, list_markets, market_id, market_row, token

NOW = HOUR + timedelta(hours=1, minutes=8)


def at(seconds: float) -> datetime:
    return HOUR + timedelta(seconds=seconds)


def heard(tx: int, seconds: float, n: int = 1, **changed: Any) -> dict[str, Any]:
    """A row of `trades_raw`: trade `tx` of market `n`, heard a tenth of a second after the match."""
    return {
        "session_id": "a", "connection": 0, "sequence": tx, "received_at": at(seconds + 0.1), "venue_at": at(seconds),
        "market_id": market_id(n), "token_id": token(n), "outcome_index": 0, "is_buy": True,
        "price_e6": 400_000, "size_e6": 10_000_000, "tx_hash": tx.to_bytes(32), **changed,
    }  # fmt: skip


def fill(tx: int, seconds: float, n: int = 1, **changed: Any) -> Trade:
    """The same trade as the Data API has it: two seconds later, in whole seconds."""
    fields: dict[str, Any] = {
        "condition_id": f"0x{n:064x}", "token_id": token(n), "outcome_index": 0, "is_buy": True,
        "price_e6": 400_000, "size_e6": 10_000_000, "traded_at": at(int(seconds) + 2), "tx_hash": f"0x{tx:064x}",
    }  # fmt: skip
    return Trade(**{**fields, **changed})


def gap(start: float, end: float, **changed: Any) -> dict[str, Any]:
    return {"gap_id": f"a:{start}", "session_id": "a", "from_at": at(start), "to_at": at(end), "cause": "closed", **changed}  # fmt: skip


@dataclass
class Data:
    """Trades of markets, newest first, pages of two; fails for a market if told to."""

    trades_of: list[Trade] = field(default_factory=list)
    failure: PolymarketError | None = None
    asked: list[tuple[str, datetime]] = field(default_factory=list)

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        self.asked.append((condition_id, since))
        if self.failure is not None and condition_id == f"0x{1:064x}":
            raise self.failure
        found = [t for t in self.trades_of if t.condition_id == condition_id and t.traded_at >= since]
        found.sort(key=lambda t: t.traded_at, reverse=True)
        for first in range(0, len(found), 2):
            yield Page(tuple(found[first : first + 2]), None)


def record(lake: Lake, *rows: dict[str, Any], gaps: tuple[dict[str, Any], ...] = ()) -> None:
    for row in rows:
        received = row["received_at"]
        part = f"{row['session_id']}-{row['connection']}-{row['sequence']}"
        lake.publish_rows("trades_raw", [row], part=part, at=received)
    for n, row in enumerate(gaps):
        lake.publish_rows("stream_gaps", [row], part=f"{n}", at=row["to_at"])


def build(lake: Lake, data: Data | None = None) -> healing.TradesReport:
    return healing.build_trades(lake, data, HOUR, clock=Time(NOW).clock)


def trades(lake: Lake) -> list[dict[str, Any]]:
    return sorted(
        reading.rows(lake, "trades").to_pylist(), key=lambda row: (row["traded_at"], row["size_e6"])
    )


def test_a_trade_heard_on_two_sockets_is_one_trade(lake: Lake) -> None:
    record(lake, heard(1, 10), heard(1, 10, connection=1, sequence=77), heard(2, 11))
    report = build(lake)
    assert (report.rows, report.stream, report.healing) == (2, 2, "not done: no Data API was given")
    assert trades(lake)[0]["usd_e6"] == 4_000_000


def test_the_same_message_delivered_twice_is_one_trade_and_another_size_is_another(lake: Lake) -> None:
    """Also after a reconnect, under another session: the venue sends one message per transaction."""
    twice = [heard(1, 10), heard(1, 10, sequence=2), heard(1, 10, session_id="b", venue_at=at(10.001))]
    record(lake, *twice, heard(1, 10, sequence=3, size_e6=1), heard(1, 10, sequence=4, is_buy=False))
    assert build(lake).rows == 3
    assert len({row["trade_id"] for row in trades(lake)}) == 3


def test_trades_are_filed_by_the_match_whenever_they_were_heard(lake: Lake) -> None:
    record(lake, heard(1, 3599.95), heard(2, -0.05), heard(3, 3600))
    build(lake)
    assert [row["tx_hash"] for row in trades(lake)] == [(1).to_bytes(32)]


def test_without_a_gap_nobody_is_asked(lake: Lake) -> None:
    record(lake, heard(1, 10), gaps=(gap(-500, -200), gap(4000, 4100)))
    data = Data([fill(9, 20)])
    report = build(lake, data)
    assert (report.rows, report.gaps, data.asked) == (1, 0, [])


def test_what_was_not_heard_is_recovered_and_what_was_is_not_doubled(lake: Lake) -> None:
    """The block comes two seconds after the match: matching by time would count half the trades twice."""
    record(lake, heard(1, 10), heard(2, 170), gaps=(gap(140, 160),))
    data = Data([fill(1, 10), fill(7, 145), fill(8, 158), fill(2, 170)])
    report = build(lake, data)
    assert (report.rows, report.stream, report.rest, report.both, report.recovered) == (4, 1, 2, 1, 2)
    assert (report.gaps, report.affected, report.healed, report.unhealed) == (1, 1, 1, 0)
    assert [row["source"] for row in trades(lake)] == ["stream", "rest", "rest", "both"]
    rest = trades(lake)[1]
    assert (rest["traded_at"], rest["received_at"]) == (at(147), NOW)


def test_of_a_trade_both_have_the_stream_tells_the_time_and_the_data_api_the_fills(lake: Lake) -> None:
    record(lake, heard(1, 30, size_e6=30_000_000, price_e6=410_000), gaps=(gap(20, 29.9),))
    fills = [
        fill(1, 30, size_e6=size, price_e6=price)
        for size, price in ((10_000_000, 400_000), (20_000_000, 410_000))
    ]
    report = build(lake, Data(fills))
    assert (report.both, report.rest) == (2, 0)
    assert [(r["traded_at"], r["received_at"], r["price_e6"], r["size_e6"]) for r in trades(lake)] == [
        (at(30), at(30.1), 400_000, 10_000_000),
        (at(30), at(30.1), 410_000, 20_000_000),
    ]


def test_a_trade_keeps_its_identity_when_it_is_healed_later(lake: Lake) -> None:
    record(lake, heard(1, 30))
    build(lake)
    before = trades(lake)[0]["trade_id"]
    record(lake, gaps=(gap(20, 29),))
    build(lake, Data([fill(1, 30, size_e6=10_000_001)]))
    assert [row["trade_id"] for row in trades(lake)] == [before]


def test_a_match_before_the_hour_with_its_block_in_it_belongs_to_the_hour_before(lake: Lake) -> None:
    record(lake, heard(1, -1), heard(2, 100), gaps=(gap(-30, -10), gap(50, 60)))
    report = build(lake, Data([fill(1, -1), fill(2, 100)]))
    assert (report.rows, report.rest) == (1, 0)


@pytest.mark.parametrize(
    ("changed", "markets"),
    [
        ({}, {1, 2, 3}),
        ({"market_id": market_id(2)}, {2}),
        ({"market_id": market_id(9)}, {9}),
        ({"connection": 1}, {3}),
        ({"connection": 1, "session_id": "z"}, set()),
    ],
)
def test_a_gap_touches_the_markets_that_were_streamed_there(lake: Lake, changed: dict[str, Any], markets: set[int]) -> None:  # fmt: skip
    record(
        lake, heard(1, 10), heard(2, 11, n=2), heard(3, 12, n=3, connection=1), gaps=(gap(20, 60, **changed),)
    )
    data = Data()
    build(lake, data)
    assert {int(condition, 16) for condition, _ in data.asked} == markets


SHARES = {n: shard_of(market_id(n), 2) for n in range(1, 9)}


@pytest.mark.parametrize(
    ("ended", "markets"),
    [
        ("20261102T120000Z-0of2-aaaaaa", {n for n, shard in SHARES.items() if shard == 0}),
        ("20261102T120000Z-1of2-aaaaaa", {n for n, shard in SHARES.items() if shard == 1}),
        ("20261102T120000Z-0of1-aaaaaa", set(SHARES)),
        ("20261102T120000Z-0-aaaaaa", set(SHARES)),
    ],
)
def test_a_gap_of_one_shard_makes_only_its_markets_deaf(lake: Lake, ended: str, markets: set[int]) -> None:
    """Whoever reports it: after a change of the count the session that comes next is of another shard."""
    rows = [heard(n, 10, n=n, session_id=f"20261102T130000Z-{shard}of2-bbbbbb") for n, shard in SHARES.items()]  # fmt: skip
    record(lake, *rows, gaps=(gap(20, 60, gap_id=f"{ended}:0", session_id="20261102T130000Z-0of2-bbbbbb"),))
    data = Data()
    build(lake, data)
    assert {int(condition, 16) for condition, _ in data.asked} == markets


def test_a_market_whose_book_was_streamed_is_healed_though_no_trade_was_heard(lake: Lake) -> None:
    change = {
        "session_id": "a", "connection": 0, "sequence": 1, "row": 0, "received_at": at(5), "market_id": market_id(4),
        "kind": "book", "is_bid": True, "price_e6": 1000, "size_e6": 1, "epoch": 0,
    }  # fmt: skip
    lake.publish_rows("book_changes", [change], part="0", at=at(5))
    record(lake, gaps=(gap(20, 60),))
    assert build(lake, Data([fill(1, 30, n=4)])).recovered == 1


def test_healing_is_bounded_and_says_what_it_left(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healing, "MOST_HEALED", 1)
    busy = [heard(tx, tx, n=2) for tx in (1, 2, 3)]
    record(lake, *busy, heard(9, 9, n=1), gaps=(gap(20, 60),))
    data = Data()
    report = build(lake, data)
    assert (report.affected, report.healed, report.unhealed) == (2, 1, 1)
    assert [int(condition, 16) for condition, _ in data.asked] == [2]


def test_an_outcome_the_venue_has_not_joined_yet_is_found_by_its_token(lake: Lake) -> None:
    list_markets(lake, market_row(1))
    record(lake, heard(1, 10), gaps=(gap(20, 60),))
    joined = fill(5, 30, outcome_index=None, token_id=f"9{token(1)}")
    unknown = fill(6, 31, outcome_index=None, token_id="404")
    report = build(lake, Data([joined, unknown]))
    assert (report.recovered, report.unmapped) == (1, 1)
    assert trades(lake)[-1]["outcome_index"] == 1


def test_a_failing_data_api_keeps_the_trades_heard_and_fails_the_run(lake: Lake) -> None:
    record(lake, heard(1, 10), gaps=(gap(20, 60),))
    with pytest.raises(Unavailable, match="1 of 1 deaf markets are not healed"):
        build(lake, Data(failure=Unavailable("data answered 503")))
    assert len(trades(lake)) == 1


@pytest.mark.parametrize(
    ("failure", "unhealed"),
    [(Gone("404"), 0), (Refused("too many pages"), 1), (MalformedPayload("trade", "x"), 1)],
)
def test_a_market_that_cannot_be_healed_costs_only_itself(lake: Lake, failure: PolymarketError, unhealed: int) -> None:  # fmt: skip
    record(lake, heard(1, 10), heard(2, 10, n=2), gaps=(gap(40, 60),))
    report = build(lake, Data([fill(9, 50, n=2)], failure=failure))
    assert (report.recovered, report.affected, report.unhealed) == (1, 2, unhealed)


def test_trades_without_a_transaction_stay_apart(lake: Lake) -> None:
    record(lake, heard(1, 10, tx_hash=None), heard(2, 11, tx_hash=None))
    assert build(lake).rows == 2
    assert {row["tx_hash"] for row in trades(lake)} == {None}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-60, 3660), st.booleans(), st.booleans()), min_size=1, max_size=25))
def test_whatever_two_sockets_missed_the_hour_holds_every_trade_once(truth: list[tuple[int, bool, bool]]) -> None:  # fmt: skip
    """Trades at random instants, each heard by none, one or both of two sockets; the gap spans the hour."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        rows = [
            heard(tx, seconds + 0.5, connection=socket)
            for tx, (seconds, *by) in enumerate(truth)
            for socket in (0, 1)
            if by[socket]
        ]
        for hour in {row["received_at"].replace(minute=0, second=0, microsecond=0) for row in rows}:
            of_hour = [r for r in rows if r["received_at"].replace(minute=0, second=0, microsecond=0) == hour]
            lake.publish_rows("trades_raw", of_hour, part="0", at=hour)
        record(lake, gaps=(gap(-120, 3720, market_id=market_id(1)),))
        build(lake, Data([fill(tx, seconds + 0.5) for tx, (seconds, *_) in enumerate(truth)]))
        expected = {
            tx.to_bytes(32): "both" if any(by) else "rest"
            for tx, (seconds, *by) in enumerate(truth)
            if 0 <= (seconds + 0.5 if any(by) else int(seconds + 0.5) + 2) < 3600
        }
        assert {row["tx_hash"]: row["source"] for row in trades(lake)} == expected
        assert len(trades(lake)) == len(expected)


def test_an_hour_to_come_is_refused(lake: Lake) -> None:
    with pytest.raises(healing.HourNotBegun, match="has not begun"):
        healing.build_trades(lake, None, NOW + timedelta(hours=1), clock=Time(NOW).clock)


def test_an_hour_without_trades_is_known_to_have_none(lake: Lake) -> None:
    assert build(lake).rows == 0
    assert reading.files(lake, "trades") != []


def account(lake: Lake) -> dict[str, Any]:
    """The account of the hour."""
    (row,) = reading.rows(lake, "trade_hours").to_pylist()
    return row


def states(lake: Lake) -> dict[int, str]:
    return {int(deaf["market_id"][5:], 16): deaf["state"] for deaf in account(lake)["deaf"]}


def test_what_one_build_recovered_the_next_keeps_without_asking(lake: Lake) -> None:
    """Also while the Data API is down; the instant at which it was known first stays."""
    record(lake, heard(1, 10), gaps=(gap(200, 300),))
    build(lake, Data([fill(7, 250)]))
    before = trades(lake)
    down = Data(failure=Unavailable("data answered 503"))
    healing.build_trades(lake, down, HOUR, clock=Time(NOW + timedelta(hours=5)).clock)
    assert (trades(lake), down.asked) == (before, [])


def test_a_gap_recorded_later_is_healed_later(lake: Lake) -> None:
    """A gap that was still open, or of a process that came back hours afterwards, stands in a later hour's files."""
    record(lake, heard(1, 10))
    data = Data([fill(7, 3000)])
    assert build(lake, data).rows == 1
    record(
        lake, heard(99, 12_000, session_id="z"), gaps=(gap(2900, 11_000, session_id="z", cause="crashed"),)
    )
    report = build(lake, data)
    assert (report.rows, report.recovered, report.affected, report.healed) == (2, 1, 1, 1)


def test_a_connection_that_was_deaf_for_hours_is_known_by_what_it_heard_afterwards(lake: Lake) -> None:
    record(lake, heard(1, 12_000, connection=4, n=5), gaps=(gap(20, 11_000, connection=4),))
    data = Data([fill(7, 100, n=5)])
    assert build(lake, data).recovered == 1


def test_an_answer_that_may_be_old_is_asked_for_again(lake: Lake) -> None:
    """The edge keeps an answer for 300 s, so one of five past may not know the last block of the hour."""
    record(lake, heard(1, 10), gaps=(gap(3500, 3590),))
    early = healing.build_trades(lake, Data([]), HOUR, clock=Time(HOUR + timedelta(hours=1, minutes=5)).clock)
    assert (early.early, early.healed, early.unhealed) == (1, 0, 0)
    report = build(lake, Data([fill(7, 3550)]))
    assert (report.recovered, report.healed) == (1, 1)


def test_markets_left_out_come_next_time(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healing, "MOST_HEALED", 2)
    markets = [heard(n, n, n=n) for n in range(1, 6)]
    record(lake, *markets, gaps=(gap(200, 300),))
    data = Data([fill(10 + n, 250, n=n) for n in range(1, 6)])
    assert [build(lake, data).recovered for _ in range(3)] == [2, 4, 5]
    assert len(data.asked) == 5


def test_one_market_without_an_answer_costs_only_itself(lake: Lake) -> None:
    record(lake, heard(1, 10), heard(2, 10, n=2), gaps=(gap(200, 300),))
    with pytest.raises(Unavailable, match="1 of 2 deaf markets are not healed"):
        build(lake, Data([fill(9, 250, n=2)], failure=Unavailable("data answered 503")))
    assert states(lake) == {1: "unanswered", 2: "healed"}
    assert len(trades(lake)) == 3


def test_a_venue_that_is_down_is_not_asked_about_every_market(lake: Lake) -> None:
    class Down(Data):
        def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
            self.asked.append((condition_id, since))
            raise Unavailable("data answered 503")

    record(lake, *(heard(n, n, n=n) for n in range(1, 9)), gaps=(gap(200, 300),))
    down = Down()
    with pytest.raises(Unavailable, match="8 of 8"):
        build(lake, down)
    assert len(down.asked) == 3
    assert account(lake)["unhealed"] == 8


def test_recovered_trades_are_counted_in_the_gap_that_explains_them(lake: Lake) -> None:
    """A trade that no gap explains was lost without our knowing: the worst there is, and it has a figure of its own."""
    record(
        lake, heard(1, 10),
        gaps=(gap(200, 300, market_id=market_id(1)), gap(1000, 1100, market_id=market_id(1))),
    )  # fmt: skip
    report = build(lake, Data([fill(7, 250), fill(8, 1050), fill(9, 1099), fill(10, 2000)]))
    assert (report.recovered, report.unexplained) == (4, 1)
    assert {g["gap_id"]: (g["markets"], g["unhealed"], g["recovered"]) for g in account(lake)["gaps"]} == {
        "a:200": (1, 0, 1), "a:1000": (1, 0, 2),
    }  # fmt: skip


def test_an_hour_whose_messages_were_removed_keeps_its_trades(lake: Lake) -> None:
    record(lake, heard(1, 10))
    build(lake)
    (file,) = lake.store.list("trades_raw")
    lake.store.remove(file)
    with pytest.raises(healing.HeardGone, match="the 1 trades heard"):
        build(lake)
    assert len(trades(lake)) == 1


def test_a_message_without_a_transaction_is_the_trade_of_its_size_soon_after_it(lake: Lake) -> None:
    record(
        lake,
        heard(1, 210, tx_hash=None),
        heard(2, 220, tx_hash=None, size_e6=77_000_000),
        gaps=(gap(200, 300),),
    )
    report = build(lake, Data([fill(5, 210), fill(6, 290)]))
    assert (report.stream, report.both, report.rest) == (1, 1, 1)
    assert [(row["traded_at"], row["tx_hash"] and int.from_bytes(row["tx_hash"])) for row in trades(lake)] == [
        (at(210), 5), (at(220), None), (at(292), 6),
    ]  # fmt: skip


def test_a_message_dated_hours_off_is_filed_by_its_receipt(lake: Lake) -> None:
    record(lake, heard(1, 10, venue_at=at(-90_000)), heard(2, 20, venue_at=at(90_000)))
    build(lake)
    assert [row["traded_at"] for row in trades(lake)] == [at(10.1), at(20.1)]


def test_a_market_told_in_part_is_not_healed(lake: Lake) -> None:
    """Rows that cannot be read, older trades than v1 shows, an outcome nobody knows: what is known is kept, and the rest asked for again."""

    class InPart(Data):
        def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
            yield from super().trades(condition_id, since=since)
            if condition_id == f"0x{1:064x}":
                yield Page((), None, is_cut=True)

    list_markets(lake, market_row(2))
    record(lake, heard(1, 10), heard(2, 10, n=2), gaps=(gap(200, 300),))
    unknown = fill(8, 260, n=2, outcome_index=None, token_id="404")
    report = build(lake, InPart([fill(7, 250), unknown]))
    assert (report.recovered, report.malformed, report.unmapped, report.unhealed) == (1, 1, 1, 2)
    assert states(lake) == {1: "unreadable", 2: "unmapped"}
    report = build(lake, Data([fill(7, 250), fill(8, 260, n=2)]))
    assert (report.recovered, report.healed, report.unhealed) == (2, 2, 0)
