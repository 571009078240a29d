"""How paper portfolios stand, for people: cash, open positions at the newest mid, what settled ones earned by group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import books, results, returns
from polymarket_assets.learning.evaluation import Interval
from polymarket_assets.learning.paper import ledger
from polymarket_assets.learning.paper.ledger import Account

# The furthest tier is looked at once an hour: of two hours there is a mid, unless the market is gone.
MARKED_WITHIN = timedelta(hours=2)


@dataclass(frozen=True)
class Standing:
    """A model's portfolio. `open` has the columns of `paper_positions`, with `mid` of the outcome held (null: no book) and `marked_usd` there (without one: cost)."""

    model_version: str
    through: datetime
    cash_usd: float
    locked_usd: float
    marked_usd: float
    realised_usd: float
    fees_usd: float
    settled: int
    groups: int
    # Gained ÷ staked of what is settled, with its interval over groups.
    roi: Interval
    # Dollars locked in each group, largest first.
    exposure_usd: Mapping[str, float]
    open: pa.Table

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        paid = f"{results.of_interval(self.roi)} on {self.groups:,} settled groups" if self.groups else "nothing settled yet"  # fmt: skip
        return (
            f"{self.model_version}: {results.gained(self.realised_usd, 2)} realised, {paid}; ${self.locked_usd:,.2f} locked in "
            f"{self.open.num_rows:,} positions, worth ${self.marked_usd:,.2f} at the mid; ${self.cash_usd:,.2f} free"
        )


def portfolio(lake: Lake, *, now: datetime) -> list[Standing]:
    """Every model's portfolio as of its newest account, marked at `now`."""
    held = reading.rows(lake, "paper_positions")
    return [_standing(lake, held, account, now) for _, account in sorted(ledger.accounts(lake).items())]


def _standing(lake: Lake, held: pa.Table, account: Account, now: datetime) -> Standing:
    assert account.through is not None
    # What lies beyond the account was written by a run that died, and is written again by the next.
    through = pa.scalar(account.through, held.schema.field("opened_at").type)
    of_model = pc.equal(held.column("model_version"), account.model_version)
    mine = held.filter(pc.and_(of_model, pc.less_equal(held.column("opened_at"), through)))
    is_paid = pc.fill_null(pc.less_equal(mine.column("settled_at"), through), False)
    paid, open_ = mine.filter(is_paid), _marked(lake, mine.filter(pc.invert(is_paid)), now)
    cost, gained = returns.of_groups(paid)
    sums = open_.group_by("group_id").aggregate([("cost_usd", "sum")])
    ordered = sums.sort_by([("cost_usd_sum", "descending")])
    groups, locked = (ordered.column(name).to_pylist() for name in ("group_id", "cost_usd_sum"))
    return Standing(
        model_version=account.model_version,
        through=account.through,
        cash_usd=account.cash_usd,
        locked_usd=_total(open_, "cost_usd"),
        marked_usd=_total(open_, "marked_usd"),
        realised_usd=account.realised_usd,
        fees_usd=account.fees_usd,
        settled=paid.num_rows,
        groups=len(cost),
        roi=returns.ratios((gained, cost), seed=0)[0],
        exposure_usd=dict(zip(groups, locked, strict=True)),
        open=open_,
    )


def _marked(lake: Lake, open_: pa.Table, now: datetime) -> pa.Table:
    at = pa.array([now] * open_.num_rows, open_.schema.field("opened_at").type)
    asked = pa.table({"market_id": open_.column("market_id"), "from_at": at})
    met = books.standing(lake, asked, within_s=MARKED_WITHIN.total_seconds())
    canonical = np.array([met.mid(n) for n in range(open_.num_rows)], dtype=np.float64)
    shares, cost, outcome = (np.asarray(open_.column(name).to_numpy()) for name in ("shares", "cost_usd", "outcome_index"))  # fmt: skip
    mid = np.where(outcome == 0, canonical, 1 - canonical)
    marked = np.where(np.isnan(mid), cost, shares * mid)
    return open_.append_column("mid", pa.array(mid, from_pandas=True)).append_column("marked_usd", pa.array(marked, pa.float64()))  # fmt: skip


def _total(rows: pa.Table, name: str) -> float:
    return float(pc.sum(rows.column(name)).as_py() or 0.0)
