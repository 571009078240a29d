"""The resting orders of a market, in terms of its first outcome; the second outcome's book is the mirror image.

Prices are thousandths, sizes hundredths of a share. A ladder is re-quoted around a mid, taken from by trades, and remembers nothing else.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

ONE = 1000  # a price of 1, in thousandths
COARSE, FINE = 10, 1
# Offsets from the best level, in ticks, at which orders rest: dense on the coarse grid, sparser far out on the fine one.
OFFSETS = {
    COARSE: tuple(range(24)),
    FINE: (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 70, 100, 150, 200, 300),
}
# Levels next to the best that are always filled again; those further out only when few are left.
ALWAYS_FILLED = 3
# Levels touched at random in one re-quoting.
MOST_TOUCHED = 2


@dataclass(frozen=True)
class Change:
    """A level set to a size; 0 removes it."""

    is_bid: bool
    price: int
    size: int


@dataclass(frozen=True)
class Fill:
    """What a taker got: the last level touched, and hundredths of shares."""

    price: int
    size: int


class Ladder:
    """Both sides of one market."""

    def __init__(self, tick: int, half_spread: float, depth: float, levels: int, dice: random.Random, touched: int = MOST_TOUCHED, lazy: float = 0.0) -> None:  # fmt: skip
        self.tick, self._half, self._depth, self._levels, self._dice = tick, half_spread, depth, levels, dice
        # Quotes stay while the mid is nearer than `lazy` (thousandths) to the one that they were made for.
        self._touched, self._lazy, self._made_for = touched, lazy, -math.inf
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    @property
    def best_bid(self) -> int | None:
        return max(self.bids, default=None)

    @property
    def best_ask(self) -> int | None:
        return min(self.asks, default=None)

    def requote(self, mid: float) -> list[Change]:
        """Move the book around a mid; what was changed, in order of happening."""
        bid, ask = self._targets(mid)
        changes = [*self._cross(bid, ask), *self._fill(True, bid), *self._fill(False, ask)]
        changes += self._touch()
        return self._apply(changes)

    def regrid(self, tick: int, mid: float) -> None:
        """Start again on a finer grid."""
        self.tick, self.bids, self.asks, self._made_for = tick, {}, {}, -math.inf
        self.requote(mid)

    def take(self, buys: bool, size: int) -> Fill | None:
        """A taker buys from the asks or sells into the bids; None when nobody is there."""
        side = self.asks if buys else self.bids
        left, last = size, None
        for price in sorted(side, reverse=not buys)[:3]:
            got = min(left, side[price])
            side[price] -= got
            left, last = left - got, price
            if not side[price]:
                del side[price]
            if not left:
                break
        return None if last is None else Fill(last, size - left)

    def _targets(self, mid: float) -> tuple[int, int]:
        if abs(mid * ONE - self._made_for) >= self._lazy:
            self._made_for = mid * ONE
        at, away = self._made_for, self._half * self.tick
        bid = math.floor((at - away) / self.tick) * self.tick
        ask = math.ceil((at + away) / self.tick) * self.tick
        return bid, max(ask, bid + self.tick)

    def _cross(self, bid: int, ask: int) -> list[Change]:
        """Quotes on the wrong side of the new best go, and so do the farthest of too many."""
        gone = [Change(True, price, 0) for price in sorted(self.bids, reverse=True) if price > bid]
        gone += [Change(False, price, 0) for price in sorted(self.asks) if price < ask]
        if len(self.bids) > 2 * self._levels:
            gone.append(Change(True, min(self.bids), 0))
        if len(self.asks) > 2 * self._levels:
            gone.append(Change(False, max(self.asks), 0))
        return gone

    def _fill(self, is_bid: bool, best: int) -> list[Change]:
        side, sign = (self.bids, -1) if is_bid else (self.asks, 1)
        offsets = OFFSETS[self.tick][: self._levels]
        if len(side) >= self._levels // 2:
            offsets = offsets[:ALWAYS_FILLED]
        found = []
        for place, offset in enumerate(offsets):
            price = best + sign * offset * self.tick
            if 0 < price < ONE and price not in side:
                found.append(Change(is_bid, price, self._draw(place)))
        return found

    def _touch(self) -> list[Change]:
        """Somebody changes an order near the best."""
        changes = []
        for _ in range(self._dice.randint(0, self._touched)):
            is_bid = self._dice.random() < 0.5
            side = sorted(self.bids, reverse=True) if is_bid else sorted(self.asks)
            place = int(self._dice.expovariate(0.4))
            if place < len(side):
                changes.append(Change(is_bid, side[place], self._draw(place)))
        return changes

    def _draw(self, place: int) -> int:
        """Shares at a level: more, and more varied, further from the best."""
        shares = self._depth * math.pow(1 + place, 0.8) * math.exp(self._dice.gauss(0, 0.7))
        exact = round(shares * 100) if self._dice.random() < 0.4 else round(shares) * 100
        return max(exact, 500)

    def _apply(self, changes: list[Change]) -> list[Change]:
        """Set the levels; a level touched and removed in one go is told once, as it ends."""
        final = {(change.is_bid, change.price): change for change in changes}
        gone = {(change.is_bid, change.price) for change in changes if not change.size}
        told = []
        for key, change in final.items():
            size = 0 if key in gone else change.size
            side = self.bids if change.is_bid else self.asks
            if side.get(change.price, 0) == size:
                continue
            if size:
                side[change.price] = size
            else:
                side.pop(change.price, None)
            told.append(Change(change.is_bid, change.price, size))
        return told
