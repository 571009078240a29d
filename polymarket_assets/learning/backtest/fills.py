"""Fills: an order walks the offers of a book, best first, and never takes more than its share of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from polymarket_assets.learning.backtest.fees import Schedule

# Sizes are multiples of this, shares (PROTOCOL.md section 10).
LOT = 0.01
# Floating point must not turn 1.23 shares into 1.22.
_HAIR = 1e-9


@dataclass(frozen=True)
class Fill:
    """What was bought: shares, dollars paid for them without the fee, and the fee."""

    shares: float
    paid_usd: float
    fee_usd: float

    @property
    def cost_usd(self) -> float:
        """Dollars, with the fee."""
        return self.paid_usd + self.fee_usd

    @property
    def price(self) -> float:
        """Mean price, dollars a share; NaN where nothing was bought."""
        return self.paid_usd / self.shares if self.shares else math.nan


def walk(
    offers: Iterable[tuple[float, float]],
    schedule: Schedule,
    demand_usd: Callable[[float], float],
    depth_share: float,
) -> Fill:
    """Buy offer by offer, (price, shares) best first, while more is wanted than is spent.

    `demand_usd(each)` is what may be spent in all when a share costs `each` with its fee; it must not rise with the price.
    A fee is charged for every offer taken, as the venue charges every match.
    """
    shares = paid = fees = 0.0
    for price, size in offers:
        each = price + schedule.per_share(price)
        # Rounding of the fee must not spend what there is not.
        room = demand_usd(each) - paid - fees - schedule.step_usd
        if room <= 0:
            break
        bought = math.floor(min(size * depth_share, room / each) / LOT + _HAIR) * LOT
        shares, paid, fees = shares + bought, paid + bought * price, fees + schedule.fee_usd(price, bought)
    return Fill(shares, paid, fees)
