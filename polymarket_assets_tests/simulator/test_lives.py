"""A market's life from listing to close, step by step with a clock in hand."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from polymarket_assets_tests.simulator.conftest import BUSY, lines
from simulator.catalogue import Generated
from simulator.data import resolution
from simulator.engine import Engine
from simulator.exchange import Exchange
from simulator.ledger import Ledger
from simulator.market import Market
from simulator.rows import Row
from simulator.sockets import Hub
from simulator.universe import Universe

START = 1_795_418_700.0
SIX_MINUTES, LOOK_EVERY_S = 360, 4
# Enough of every kind of ending within the time, and little else.
LIVELY = replace(BUSY, name="lively", brief_every_s=1.6)


class Lived:
    """A venue that was stepped through ten minutes, and what its services said of each market at each step."""

    def __init__(self, ledger: Path, lasts_s: int = SIX_MINUTES, seed: int = 11) -> None:
        self.now, self._until = START, START + lasts_s
        self.exchange = Exchange(Universe(seed, LIVELY, START), seed, lambda: self.now)
        told = Ledger(ledger)
        self.engine = Engine(self.exchange, Hub(self.exchange, told, lambda: self.now), told)
        self.catalogue = Generated(self.exchange)
        self.rows, self.books, self.resolutions = {}, {}, {}  # type: ignore[var-annotated]
        asyncio.run(self._live())
        told.close()

    async def _live(self) -> None:
        self.engine.begin()
        while self.now < self._until:
            self.now += 1.0
            self.engine.step(self.now)
            if self.now % LOOK_EVERY_S == 0:
                self._note()

    def _note(self) -> None:
        for market in self.live_markets():
            self.rows[market.id, self.now] = self.catalogue.market(market.id).row  # type: ignore[union-attr]
            self.books[market.id, self.now] = self.exchange.book(market.tokens[0]) is not None
            if market.ending.steps:
                self.resolutions[market.id, self.now] = resolution(market, self.now)

    def told_of(self, market: Market) -> list[Row]:
        """What its row said, in order of time."""
        return [row for (market_id, _), row in self.rows.items() if market_id == market.id]

    def live_markets(self) -> list[Market]:
        """Those that were open at some time since the start."""
        markets = self.exchange.universe.markets.values()
        return [
            m for m in markets if m.ending.closed_at > START and not m.placeholder and m.listed_at <= self.now
        ]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lives") / "ledger.jsonl"


@pytest.fixture(scope="module")
def lived(ledger: Path) -> Lived:
    return Lived(ledger)


def test_an_ended_market_closes_within_seconds_or_is_proposed_first(lived: Lived) -> None:
    for market in lived.live_markets():
        wait = market.ending.closed_at - market.ends_at
        assert 5 <= wait <= 20 or (market.ending.steps and 45 <= wait <= 70)


def test_after_a_proposal_the_book_is_gone_though_the_row_is_still_open(lived: Lived) -> None:
    seen = 0
    for (market_id, at), row in lived.rows.items():
        market = lived.exchange.universe.markets[market_id]
        if market.ending.steps and market.ending.steps[0][0] <= at < market.ending.closed_at:
            seen += 1
            assert row["closed"] is False
            assert row["umaResolutionStatus"] in ("proposed", "disputed")
            assert not lived.books[market_id, at]
    assert seen > 10


def test_a_disputed_market_says_so_everywhere_before_it_is_resolved(lived: Lived) -> None:
    words: dict[str, list[str]] = {}
    for (market_id, _), row in lived.resolutions.items():
        words.setdefault(market_id, []).append(row["status"])
    stories = {tuple(dict.fromkeys(said)) for said in words.values()}
    assert any({"proposed", "disputed", "reproposed", "resolved"} <= set(story) for story in stories)
    for (market_id, at), row in lived.resolutions.items():
        assert ("payouts" in row) == lived.rows[market_id, at]["closed"]


def test_books_are_served_from_listing_to_the_end_of_trading(lived: Lived) -> None:
    for (market_id, at), served in lived.books.items():
        market = lived.exchange.universe.markets[market_id]
        expected = market.has_book and at < market.ending.book_until
        assert served == expected


def test_trading_ends_with_the_information(lived: Lived) -> None:
    made = [
        (market, t) for market in lived.live_markets() for t in lived.exchange.live_trades.get(market.id, [])
    ]
    assert len(made) > 300
    assert all(trade.at <= market.ends_at + 1 for market, trade in made)
    assert all(trade.size > 0 for _, trade in made)
    assert len({trade.tx for _, trade in made}) == len(made)


def test_the_ledger_lists_and_resolves_every_market_once_and_rightly(lived: Lived, ledger: Path) -> None:
    listed = [line["condition_id"] for line in lines(ledger, "listed")]
    assert sorted(listed) == sorted(market.condition_id for market in lived.live_markets())
    resolved = {line["condition_id"]: line for line in lines(ledger, "resolved")}
    ended = [m for m in lived.live_markets() if m.ending.closed_at <= lived.now]
    assert len(ended) > 50
    assert set(resolved) == {market.condition_id for market in ended}
    for market in ended:
        row, line = lived.rows[market.id, lived.now], resolved[market.condition_id]
        assert json.loads(row["outcomePrices"]) == [f"{paid:g}" for paid in line["payouts"]]
        assert line["outcome"] == (None if line["payouts"] == [0.5, 0.5] else line["payouts"].index(1))
        assert 0 < line["true_probability_at_listing"] < 1


def test_the_same_seed_trades_the_same_whoever_looks(lived: Lived, tmp_path: Path) -> None:
    again = Lived(tmp_path / "again.jsonl", lasts_s=60)
    compared = 0
    for market in again.live_markets():
        first, second = (v.exchange.live_trades.get(market.id, []) for v in (lived, again))
        compared += len(second)
        assert [(t.price, t.size, t.tx) for t in first[: len(second)]] == [(t.price, t.size, t.tx) for t in second]  # fmt: skip
    assert compared > 50


def test_rows_follow_trading_and_freeze_at_the_close(lived: Lived) -> None:
    for market in lived.live_markets():
        seen = lived.told_of(market)
        volumes = [row.get("volumeNum", 0) for row in seen]
        assert volumes == sorted(volumes)
        closed = [row for row in seen if row["closed"]]
        assert all(row == closed[0] for row in closed)


def test_the_grid_becomes_finer_once_the_price_has_left_the_middle(lived: Lived) -> None:
    seen = 0
    for market in lived.live_markets():
        ticks = [row["orderPriceMinTickSize"] for row in lived.told_of(market)]
        assert ticks == sorted(ticks, reverse=True)
        seen += len(set(ticks)) > 1
    assert seen > 20
