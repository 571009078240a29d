"""Taker fees: the schedule of a market, and what a trade costs by it.

`fee = shares × rate × (p (1 − p)) ^ exponent`, rounded to 5 decimals, at least 0.00001 (PROTOCOL.md section 10).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from polymarket_assets.venue.errors import MalformedPayload


@dataclass(frozen=True)
class Schedule:
    """What a taker pays; makers pay nothing. `times_price`: the legacy formula has the price once more."""

    rate: float
    exponent: float = 1.0
    times_price: bool = False
    decimals: int = 5

    @property
    def step_usd(self) -> float:
        """The smallest fee, and what fees are rounded to, dollars."""
        return float(10**-self.decimals)

    def per_share(self, price: float) -> float:
        """Dollars a share at a price, before rounding."""
        spread: float = self.rate * (price * (1 - price)) ** self.exponent
        return spread * price if self.times_price else spread

    def fee_usd(self, price: float, shares: float) -> float:
        """What a trade pays, dollars, as the venue rounds it."""
        exact = shares * self.per_share(price)
        return max(round(exact, self.decimals), self.step_usd) if exact > 0 else 0.0


FREE = Schedule(0.0)
OTHER = "other"


@dataclass(frozen=True)
class Era:
    """From `since` on, markets of these categories are created with this schedule."""

    since: datetime
    categories: frozenset[str]
    schedule: Schedule


def _era(since: tuple[int, int, int], categories: str, schedule: Schedule) -> Era:
    return Era(datetime(*since, tzinfo=UTC), frozenset(categories.split()), schedule)


# PROTOCOL.md section 10, newest first. A market keeps the schedule that it was created with. The legacy schedule of
# crypto was that of 15-minute markets alone: it stands for all of crypto here, which errs on the side of costs.
ERAS: tuple[Era, ...] = (
    _era((2026, 7, 10), "sports", Schedule(0.05)),
    _era((2026, 3, 30), "sports", Schedule(0.03)),
    _era((2026, 3, 30), "crypto", Schedule(0.07)),
    _era((2026, 3, 30), "finance politics tech mentions", Schedule(0.04)),
    _era((2026, 3, 30), "geopolitics", FREE),
    _era((2026, 3, 30), f"economics culture weather {OTHER}", Schedule(0.05)),
    _era((2026, 2, 18), "sports", Schedule(0.0175)),
    _era((2026, 1, 5), "crypto", Schedule(0.25, 2.0, times_price=True, decimals=4)),
)
_NAMED = frozenset[str]().union(*(era.categories for era in ERAS))


def of_era(category: str | None, created_at: datetime) -> Schedule:
    """The schedule of markets of a category created at an instant; a category without a row of its own is `other`."""
    name = category if category in _NAMED else OTHER
    return next((era.schedule for era in ERAS if name in era.categories and era.since <= created_at), FREE)


@lru_cache(maxsize=1024)
def of_text(text: str) -> Schedule:
    """The schedule in `markets.fee_schedule`, JSON {rate, exponent, …}. Raises `MalformedPayload`."""
    try:
        said: dict[str, Any] = json.loads(text)
        return Schedule(float(said["rate"]), float(said.get("exponent") or 1.0))
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise MalformedPayload("a fee schedule", text, "JSON {rate, exponent} was expected") from e
