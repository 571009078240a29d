"""Returns of fills (schema `filled.FILLS`): by group, over time, by price, with intervals over groups, as one outcome decides many fills."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.evaluation import intervals
from polymarket_assets.learning.evaluation.intervals import LEVEL, Interval

Reals = npt.NDArray[np.float64]

# Edges of the bands of prices in which hits are counted.
BANDS = (0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0)
_DAY_US = 86_400_000_000


def of_groups(paid: pa.Table) -> tuple[Reals, Reals]:
    """Dollars staked and gained per group, in order of their names."""
    _, group = np.unique(paid.column("group_id").to_numpy().astype(str), return_inverse=True)
    cost, got = (_sums(group, real(paid, name)) for name in ("cost_usd", "payout_usd"))
    return cost, got - cost


def curve(bought: pa.Table, bankroll_usd: float) -> dict[str, npt.NDArray[Any]]:
    """The bankroll after each payout (open positions at cost): instants in µs, dollars, and the share below the highest before."""
    paid = bought.filter(pc.is_valid(bought.column("payout_usd"))).sort_by("paid_at")
    at, instant = np.unique(paid.column("paid_at").cast(pa.int64()).to_numpy(), return_inverse=True)
    gained = np.bincount(instant, real(paid, "payout_usd") - real(paid, "cost_usd"), len(at))
    equity = bankroll_usd + np.cumsum(gained)
    peak = np.maximum.accumulate(np.maximum(equity, bankroll_usd))
    return {"at_us": at, "equity_usd": equity, "drawdown": 1 - equity / peak}


@dataclass(frozen=True)
class Band:
    """Fills at prices from `low` to `high`: how often they won against what was paid a share, fees included."""

    low: float
    high: float
    fills: int
    hits: float
    cost: float
    pnl_usd: float


def bands(bought: pa.Table) -> list[Band]:
    """Hit rate by price, of what was paid; weighted by shares, so that the break-even rate is the cost of a share."""
    paid = bought.filter(pc.is_valid(bought.column("payout_usd")))
    price, shares, cost, got = (real(paid, name) for name in ("price", "shares", "cost_usd", "payout_usd"))
    band = np.clip(np.digitize(price, BANDS) - 1, 0, len(BANDS) - 2)
    sums = [np.bincount(band, x, len(BANDS) - 1) for x in (np.ones_like(price), shares, cost, got)]
    return [
        Band(BANDS[n], BANDS[n + 1], int(count), got / held, spent / held, got - spent)
        for n, (count, held, spent, got) in enumerate(zip(*(x.tolist() for x in sums), strict=True))
        if count
    ]


def ratios(*sums: tuple[Reals, Reals], seed: int) -> list[Interval]:
    """Of each pair of columns over the same groups sum over sum, with the interval of a bootstrap that draws whole groups."""
    columns, groups = np.stack([column for pair in sums for column in pair], axis=1), len(sums[0][0])
    drawn = (
        intervals.bootstrap(columns, intervals.DRAWS, seed)
        if groups > 1
        else np.full((1, 2 * len(sums)), math.nan)
    )
    totals = np.concatenate([columns.sum(0, keepdims=True), drawn])
    with np.errstate(invalid="ignore"):
        values = totals[:, 0::2] / totals[:, 1::2]
    ends = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return [Interval(*map(float, of)) for of in zip(values[0], *ends, strict=True)]


def sharpe(returns: Reals) -> float:
    """Mean over standard deviation, not annualised; NaN of fewer than two, or where nothing varies."""
    spread = float(np.std(returns, ddof=1)) if len(returns) > 1 else 0.0
    return float(np.mean(returns)) / spread if spread > 0 else math.nan


def daily(paid: pa.Table) -> Reals:
    """Dollars gained on each UTC day from the first payout to the last; days without one gained nothing."""
    if not paid.num_rows:
        return np.zeros(0)
    day = paid.column("paid_at").cast(pa.int64()).to_numpy() // _DAY_US
    return _sums(day - day.min(), real(paid, "payout_usd") - real(paid, "cost_usd"))


def _sums(places: Any, values: Reals) -> Reals:
    """What falls on each place, added up."""
    return np.asarray(np.bincount(places, values), dtype=np.float64)


def total(rows: pa.Table, name: str) -> float:
    return float(real(rows, name).sum())


def real(rows: pa.Table, name: str) -> Reals:
    return np.asarray(rows.column(name).to_numpy(), dtype=np.float64)
