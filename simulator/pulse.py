"""How fast a busy venue's markets move: so that all together send a given number of frames a second, mixed as the venue's are.

The mix (PROTOCOL 8.4): 97.9 % `price_change`, 1.4 % whole books, 0.7 % trades; `best_bid_ask` comes beside, whenever the top moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Of all frames, those that tell a trade in quiet times; each goes with two whole books. Towards the end of a life there are more.
OF_TRADES = 0.007
# Thousandths that a mid moves before quotes follow: most changes of the venue's books leave the top alone.
LAZY = 20.0
# Levels touched at random in one re-quoting, and the frames that one sends on average: measured, tops and refills included.
TOUCHED, FRAMES_A_QUOTE = 14, 4.85


@dataclass(frozen=True)
class Pulse:
    """Of each market, when all markets share a rate of frames a second."""

    rate: float
    markets: Callable[[], int]
    touched: int = TOUCHED
    lazy: float = LAZY

    def quote_every_s(self) -> float:
        """The mean pause between two re-quotings of one market."""
        return self._share() * FRAMES_A_QUOTE / (1 - 3 * OF_TRADES)

    def trades_a_minute(self) -> float:
        """Of one market."""
        return 60 * OF_TRADES / self._share()

    def _share(self) -> float:
        """Seconds from one frame of a market to its next."""
        return max(self.markets(), 1) / self.rate
