"""Prices at steps of the clock, and how log-odds changed from one to the next."""

from __future__ import annotations

from dataclasses import dataclass

from polymarket_assets.learning.evidence.quotes import Prices
from polymarket_assets.learning.evidence.series import Flags, Series, Whole, earlier, ends


@dataclass(frozen=True)
class Steps:
    """The last price of each step of the clock, and its change from the step before (`follows`; elsewhere of no meaning)."""

    series: Series
    market: Whole
    step: Whole
    change_u: Whole
    follows: Flags

    @classmethod
    def of(cls, prices: Prices, step_us: int) -> Steps:
        """A price at the very end of a step belongs to it."""
        market, logit_u = prices.market[prices.is_priced], prices.logit_u[prices.is_priced]
        step = -(-prices.at_us[prices.is_priced] // step_us)
        is_last = ends(market, step)
        market, step, logit_u = market[is_last], step[is_last], logit_u[is_last]
        follows = (earlier(market) == market) & (earlier(step) == step - 1)
        return cls(Series.over(market, step), market, step, logit_u - earlier(logit_u), follows)

    def at(self, market: Whole, step: Whole) -> Whole:
        """Where a market's step stands; −1: it had no price."""
        return self.series.exactly(market, step)
