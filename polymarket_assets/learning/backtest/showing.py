"""A backtest for a page: its panels and its tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from polymarket_assets.learning.backtest import charts, results, returns
from polymarket_assets.learning.backtest.charts import ENDS_SHOWN
from polymarket_assets.learning.backtest.results import Figures
from polymarket_assets.learning.backtest.running import Backtest
from polymarket_assets.learning.backtest.strategies import MODEL
from polymarket_assets.report.page import Grid, Panel

_NOTHING = "Nothing was bought and paid: there is nothing to show."


def panels(of: Backtest) -> list[Panel]:
    """Equity with drawdown, gains by group, controls side by side, capacity, latency."""
    model = of.figures[MODEL]
    if not model.groups:
        return [Panel("Backtest", _NOTHING)]
    return [
        Panel("Bankroll", f"{model.verdict}. Open positions at cost; a gain counts when it is paid.", charts.equity(of)),
        Panel("Below the highest before", f"At worst {model.drawdown:.1%} of the bankroll.", charts.drawdown(of)),
        Panel("Gains by group", _told_groups(model), charts.groups(of)),
        Panel("Beside its controls", "Return on dollars staked, with its 95 % over groups; the same rules, another belief.", charts.returns(list(of.figures.values()))),
        Panel("How much an edge can take", "Return by size of order, one a group; what the books do not hold is not bought.", charts.returns(list(of.capacity.values()))),
        Panel("How fast it must be", "Return by seconds from decision to order.", charts.returns([*_named_by_latency(of)])),
    ]  # fmt: skip


def grids(of: Backtest) -> list[Grid]:
    """Every strategy's figures, sizes and latencies; hits by price; what became of the model's wishes."""
    every = [*of.figures.values(), *of.capacity.values(), *_named_by_latency(of)]
    fates = of.figures[MODEL].fates
    return [
        Grid("Strategies, sizes, latencies", _HEADINGS, [_line(f) for f in every], numbers=frozenset(range(1, len(_HEADINGS)))),
        Grid("Hits by price", _BANDS, [_band(b) for b in returns.bands(of.fills[MODEL])], remark="Weighted by shares: a price is right where hits equal the cost of a share.", numbers=frozenset(range(1, len(_BANDS)))),
        Grid("What became of wishes", ("fate", "wishes"), [(fate, f"{count:,}") for fate, count in fates.items()], numbers=frozenset({1})),
    ]  # fmt: skip


_HEADINGS = ("what", "fills", "groups", "staked", "costs", "gained", "return, 95 %", "of the mean group", "without the best 5", "Sharpe a group", "a day", "drawdown", "turnover", "hits")  # fmt: skip
_BANDS = ("price", "fills", "hits", "cost of a share", "gained")


def _line(f: Figures) -> Sequence[str]:
    shares = (f"{f.drawdown:.1%}", f"{f.turnover:.2f}", _told(f.hits, ".1%"))
    return (
        f.name, f"{f.fills:,}", f"{f.groups:,}", f"${f.staked_usd:,.0f}", f"${f.costs_usd:,.0f}", results.gained(f.pnl_usd),
        results.of_interval(f.roi) if f.groups else "–", _told(f.roi_of_groups.value, "+.1%"), _told(f.roi_without_best.value, "+.1%"),
        _told(f.sharpe_of_groups, "+.3f"), _told(f.sharpe_of_days, "+.3f"), *shares,
    )  # fmt: skip


def _band(of: returns.Band) -> Sequence[str]:
    return (f"{of.low:.2f} … {of.high:.2f}", f"{of.fills:,}", f"{of.hits:.1%}", f"{of.cost:.3f}", results.gained(of.pnl_usd))  # fmt: skip


def _told(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "–"


def _named_by_latency(of: Backtest) -> list[Figures]:
    return [replace(figures, name=f"{latency:.0f} s") for latency, figures in of.latencies.items()]


def _told_groups(model: Figures) -> str:
    without = f"without the best {results.BEST_LEFT_OUT}: {results.of_interval(model.roi_without_best)}"
    shown = f"The best {ENDS_SHOWN} and the worst of {model.groups:,}" if model.groups > 2 * ENDS_SHOWN else "All groups"  # fmt: skip
    return f"{shown}; {without}."
