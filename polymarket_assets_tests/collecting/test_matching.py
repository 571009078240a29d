"""The same true trades give the same `trades`, however their copies, pages, gaps and builds fall."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from polymarket_assets.collecting import comparing, fetching, healing
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake
from polymarket_assets.venue.errors import Unavailable
from polymarket_assets.venue.records import Page, Trade
from polymarket_assets.venue.trade_id import trade_id
from polymarket_assets_tests.collecting.fakes import HOUR, Time, market_id, token

HOURS = (HOUR, HOUR + timedelta(hours=1))
NOW = HOUR + timedelta(hours=3)
COPY = st.tuples(
    st.sampled_from(["a", "b"]), st.integers(0, 1), st.sampled_from([0.0, 0.09, 2.0, 130.0, 3000.0])
)


@dataclass(frozen=True)
class Settled:
    """A transaction: what was matched, and how it was heard."""

    number: int
    at: float
    market: int
    outcome: int
    is_buy: bool
    fills: tuple[tuple[int, int], ...]
    block_after: float
    copies: tuple[tuple[str, int, float], ...]
    is_nameless: bool

    @property
    def matched_at(self) -> datetime:
        return HOUR + timedelta(seconds=self.at)

    @property
    def block_at(self) -> datetime:
        return (self.matched_at + timedelta(seconds=self.block_after)).replace(microsecond=0)

    @property
    def token(self) -> str:
        return token(self.market) if self.outcome == 0 else f"9{token(self.market)}"

    def heard(self, sequences: Iterator[int]) -> list[dict[str, Any]]:
        size, price = sum(size for _, size in self.fills), self.fills[-1][0]
        return [
            {
                "session_id": session, "connection": connection, "sequence": next(sequences),
                "received_at": self.matched_at + timedelta(seconds=delay), "venue_at": self.matched_at,
                "market_id": market_id(self.market), "token_id": self.token, "outcome_index": self.outcome, "is_buy": self.is_buy,
                "price_e6": price, "size_e6": size, "tx_hash": None if self.is_nameless else self.number.to_bytes(32),
            }
            for session, connection, delay in self.copies
        ]  # fmt: skip

    def known(self) -> list[Trade]:
        return [
            Trade(
                condition_id=f"0x{self.market:064x}", token_id=self.token, outcome_index=self.outcome, is_buy=self.is_buy,
                price_e6=price, size_e6=size, traded_at=self.block_at, tx_hash=f"0x{self.number:064x}",
            )
            for price, size in self.fills
        ]  # fmt: skip

    def rows(self) -> dict[bytes, tuple[Any, ...]]:
        """What `trades` must hold of it, by id."""
        at, source = (self.matched_at, "both") if self.copies else (self.block_at, "rest")
        return {
            trade_id(self.number.to_bytes(32), self.token, self.is_buy, n): (
                at,
                hour_of(at),
                source,
                price,
                size,
            )
            for n, (price, size) in enumerate(sorted(self.fills))
        }


@st.composite
def truths(draw: st.DrawFn) -> list[Settled]:
    """Up to a dozen transactions, many of them at the edges of hours; sizes tell transactions apart, also by the sum of their fills."""
    edges = st.one_of(st.floats(0, 7190), st.sampled_from([0.0, 3597.9, 3599.0, 3599.95, 3600.0, 3601.0]))
    found = []
    for number in range(draw(st.integers(1, 12))):
        prices = draw(st.lists(st.integers(1, 999), min_size=1, max_size=3, unique=True))
        fills = tuple((price * 1000, (101 + number) * 10**8 + n) for n, price in enumerate(prices))
        found.append(
            Settled(
                number + 1, round(draw(edges), 3), draw(st.integers(1, 2)), draw(st.integers(0, 1)), draw(st.booleans()), fills,
                draw(st.floats(1.0, 8.0)), tuple(draw(st.lists(COPY, max_size=3))), draw(st.integers(0, 4)) == 0,
            )
        )  # fmt: skip
    return found


@dataclass
class Data:
    """The Data API: pages of some rows, each beginning with the end of the one before; fails when told to."""

    truth: list[Settled]
    page: int
    overlap: int
    fails: list[bool] = field(default_factory=list)

    def trades(self, condition_id: str, *, since: datetime) -> Iterator[Page]:
        if self.fails and self.fails.pop():
            raise Unavailable("data answered 503")
        found = [trade for true in self.truth for trade in true.known()]
        found = [t for t in found if t.condition_id == condition_id and t.traded_at >= since]
        found.sort(key=lambda trade: (trade.traded_at, trade.size_e6), reverse=True)
        for first in range(0, len(found), self.page):
            yield Page(tuple(found[max(0, first - self.overlap) : first + self.page]), None)


def record(lake: Lake, truth: list[Settled], gaps: bool = True) -> None:
    sequences = itertools.count()
    rows = [row for true in truth for row in true.heard(sequences)]
    for hour, of_hour in itertools.groupby(sorted(rows, key=lambda r: r["received_at"]), lambda r: hour_of(r["received_at"])):  # fmt: skip
        lake.publish_rows("trades_raw", list(of_hour), part="0", at=hour)
    if gaps:
        record_gaps(lake)


def record_gaps(lake: Lake) -> None:
    """Both markets were deaf all the time, as far as we know."""
    end = HOUR + timedelta(hours=2)
    rows = [
        {"gap_id": f"a:{n}", "session_id": "a", "market_id": market_id(n), "from_at": HOUR - timedelta(minutes=5), "to_at": end, "cause": "silent"}
        for n in (1, 2)
    ]  # fmt: skip
    lake.publish_rows("stream_gaps", rows, part="0", at=end)


def build(lake: Lake, data: Data, hour: datetime) -> None:
    with contextlib.suppress(Unavailable):
        healing.build_trades(lake, data, hour, clock=Time(NOW).clock)


def told(lake: Lake) -> dict[bytes, tuple[Any, ...]]:
    """Rows of both hours by id, with the hour whose folder holds them."""
    rows = [(hour, row) for hour in HOURS for row in reading.rows(lake, "trades", Span.hour(hour)).to_pylist()]  # fmt: skip
    found = {row["trade_id"]: (row["traded_at"], hour, row["source"], row["price_e6"], row["size_e6"]) for hour, row in rows}  # fmt: skip
    assert len(found) == len(rows)
    return found


def expected(truth: list[Settled]) -> dict[bytes, tuple[Any, ...]]:
    return {id_: row for true in truth for id_, row in true.rows().items() if HOUR <= row[1] <= HOURS[1]}


@settings(max_examples=15, deadline=None)
@given(truths(), st.integers(1, 7), st.integers(0, 3), st.permutations(HOURS * 2))
def test_each_trade_stands_once_in_one_hour_whatever_was_heard_and_in_whatever_order_hours_are_built(
    truth: list[Settled], page: int, overlap: int, order: list[datetime]
) -> None:
    """Copies of other sockets and sessions, late ones, messages without a transaction, both tokens of a market, rows of
    the Data API told twice: the rows are those of the Data API, with the instants of the stream where it was heard."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        record(lake, truth)
        for hour in order:
            build(lake, Data(truth, page, overlap), hour)
        assert told(lake) == expected(truth)
        assert all(comparing.standing(lake, Span.hour(hour)).in_two_hours == 0 for hour in HOURS)


