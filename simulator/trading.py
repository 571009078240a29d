"""What happens on one market while it trades: quotes follow the mid, takers come, the grid gets finer.

Instants of events are drawn beforehand (`next_at`), from dice of the market's own: the same seed gives the same quotes and trades
relative to the start, whoever listens and however late the machine is.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from simulator import books
from simulator.chance import dice, digest
from simulator.ladder import FINE, MOST_TOUCHED, ONE, Change, Ladder
from simulator.market import Market
from simulator.pulse import Pulse

# Outside of these prices the grid becomes finer, once.
COARSE_FROM, COARSE_TO = 0.04, 0.96
# Takers come up to this much more often at the end, within a tenth of a market's life or so.
RUSH, RUSH_SHARE = 3.0, 0.1
# Quotes follow as often as the mid changes, within these bounds.
QUICKEST_S, SLOWEST_S = 1.0, 12.0
MEDIAN_TRADE_USD, TRADE_SPREAD = 18.0, 1.3
OF_FIRST_TOKEN, OF_BUYS = 0.6, 0.7


@dataclass(frozen=True)
class Trade:
    """A taker's trade in terms of the token it was made in. Instants are Unix seconds."""

    at: float
    side: int
    buys: bool
    price: int
    size: int
    tx: str
    wallet: str

    @property
    def usd(self) -> float:
        return self.price / ONE * self.size / 100


class Trading:
    """The floor of one market."""

    def __init__(self, market: Market, seed: int, now: float, pulse: Pulse | None = None) -> None:
        self.market, self._seed, self._pulse = market, seed, pulse
        self._dice = dice(seed, market.id, "trading")
        self.changed_ms = int(now * 1000)
        self.last: int | None = None
        self.trades: list[Trade] = []
        moves = (MOST_TOUCHED, 0.0) if pulse is None else (pulse.touched, pulse.lazy)
        self.ladder = Ladder(market.tick, market.half_spread, market.depth, market.levels, self._dice, *moves)
        self.sees_extremes(now)
        self.ladder.requote(market.mid(now))
        self.quote_at = now + self._dice.random() * self._pause()
        self.trade_at = now
        self._plan_trade()
        self._shown: tuple[books.Snapshot, books.Snapshot] | None = None

    @property
    def next_at(self) -> float:
        return min(self.quote_at, self.trade_at)

    def sees_extremes(self, now: float) -> bool:
        """Make the grid finer if the price has left the middle; whether it was."""
        mid = self.market.mid(now)
        if self.ladder.tick == FINE or COARSE_FROM <= mid <= COARSE_TO:
            return False
        self.ladder.regrid(FINE, mid)
        return True

    def requote(self, at: float, now: float) -> list[Change]:
        """Follow the mid of `at`; `now` is when it is told."""
        self.quote_at = at + self._pause() * self._dice.uniform(0.6, 1.4)
        changes = self.ladder.requote(self.market.mid(at))
        if changes:
            self.touch(now)
        return changes

    def trade(self, at: float, now: float) -> Trade | None:
        """A taker comes; None when nobody stands against them."""
        self.trade_at = at
        self._plan_trade()
        side = 0 if self._dice.random() < OF_FIRST_TOKEN else 1
        buys = self._dice.random() < OF_BUYS
        paid = max(0.02, self.market.mid(at) if side == 0 else 1 - self.market.mid(at))
        wanted = max(500, round(MEDIAN_TRADE_USD * math.exp(self._dice.gauss(0, TRADE_SPREAD)) / paid * 100))
        fill = self.ladder.take(buys == (side == 0), wanted)
        if fill is None:
            return None
        price = fill.price if side == 0 else ONE - fill.price
        self.last = fill.price
        self.touch(now)
        made = Trade(now, side, buys, price, fill.size, f"0x{digest(self._seed, self.market.id, 'tx', len(self.trades)).hex()}", wallet(self._dice))  # fmt: skip
        self.trades.append(made)
        return made

    def touch(self, now: float) -> None:
        """The book changed: its timestamp moves on, never back."""
        self.changed_ms = max(int(now * 1000), self.changed_ms)
        self._shown = None

    def show(self) -> tuple[books.Snapshot, books.Snapshot]:
        """Both tokens' books as they are."""
        if self._shown is None:
            self._shown = (self._snapshot(0), self._snapshot(1))
        return self._shown

    def _snapshot(self, side: int) -> books.Snapshot:
        market = self.market
        levels = books.Side(self.ladder.bids, self.ladder.asks, mirrored=side == 1)
        return books.Snapshot(market.condition_id, market.tokens[side], self.changed_ms, levels, self.ladder.tick, market.event.neg_risk, books.last(self.last), market.version)  # fmt: skip

    def _pause(self) -> float:
        if self._pulse is not None:
            return self._pulse.quote_every_s()
        path = self.market.path
        return min(max((path.ends_at - path.starts_at) / path.cells, QUICKEST_S), SLOWEST_S)

    def _a_minute(self) -> float:
        return self.market.pace if self._pulse is None else self._pulse.trades_a_minute()

    def _plan_trade(self) -> None:
        """Poisson arrivals of a rate that rises towards the end; exact up to the change of the rate between two trades."""
        market = self.market
        left = max(market.ends_at - self.trade_at, 0.0)
        rush = RUSH * math.exp(-left / (RUSH_SHARE * (market.ends_at - market.listed_at)))
        following = self.trade_at + self._dice.expovariate(self._a_minute() * (1 + rush) / 60)
        self.trade_at = following if following < market.ends_at else math.inf


def wallet(roll: random.Random) -> str:
    """One of a few thousand takers."""
    return f"0x{digest(0, 'wallet', int(roll.paretovariate(0.7)) % 4096, size=20).hex()}"
