"""The rules that a taker trades by, each with its reason: plain data, so that a variation is another value."""

from __future__ import annotations

from dataclasses import dataclass, field

from polymarket_assets.learning.backtest.stakes import Kelly, Stakes

# Minutes pass between what a forecast knows and its order: the sweep, its rows, the features. A minute is ours; the venue's own
# delay of takers (50 ms … 3 s) is within it.
LATENCY_S = 60.0
LATENCIES_S = (15.0, 60.0, 120.0, 300.0)
# An order waits no longer for a book: later ones tell of another state of the world. Books of T1 come every five minutes.
WAIT_S = 900.0
# A sweep gives up after four minutes, and its rows are filed in seconds: then every book of an instant lies in the lake.
FILED_S = 300.0
# Others see the same offers, and some are gone when we come (ML.md 4.5).
DEPTH_SHARE = 0.25
# One-sided 95 %: a forecast must be worth its price at the lower end of what its members say.
Z = 1.645
# Orders of takers below this are refused by the venue (PROTOCOL.md section 10).
LEAST_USD = 1.0
BANKROLL_USD = 10_000.0


@dataclass(frozen=True)
class Rules:
    """How orders are made and filled."""

    latency_s: float = LATENCY_S
    wait_s: float = WAIT_S
    filed_s: float = FILED_S
    depth_share: float = DEPTH_SHARE
    z: float = Z
    least_usd: float = LEAST_USD
    bankroll_usd: float = BANKROLL_USD
    stakes: Stakes = field(default_factory=Kelly)