@settings(max_examples=15, deadline=None)
@given(truths(), st.lists(st.tuples(st.sampled_from(HOURS), st.booleans()), max_size=5))
def test_whatever_failed_on_the_way_the_rows_are_those_of_one_good_build(
    truth: list[Settled], tries: list[tuple[datetime, bool]]
) -> None:
    """Builds before the gap is recorded, and while the Data API is down, lose nothing and leave nothing."""
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(folder)
        record(lake, truth, gaps=False)
        build(lake, Data(truth, 3, 0), HOUR)
        record_gaps(lake)
        for hour, fails in tries:
            build(lake, Data(truth, 3, 0, fails=[fails]), hour)
        for hour in HOURS:
            build(lake, Data(truth, 3, 0), hour)
        assert told(lake) == expected(truth)
        before = reading.rows(lake, "trades")
        for hour in HOURS:
            build(lake, Data([], 3, 0), hour)
        assert reading.rows(lake, "trades") == before


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 9), st.integers(0, 9))
def test_a_page_that_begins_with_the_end_of_the_last_one_adds_nothing(sizes: list[int], page: int, overlap: int) -> None:  # fmt: skip
    trades = [true.known()[0] for true in (Settled(n + 1, n, 1, 0, True, ((1000, n),), 2.0, (), False) for n in sizes)]  # fmt: skip
    distinct = list(dict.fromkeys(trades))
    pages = [(Page(tuple(distinct[max(0, n - overlap) : n + page]), None), NOW) for n in range(0, len(distinct), page)]  # fmt: skip
    assert [trade for trade, _ in fetching.once(pages)] == distinct


def test_equal_rows_of_one_page_are_several_fills() -> None:
    row = Settled(1, 0, 1, 0, True, ((1000, 1),), 2.0, (), False).known()[0]
    assert len(fetching.once([(Page((row, row), None), NOW), (Page((row,), None), NOW)])) == 2


def test_the_leg_in_the_other_token_is_not_a_second_trade(tmp_path: Any) -> None:
    """Issue: matched by transaction. The Data API names the taker's token, whatever the message said."""
    lake = Lake(tmp_path)
    heard = Settled(1, 10.0, 1, 1, True, ((300_000, 10**9),), 2.0, (("a", 0, 0.1),), False)
    record(lake, [heard])
    build(lake, Data([Settled(1, 10.0, 1, 0, False, ((700_000, 10**9),), 2.0, (), False)], 5, 0), HOUR)
    (row,) = reading.rows(lake, "trades").to_pylist()
    assert (row["outcome_index"], row["is_buy"], row["price_e6"], row["source"]) == (
        0,
        False,
        700_000,
        "both",
    )
    assert row["traded_at"] == heard.matched_at
