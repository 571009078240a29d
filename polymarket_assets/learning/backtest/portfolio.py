"""The money: cash, what is locked until resolution, and how much of it rests on each group.

Nothing is borrowed and nothing sold. The bankroll is cash and open positions at cost: a gain counts when it is paid.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from polymarket_assets.learning.backtest.fills import Fill

# What sums of floating point leave of a group that was paid.
_NOTHING_USD = 1e-9


class End(NamedTuple):
    """When a market pays (microseconds since 1970) and what a share of its canonical outcome gets; NaN: the cost back."""

    at_us: int
    payout: float


@dataclass
class Position:
    """What is held of a market: one outcome, bought in one or more fills."""

    market_id: str
    group_id: str
    outcome: int
    opened_us: int
    shares: float = 0.0
    cost_usd: float = 0.0
    fee_usd: float = 0.0
    fills: int = 0
    # The book it was last filled from: what is displayed there is taken once.
    book_us: int = -1

    def worth_usd(self, payout: float) -> float:
        """What it gets when a share of the canonical outcome gets `payout`; NaN: annulled, the cost back with fees."""
        return payout_usd(self.outcome, self.shares, self.cost_usd, payout)


def payout_usd(outcome: int, shares: float, cost_usd: float, payout: float) -> float:
    """Dollars that shares of an outcome get."""
    if math.isnan(payout):
        return cost_usd
    return shares * (payout if outcome == 0 else 1 - payout)


class Settled(NamedTuple):
    """A position that was paid."""

    position: Position
    at_us: int
    payout_usd: float


@dataclass
class Portfolio:
    """Cash and open positions by market; `locked_usd` is their cost with fees."""

    cash_usd: float
    open: dict[str, Position] = field(default_factory=dict)
    exposure_usd: dict[str, float] = field(default_factory=dict)
    realised_usd: float = 0.0
    fees_usd: float = 0.0
    locked_usd: float = 0.0
    _due: list[tuple[int, str, float]] = field(default_factory=list)

    @property
    def bankroll_usd(self) -> float:
        """Cash and what is locked, at cost."""
        return self.cash_usd + self.locked_usd

    def hold(self, position: Position) -> None:
        """Take over a position that was paid for before."""
        self.open[position.market_id] = position
        self._lock(position.group_id, position.cost_usd)

    def buy(self, position: Position, fill: Fill, book_us: int) -> None:
        """Pay for a fill and add it to its position, which may be new."""
        self.open[position.market_id] = position
        self.cash_usd -= fill.cost_usd
        self.fees_usd += fill.fee_usd
        self._lock(position.group_id, fill.cost_usd)
        position.shares += fill.shares
        position.cost_usd += fill.cost_usd
        position.fee_usd += fill.fee_usd
        position.fills, position.book_us = position.fills + 1, book_us

    def expect(self, market_id: str, end: End) -> None:
        """Note when an open position is paid."""
        heapq.heappush(self._due, (end.at_us, market_id, end.payout))

    def settle(self, until_us: int) -> Iterator[Settled]:
        """Pay what is due up to an instant, in order of time."""
        while self._due and self._due[0][0] <= until_us:
            at_us, market_id, payout = heapq.heappop(self._due)
            position = self.open.pop(market_id)
            got = position.worth_usd(payout)
            self._lock(position.group_id, -position.cost_usd)
            self.cash_usd += got
            self.realised_usd += got - position.cost_usd
            yield Settled(position, at_us, got)

    def _lock(self, group_id: str, usd: float) -> None:
        """Lock dollars in a group, or free them."""
        self.locked_usd += usd
        held = self.exposure_usd.pop(group_id, 0.0) + usd
        if held > _NOTHING_USD:
            self.exposure_usd[group_id] = held
