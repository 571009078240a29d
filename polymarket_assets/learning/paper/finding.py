"""Findings for alerts: what is offered now for less than the newest prediction believes it to be worth at least, costs paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import books, terms
from polymarket_assets.learning.backtest.books import Books
from polymarket_assets.learning.backtest.fees import Schedule
from polymarket_assets.learning.backtest.rules import WAIT_S, Rules
from polymarket_assets.learning.backtest.strategies import MODEL, STRATEGIES, Wishes

# An edge lives for minutes: what was said longer ago is no finding any more.
SAID_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Edge:
    """An offer below what is believed of it: `edge` is belief − price − fee, dollars a share; `usd` what our share of it costs."""

    model_version: str
    market_id: str
    as_of: datetime
    outcome_index: int
    belief: float
    price: float
    fee: float
    edge: float
    usd: float

    def __str__(self) -> str:
        return (
            f"{self.market_id}: outcome {self.outcome_index} is offered at {self.price:.3f} + {self.fee:.4f} fee and believed to be worth "
            f"{self.belief:.3f} at least by {self.model_version}: {self.edge:+.3f} a share, ${self.usd:,.0f} of it"
        )  # fmt: skip


def edges(lake: Lake, *, now: datetime, least: float, rules: Rules | None = None) -> list[Edge]:
    """The edges of at least `least` dollars a share in the books that stand at `now`, largest first."""
    rules = rules or Rules()
    span = Span(now - SAID_WITHIN, now + timedelta.resolution)
    with queries.over(lake, predictions=span) as connection:
        said = connection.sql(_NEWEST, params={"now": now, "after": span.start}).to_arrow_table()
    wishes, schedules = STRATEGIES[MODEL](said, rules, 0), terms.schedules(lake, said)
    at = pa.array([now] * said.num_rows, pa.timestamp("us", tz="UTC"))
    met = books.standing(lake, pa.table({"market_id": said.column("market_id"), "from_at": at}), within_s=WAIT_S)  # fmt: skip
    found = [
        _edge(row, n, wishes, met, schedules[n], rules)
        for n, row in enumerate(said.to_pylist()) if wishes.outcome[n] >= 0 and met.book[n] >= 0
    ]  # fmt: skip
    return sorted((one for one in found if one and one.edge >= least), key=lambda one: (-one.edge, one.market_id))  # fmt: skip


def _edge(said: dict[str, object], n: int, wishes: Wishes, met: Books, schedule: Schedule, rules: Rules) -> Edge | None:  # fmt: skip
    outcome, belief = int(wishes.outcome[n]), float(wishes.belief[n])
    best = next(met.outcomes[outcome].offers(int(met.book[n])), None)
    if best is None:
        return None
    price, fee = best[0], schedule.per_share(best[0])
    usd = best[1] * rules.depth_share * (price + fee)
    named = {name: said[name] for name in ("model_version", "market_id", "as_of")}
    return Edge(**named, outcome_index=outcome, belief=belief, price=price, fee=fee, edge=belief - price - fee, usd=usd)  # type: ignore[arg-type]  # fmt: skip


_NEWEST = """
select model_version, market_id, as_of, mid, probability, correction_sd from predictions
where as_of > $after and as_of <= $now and created_at <= $now
qualify row_number() over (partition by model_version, market_id order by as_of desc, created_at) = 1
order by all
"""
