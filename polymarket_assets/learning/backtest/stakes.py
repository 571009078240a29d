"""Stakes: how many dollars a belief is worth at a price, as a demand that falls as the price rises.

A demand needs no book: it is written at the decision, and stands for a ladder of limit orders sent at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

# A quarter of Kelly: the loss in growth is a sixteenth where the belief is right, and it need not be right.
FRACTION = 0.25
# One event must not hurt: all markets and both outcomes of a group together stay within this share of the bankroll.
GROUP_CAP = 0.01


class Stakes(Protocol):
    """A rule of sizes."""

    def target_usd(self, belief: float, each: float, bankroll_usd: float) -> float:
        """Dollars to hold of a group, at most, when the next share costs `each` with its fee."""

    def cap_usd(self, bankroll_usd: float) -> float:
        """Dollars that a group may hold, whatever is believed."""


@dataclass(frozen=True)
class Kelly:
    """A fraction of Kelly's stake `(q − c) / (1 − c)` of the bankroll, c the cost of a share with its fee (Kelly, 1956)."""

    fraction: float = FRACTION
    group_cap: float = GROUP_CAP

    def target_usd(self, belief: float, each: float, bankroll_usd: float) -> float:
        """Nothing where a share costs what it is believed to be worth."""
        if belief <= each:
            return 0.0
        return min(self.fraction * (belief - each) / (1 - each) * bankroll_usd, self.cap_usd(bankroll_usd))

    def cap_usd(self, bankroll_usd: float) -> float:
        """A share of the bankroll."""
        return self.group_cap * bankroll_usd


@dataclass(frozen=True)
class Flat:
    """The same dollars for every group whose belief is above the price: orders of one size, for capacity."""

    order_usd: float

    def target_usd(self, belief: float, each: float, bankroll_usd: float) -> float:
        """All or nothing."""
        return self.order_usd if belief > each else 0.0

    def cap_usd(self, bankroll_usd: float) -> float:
        """One order a group."""
        return self.order_usd
