"""A backtest from end to end: out-of-fold rows in, what every strategy would have earned out. Deterministic by its seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import books, filled, results, strategies, terms
from polymarket_assets.learning.backtest.fees import Schedule
from polymarket_assets.learning.backtest.portfolio import End, Portfolio
from polymarket_assets.learning.backtest.results import Figures
from polymarket_assets.learning.backtest.rules import LATENCIES_S, Rules
from polymarket_assets.learning.backtest.stakes import Flat
from polymarket_assets.learning.backtest.strategies import MODEL, STRATEGIES, Wishes
from polymarket_assets.learning.backtest.trading import Decisions, Trader
from polymarket_assets.learning.errors import NothingToTrade

# Orders of these sizes tell how much money an edge can take (ML.md 4.5).
SIZES_USD = (50.0, 200.0, 1_000.0)
# What a decision needs of an out-of-fold row.
COLUMNS = ("market_id", "group_id", "as_of", "label", "label_seen_at", "mid", "b2", "b3", "probability", "correction_sd")  # fmt: skip


@dataclass(frozen=True)
class Backtest:
    """Figures by strategy, by order size and by latency (seconds), and the fills of each strategy (schema `filled.FILLS`)."""

    rules: Rules
    rows: int
    # Rows whose book came in time, of those that any strategy wanted; the model's alone for other latencies.
    wanted: int
    booked: int
    figures: Mapping[str, Figures]
    capacity: Mapping[float, Figures]
    latencies: Mapping[float, Figures]
    fills: Mapping[str, pa.Table]

    @property
    def verdict(self) -> str:
        """One sentence on the model, and whether its baseline does as well."""
        model, base = self.figures[MODEL], self.figures[strategies.B3]
        beside = f"; driven by B3: {results.of_interval(base.roi)}" if base.groups else ""
        return model.verdict + beside

    def metrics(self) -> dict[str, float]:
        """Flat figures for a run: `backtest/<figure>` of the model, `.<strategy>`, `.<size>usd`, `.<latency>s` behind the return of others; what is NaN is left out."""
        of = self.figures[MODEL]
        plain = ("orders", "fills", "groups", "staked_usd", "fees_usd", "costs_usd", "pnl_usd", "sharpe_of_groups", "sharpe_of_days", "drawdown", "turnover", "hits")  # fmt: skip
        found = {f"backtest/{name}": float(getattr(of, name)) for name in plain}
        found |= _interval("backtest/roi", of) | {"backtest/roi_without_best": of.roi_without_best.value}
        others = {name.replace(" ", "_"): figures for name, figures in self.figures.items() if name != MODEL}
        others |= {f"{size:.0f}usd": figures for size, figures in self.capacity.items()}
        others |= {f"{latency:.0f}s": figures for latency, figures in self.latencies.items()}
        found |= {key: value for name, each in others.items() for key, value in _interval(f"backtest/roi.{name}", each).items()}  # fmt: skip
        return {name: value for name, value in found.items() if math.isfinite(value)}


def _interval(name: str, of: Figures) -> dict[str, float]:
    return {name: of.roi.value, f"{name}_low": of.roi.low, f"{name}_high": of.roi.high}


def backtest(lake: Lake, rows: pa.Table, *, rules: Rules | None = None, seed: int = 0) -> Backtest:
    """Trade out-of-fold rows (schema `out_of_fold.SCHEMA`; `COLUMNS` of it are read) on the books of a lake.

    Raises:
        NothingToTrade: there are no rows.
    """
    if not rows.num_rows:
        raise NothingToTrade("there are no out-of-fold rows to trade: train a model first")
    rules, rows = rules or Rules(), rows.select(COLUMNS)
    stage = _Stage(lake, rows, terms.schedules(lake, rows), _ends(lake, rows), rules, seed)
    wishes = {name: wished(rows, rules, seed) for name, wished in STRATEGIES.items()}
    met = stage.met(rules.latency_s, *wishes.values())
    played = {name: stage.played(name, wish, met) for name, wish in wishes.items()}
    wanted = np.any([wish.outcome >= 0 for wish in wishes.values()], axis=0)
    return Backtest(
        rules=rules,
        rows=rows.num_rows,
        wanted=int(wanted.sum()),
        booked=int((met.book >= 0).sum()),
        figures={name: figures for name, (figures, _) in played.items()},
        capacity={size: stage.capacity(size, wishes[MODEL], met) for size in SIZES_USD},
        latencies={late: stage.late(late, wishes[MODEL], played[MODEL][0]) for late in LATENCIES_S},
        fills={name: fills for name, (_, fills) in played.items()},
    )


@dataclass(frozen=True)
class _Stage:
    """What all strategies share: rows, terms, ends."""

    lake: Lake
    rows: pa.Table
    schedules: list[Schedule]
    ends: Mapping[str, End]
    rules: Rules
    seed: int

    def met(self, latency_s: float, *wishes: Wishes) -> books.Books:
        """The books that wishes meet; a row that nobody wants has none."""
        wanted = np.flatnonzero(np.any([wish.outcome >= 0 for wish in wishes], axis=0))
        asked = self.rows.take(pa.array(wanted)).select(["market_id", "as_of"])
        late = pc.add(asked.column("as_of"), pa.scalar(timedelta(seconds=latency_s)))
        found = books.executable(
            self.lake,
            pa.table({"market_id": asked.column("market_id"), "from_at": late}),
            wait_s=self.rules.wait_s,
        )
        book, at_us = np.full(self.rows.num_rows, -1), np.zeros(self.rows.num_rows, np.int64)
        book[wanted], at_us[wanted] = found.book, found.at_us
        return replace(found, book=book, at_us=at_us)

    def played(self, name: str, wishes: Wishes, met: books.Books, rules: Rules | None = None) -> tuple[Figures, pa.Table]:  # fmt: skip
        """A strategy from its bankroll to its last payout."""
        rules = rules or self.rules
        decisions = Decisions.of(self.rows, self.schedules, met, self.ends)
        trader = Trader(rules, Portfolio(rules.bankroll_usd))
        trader.trade(decisions, wishes, wishes.order(self.rows))
        fills = filled.table(trader.done, decisions, wishes)
        return results.figures(name, trader.done, fills, rules.bankroll_usd, seed=self.seed), fills

    def capacity(self, size_usd: float, wishes: Wishes, met: books.Books) -> Figures:
        """The model with one order of a size for every group, and money for all of them."""
        groups = pc.count_distinct(self.rows.column("group_id")).as_py()
        rules = replace(self.rules, stakes=Flat(size_usd), bankroll_usd=size_usd * groups)
        return self.played(f"orders of ${size_usd:,.0f}", wishes, met, rules)[0]

    def late(self, latency_s: float, wishes: Wishes, usual: Figures) -> Figures:
        """The model with another latency."""
        if latency_s == self.rules.latency_s:
            return usual
        return self.played(f"{latency_s:.0f} s", wishes, self.met(latency_s, wishes))[0]


def _ends(lake: Lake, rows: pa.Table) -> dict[str, End]:
    """When markets pay, by their resolutions, and what, by the label that the rows were judged by."""
    known = terms.ends(lake, rows.column("market_id").unique())
    labels = zip(*(rows.column(name).to_pylist() for name in ("market_id", "label")), _us(rows), strict=True)
    for market, label, seen_us in labels:
        if label is not None and seen_us is not None:
            known[market] = End(known[market].at_us if market in known else seen_us, float(label))
    return known


def _us(rows: pa.Table) -> list[int | None]:
    found: list[int | None] = rows.column("label_seen_at").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_pylist()  # fmt: skip
    return found
