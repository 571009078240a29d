"""Charts of a backtest, in Vega-Lite by Altair, in the style of a market's page. Dollars, instants UTC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from polymarket_assets.learning.backtest import returns as returns_of
from polymarket_assets.learning.backtest.results import Figures
from polymarket_assets.learning.backtest.running import Backtest
from polymarket_assets.learning.backtest.strategies import MODEL

if TYPE_CHECKING:
    import altair as alt

# Told apart by the colour-blind (Okabe and Ito): what gains, what loses, what shows neither.
GAIN, LOSS, NEITHER, LINE = "#009e73", "#d55e00", "#8c8c8c", "#2f78c4"
HEIGHT, LOW_HEIGHT = 260, 110
# So many of the best groups are shown, and of the worst; a page is no place for thousands of bars.
ENDS_SHOWN = 15
# Points of a line; a year of payouts is more than a screen has.
_POINTS = 2_000
# Pixels that the longest name of a strategy takes: charts under one another begin at one place.
_NAMES = 130
Rows = list[dict[str, Any]]


def _curve(of: Backtest) -> Rows:
    curve = returns_of.curve(of.fills[MODEL], of.rules.bankroll_usd)
    at = np.unique(np.linspace(0, len(curve["at_us"]) - 1, _POINTS).astype(int))
    held = (curve[name][at].tolist() for name in ("at_us", "equity_usd", "drawdown"))
    return [
        {"at": us // 1000, "utc": f"{datetime.fromtimestamp(us / 1e6, UTC):%Y-%m-%d %H:%M}", "equity": equity, "below": -below}
        for us, equity, below in zip(*held, strict=True)
    ]  # fmt: skip


def equity(of: Backtest) -> alt.LayerChart:
    import altair as alt

    base = _over_time(_curve(of))
    line = base.mark_line(interpolate="step-after", color=LINE, strokeWidth=1.8).encode(
        y=alt.Y("equity:Q", title=None, axis=_dollars(), scale=alt.Scale(zero=False)),
        tooltip=[
            alt.Tooltip("utc:N", title="UTC"),
            alt.Tooltip("equity:Q", title="bankroll", format="$,.2f"),
        ],
    )
    return _layers(_rule(of.rules.bankroll_usd, "y"), line, height=HEIGHT)


def drawdown(of: Backtest) -> alt.LayerChart:
    import altair as alt

    area = _over_time(_curve(of)).mark_area(interpolate="step-after", color=LOSS, opacity=0.45).encode(
        y=alt.Y("below:Q", title=None, axis=alt.Axis(format=".1%", tickCount=4, minExtent=46)),
        tooltip=[alt.Tooltip("utc:N", title="UTC"), alt.Tooltip("below:Q", title="below the highest", format=".2%")],
    )  # fmt: skip
    return _layers(area, height=LOW_HEIGHT)


def groups(of: Backtest) -> alt.LayerChart:
    import altair as alt

    fills = of.fills[MODEL]
    fills = fills.filter(pc.is_valid(fills.column("payout_usd")))
    names = np.unique(fills.column("group_id").to_numpy().astype(str))
    cost, gained = returns_of.of_groups(fills)
    order = np.argsort(-gained, kind="stable")
    shown = (
        order if len(order) <= 2 * ENDS_SHOWN else np.concatenate([order[:ENDS_SHOWN], order[-ENDS_SHOWN:]])
    )
    rows = [
        {"group": str(names[n]), "gained": float(gained[n]), "staked": float(cost[n]), "colour": GAIN if gained[n] > 0 else LOSS}
        for n in shown
    ]  # fmt: skip
    bars = alt.Chart(alt.InlineData(values=rows)).mark_bar().encode(
        x=alt.X("group:N", title=None, sort=None, axis=alt.Axis(labels=False, ticks=False)),
        y=alt.Y("gained:Q", title=None, axis=_dollars()),
        color=alt.Color("colour:N", scale=None),
        tooltip=[alt.Tooltip("group:N"), alt.Tooltip("gained:Q", format="$,.2f"), alt.Tooltip("staked:Q", format="$,.2f")],
    )  # fmt: skip
    return _layers(bars, height=HEIGHT - 60)


def returns(every: Sequence[Figures]) -> alt.LayerChart:
    """Returns with their intervals, one row a name; what bought nothing has none."""
    import altair as alt

    rows = [
        {"name": f.name, "value": f.roi.value, "low": _or(f.roi.low, f.roi.value), "high": _or(f.roi.high, f.roi.value),
         "groups": f.groups, "staked": f.staked_usd, "colour": GAIN if f.roi.low > 0 else LOSS if f.roi.high < 0 else NEITHER}
        for f in every if f.groups
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("name:N", title=None, sort=[f.name for f in every], axis=alt.Axis(minExtent=_NAMES), scale=alt.Scale(domain=[f.name for f in every])),
        color=alt.Color("colour:N", scale=None),
        tooltip=[alt.Tooltip("name:N"), *(alt.Tooltip(f"{c}:Q", format="+.2%") for c in ("value", "low", "high")),
                 alt.Tooltip("groups:Q", format=",d"), alt.Tooltip("staked:Q", format="$,.0f")],
    )  # fmt: skip
    axis = alt.Axis(format="+.0%", tickCount=8)
    span = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=None, axis=axis), x2="high:Q")
    point = base.mark_point(filled=True, size=90).encode(x=alt.X("value:Q", title=None, axis=axis))
    return _layers(_rule(0.0, "x"), span, point, height=28 * len(every) + 20)


def _or(value: float, other: float) -> float:
    return value if math.isfinite(value) else other


def _over_time(rows: Rows) -> alt.Chart:
    import altair as alt

    axis = alt.Axis(labelOverlap=True, labelFlush=True, tickCount=8)
    x = alt.X("at:T", title=None, scale=alt.Scale(type="utc", nice=False), axis=axis)
    return alt.Chart(alt.InlineData(values=rows)).encode(x=x)


def _rule(at: float, way: str) -> alt.Chart:
    import altair as alt

    rule = alt.Chart(alt.InlineData(values=[{way: at}])).mark_rule(strokeDash=[2, 3], strokeWidth=1.5, color=NEITHER)  # fmt: skip
    drawn: alt.Chart = rule.encode(**{way: f"{way}:Q"})
    return drawn


def _dollars() -> alt.Axis:
    import altair as alt

    return alt.Axis(format="$,.0f", tickCount=6, minExtent=46)


def _layers(*layers: alt.Chart, height: int) -> alt.LayerChart:
    import altair as alt

    return alt.LayerChart(layer=list(layers)).properties(height=height)
