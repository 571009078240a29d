"""Results: what a strategy did and earned, in figures and one sentence (ML.md 4.5)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.backtest.returns import curve, daily, of_groups, ratios, real, sharpe, total
from polymarket_assets.learning.backtest.trading import Done
from polymarket_assets.learning.evaluation import Interval

# One lucky event, or five, are no strategy.
BEST_LEFT_OUT = 5
# Of fewer groups an interval by bootstrap means nothing: three that lost alike would be sure to lose.
TELLING_GROUPS = 40


@dataclass(frozen=True)
class Figures:
    """What a strategy did and earned; shares and returns are fractions, NaN where there is too little to tell."""

    name: str
    fates: dict[str, int]
    orders: int
    fills: int
    markets: int
    groups: int
    open_usd: float
    staked_usd: float
    fees_usd: float
    # Fees, and what was paid above the mid of the decision.
    costs_usd: float
    pnl_usd: float
    # Of all dollars staked; of the mean group, each counted once.
    roi: Interval
    roi_of_groups: Interval
    roi_without_best: Interval
    sharpe_of_groups: float
    sharpe_of_days: float
    drawdown: float
    turnover: float
    hits: float

    @property
    def earns(self) -> bool:
        """The lower end of the return, also without the best groups, is above nothing, and there are groups enough to tell."""
        return self.groups >= TELLING_GROUPS and self.roi.low > 0 and self.roi_without_best.low > 0

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        if not self.groups:
            return f"{self.name}: nothing was bought and paid"
        return f"{self.name}: {self._finding}: {of_interval(self.roi)} on ${self.staked_usd:,.0f} in {self.groups:,} groups"  # fmt: skip

    @property
    def _finding(self) -> str:
        if self.groups < TELLING_GROUPS:
            return "too few groups to tell"
        if self.earns:
            return "earns after costs"
        return "loses" if self.roi.high < 0 else "no profit is shown"


def gained(usd: float, digits: int = 0) -> str:
    """Dollars gained or lost, the sign before the dollar."""
    return f"{'-' if usd < 0 else '+'}${abs(usd):,.{digits}f}"


def of_interval(found: Interval) -> str:
    """A return with its interval in words; of one group there is none."""
    if math.isnan(found.low) or math.isnan(found.high):
        return f"{found.value:+.1%}"
    return f"{found.value:+.1%} (95 %: {found.low:+.1%} … {found.high:+.1%})"


def figures(name: str, done: Sequence[Done], bought: pa.Table, bankroll_usd: float, *, seed: int = 0) -> Figures:  # fmt: skip
    """Judge what a strategy bought (schema `FILLS`): returns are of what was paid, what is open is told apart."""
    paid = bought.filter(pc.is_valid(bought.column("payout_usd")))
    cost, pnl = of_groups(paid)
    mids = np.sum(real(bought, "shares") * real(bought, "mid"))
    best_out = np.argsort(-pnl, kind="stable")[BEST_LEFT_OUT:]
    returns = pnl / cost
    roi, of_each = ratios((pnl, cost), (returns, np.ones_like(cost)), seed=seed)
    fates = Counter(one.fate for one in done)
    return Figures(
        name=name,
        fates={fate.value: count for fate, count in sorted(fates.items(), key=lambda item: -item[1])},
        orders=sum(count for fate, count in fates.items() if fate.is_order),
        fills=bought.num_rows,
        markets=pc.count_distinct(bought.column("market_id")).as_py(),
        groups=len(cost),
        open_usd=total(bought, "cost_usd") - total(paid, "cost_usd"),
        staked_usd=total(paid, "cost_usd"),
        fees_usd=total(bought, "fee_usd"),
        costs_usd=total(bought, "cost_usd") - float(mids),
        pnl_usd=float(pnl.sum()),
        roi=roi,
        roi_of_groups=of_each,
        roi_without_best=ratios((pnl[best_out], cost[best_out]), seed=seed)[0],
        sharpe_of_groups=sharpe(returns),
        sharpe_of_days=sharpe(daily(paid)),
        drawdown=float(curve(bought, bankroll_usd)["drawdown"].max(initial=0.0)),
        turnover=total(bought, "cost_usd") / bankroll_usd,
        hits=float(np.mean(real(paid, "payout_usd") > real(paid, "cost_usd"))) if paid.num_rows else math.nan,
    )  # fmt: skip
