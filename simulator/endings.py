"""How markets end: proposals, disputes, the close and what is paid. Decided at birth, shown only when its time comes."""

from __future__ import annotations

import random
from dataclasses import dataclass

YES, NO, HALVES = (1_000_000, 0), (0, 1_000_000), (500_000, 500_000)
PROPOSED, DISPUTED, RESOLVED = "proposed", "disputed", "resolved"

# One market in forty ends without a winner, one in twelve is proposed first, a third of those disputed.
HALVED, PROPOSED_FIRST, OF_THOSE_DISPUTED = 1 / 40, 1 / 12, 1 / 3


@dataclass(frozen=True)
class Ending:
    """What will be known of a market's end, and from when. Instants are Unix seconds."""

    payouts: tuple[int, int]  # micro-dollars per share of each outcome
    closed_at: float
    steps: tuple[tuple[float, str], ...] = ()  # proposals and disputes before the close
    # What the catalogue says at last: some rows stay `proposed` for ever, some never say anything.
    final_status: str | None = RESOLVED
    automatic: bool = True
    # Final prices as the catalogue writes them; a few abandoned games are written 1/1.
    prices: tuple[str, str] | None = None

    @property
    def outcome(self) -> int | None:
        """Index of the outcome that won; None for halves."""
        return None if self.payouts == HALVES else self.payouts.index(1_000_000)

    @property
    def book_until(self) -> float:
        """From the first proposal on no book is served."""
        return self.steps[0][0] if self.steps else self.closed_at

    @property
    def was_disputed(self) -> bool:
        return any(status == DISPUTED for _, status in self.steps)

    def closed(self, now: float) -> bool:
        return now >= self.closed_at

    def status(self, now: float) -> str | None:
        """The oracle's word at `now`."""
        if self.closed(now):
            return self.final_status
        return self.history(now)[-1] if self.history(now) else None

    def history(self, now: float) -> list[str]:
        """The oracle's words until `now`."""
        return [status for at, status in self.steps if at <= now]

    def final_prices(self) -> tuple[str, str]:
        """Outcome prices after the close."""
        if self.prices:
            return self.prices
        first, second = (f"{payout / 1_000_000:g}" for payout in self.payouts)
        return first, second


def quick(ends_at: float, yes: bool, dice: random.Random, *, may_halve: bool = True) -> Ending:
    """An ending while we watch: mostly closed within 5 to 20 s, some proposed first and closed within a minute or so."""
    payouts = _payouts(yes, dice, may_halve)
    if dice.random() >= PROPOSED_FIRST:
        return Ending(payouts, ends_at + dice.uniform(5, 20))
    steps = [(ends_at + dice.uniform(3, 8), PROPOSED)]
    if dice.random() < OF_THOSE_DISPUTED:
        steps += [(ends_at + 20, DISPUTED), (ends_at + 35, PROPOSED)]
    return Ending(payouts, ends_at + dice.uniform(45, 70), tuple(steps), automatic=False)


def slow(
    ends_at: float, closed_at: float, yes: bool, dice: random.Random, *, may_halve: bool = True
) -> Ending:
    """An ending of the past: proposed soon after the end, closed when the challenge window was over."""
    payouts = _payouts(yes, dice, may_halve)
    wait = closed_at - ends_at
    steps = [(ends_at + wait * 0.1, PROPOSED)]
    if dice.random() < PROPOSED_FIRST * OF_THOSE_DISPUTED * 2:
        steps += [(ends_at + wait * 0.3, DISPUTED), (ends_at + wait * 0.5, PROPOSED)]
    status = dice.choices([RESOLVED, PROPOSED, None], [0.96, 0.025, 0.015])[0]
    prices = ("1", "1") if payouts == HALVES and dice.random() < 0.3 else None
    return Ending(payouts, closed_at, tuple(steps), status, status == RESOLVED, prices)


def _payouts(yes: bool, dice: random.Random, may_halve: bool) -> tuple[int, int]:
    if may_halve and dice.random() < HALVED:
        return HALVES
    return YES if yes else NO
