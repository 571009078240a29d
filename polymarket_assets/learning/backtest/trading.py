"""The engine: decisions in order of time, each a wish, perhaps an order, perhaps a fill; what is paid frees its capital.

An order is written with what is known at the decision: its demand by price, and the money there is. It is booked there
with what the first book after the latency fills of it, and what is left of it is cancelled at once (fill and kill).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

import pyarrow as pa

from polymarket_assets.learning.backtest.books import Books
from polymarket_assets.learning.backtest.fees import Schedule
from polymarket_assets.learning.backtest.fills import Fill, walk
from polymarket_assets.learning.backtest.portfolio import End, Portfolio, Position, Settled
from polymarket_assets.learning.backtest.rules import Rules
from polymarket_assets.learning.backtest.strategies import Wishes


class Fate(Enum):
    """What became of a wish; the first four sent no order."""

    OVER = "its market had paid"
    OTHER_HELD = "the other outcome is held"
    NO_ROOM = "its group has its stake, or there is no cash"
    NO_EDGE = "not worth its price and fee at the mid"
    NO_BOOK = "no book came in time"
    NO_OFFER = "nothing new was offered"
    TOO_DEAR = "offered for more than it is worth"
    FILLED = "filled"

    @property
    def is_order(self) -> bool:
        """Whether an order was sent."""
        return self in (Fate.NO_BOOK, Fate.NO_OFFER, Fate.TOO_DEAR, Fate.FILLED)


class Done(NamedTuple):
    """A wish and what became of it; `fill` where it was filled."""

    row: int
    fate: Fate
    fill: Fill | None = None


@dataclass(frozen=True)
class Decisions:
    """Decisions with all they meet; every column has one value a row, `ends` one a market that is over."""

    market: Sequence[str]
    group: Sequence[str]
    at_us: Sequence[int]
    schedule: Sequence[Schedule]
    books: Books
    ends: Mapping[str, End]

    @classmethod
    def of(cls, rows: pa.Table, schedule: Sequence[Schedule], books: Books, ends: Mapping[str, End]) -> Decisions:  # fmt: skip
        """Of rows (market_id, group_id, as_of)."""
        market, group = (rows.column(name).to_pylist() for name in ("market_id", "group_id"))
        at_us = rows.column("as_of").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()
        return cls(market, group, at_us, schedule, books, ends)


@dataclass
class Trader:
    """A portfolio that trades by rules, and what it did."""

    rules: Rules
    portfolio: Portfolio
    done: list[Done] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)

    def trade(self, decisions: Decisions, wishes: Wishes, order: Iterable[int]) -> None:
        """Decide the wishes of row numbers in order of time."""
        outcome, belief, mid = (x.tolist() for x in (wishes.outcome, wishes.belief, wishes.mid))
        for row in map(int, order):
            self.settle(decisions.at_us[row])
            self.done.append(self._decided(decisions, row, outcome[row], belief[row], mid[row]))

    def settle(self, until_us: int) -> None:
        """Pay what is due."""
        self.settled.extend(self.portfolio.settle(until_us))

    def _decided(self, of: Decisions, row: int, outcome: int, belief: float, mid: float) -> Done:
        market, at_us, schedule = of.market[row], of.at_us[row], of.schedule[row]
        end, held = of.ends.get(market), self.portfolio.open.get(market)
        if end is not None and end.at_us <= at_us:
            return Done(row, Fate.OVER)
        if held is not None and held.outcome != outcome:
            return Done(row, Fate.OTHER_HELD)
        each = mid + schedule.per_share(mid)
        if belief <= each:
            return Done(row, Fate.NO_EDGE)
        demand = self.demand(of.group[row], belief)
        # What is not worth the least order half-way to the offers is not worth sending.
        if demand(each) < self.rules.least_usd:
            return Done(row, Fate.NO_ROOM)
        position = held or Position(market, of.group[row], outcome, at_us)
        return self._sent(of, row, position, demand, end)

    def demand(self, group: str, belief: float) -> Callable[[float], float]:
        """What may still be spent on a group at a price: its stake there less what it holds, no more than the cash."""
        portfolio, stakes = self.portfolio, self.rules.stakes
        bankroll, held = portfolio.bankroll_usd, portfolio.exposure_usd.get(group, 0.0)
        return lambda each: min(stakes.target_usd(belief, each, bankroll) - held, portfolio.cash_usd)

    def _sent(self, of: Decisions, row: int, position: Position, demand: Callable[[float], float], end: End | None) -> Done:  # fmt: skip
        book, book_us = int(of.books.book[row]), int(of.books.at_us[row])
        if book < 0 or (end is not None and end.at_us <= book_us):
            return Done(row, Fate.NO_BOOK)
        offered, schedule = of.books.outcomes[position.outcome], of.schedule[row]
        best = offered.best(book)
        if best != best or position.book_us == book_us:
            return Done(row, Fate.NO_OFFER)
        if demand(best + schedule.per_share(best)) < self.rules.least_usd:
            return Done(row, Fate.TOO_DEAR)
        fill = walk(offered.offers(book), schedule, demand, self.rules.depth_share)
        if not fill.shares:
            return Done(row, Fate.NO_OFFER)
        if not position.fills and end is not None:
            self.portfolio.expect(position.market_id, end)
        self.portfolio.buy(position, fill, book_us)
        return Done(row, Fate.FILLED, fill)
