"""Charts of models and of large orders. Each is made once for what it shows: rows are values, and so is the chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from console import charting
from console.models.paper import Point
from console.models.spoken import Bin, Week
from console.models.whales import Hour
from polymarket_assets.report import charts

Spec = dict[str, Any]
# Told apart by the colour-blind (Okabe and Ito), as everywhere in charts of the platform.
_INKS = ("#2f78c4", "#d55e00", "#009e73", "#e0a800", "#56b4e9", "#cc6677")
_BUYS, _SELLS = "#009e73", "#d55e00"
_HEIGHT = 240
# Of what is asked for now; a chart is some kilobytes.
_KEPT = 32


@lru_cache(_KEPT)
def reliability(model: tuple[Bin, ...], price: tuple[Bin, ...]) -> Spec:
    """What came true by what was said, with intervals; on the diagonal it is as said."""
    import altair as alt

    rows = [_bin(name, one) for name, bins in (("model", model), ("market's price", price)) for one in bins]
    colour = _colour("forecast", ("model", "market's price"))
    x = alt.X("said:Q", title="said", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1]))
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x, color=colour)
    scale = alt.Scale(domain=[0, 1])
    came = alt.Y("came:Q", title="came true", axis=alt.Axis(format=".0%"), scale=scale)
    tips = [_tip("forecast", "", ""), _tip("said", "said", ".1%"), _tip("came", "came true", ".1%"), _tip("groups", "effective groups", ",.0f")]  # fmt: skip
    ends = alt.Chart(alt.InlineData(values=[{"at": 0}, {"at": 1}])).mark_line(color="#8c8c8c", strokeDash=[4, 3]).encode(x="at:Q", y="at:Q")  # fmt: skip
    bars = base.transform_filter("datum.forecast == 'model'").mark_rule(strokeWidth=2, opacity=0.5).encode(y=alt.Y("low:Q", title="came true", scale=scale), y2="high:Q")  # fmt: skip
    points = base.mark_point(filled=True, size=60, opacity=1).encode(y=came, tooltip=tips)
    return charting.spec(alt.layer(ends, bars, points).properties(height=_HEIGHT))


@lru_cache(_KEPT)
def weeks(found: tuple[Week, ...]) -> Spec:
    """The gain over the price of each week, thousandths of a nat, with its interval."""
    import altair as alt

    rows = [
        {"week": f"{one.began_at:%Y-%m-%d}", "groups": one.groups, "skill": one.skill, "gain": 1e3 * one.gain.value, **_ends(one)}
        for one in found
    ]  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=alt.X("week:N", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=charts.LABELS_APART)))  # fmt: skip
    title = "gain, thousandths of a nat"
    tips = [_tip("week", "week from", ""), _tip("groups", "groups", ",d"), _tip("gain", "gain", "+.2f"), _tip("skill", "Brier skill", "+.2%")]  # fmt: skip
    zero = alt.Chart(alt.InlineData(values=[{"none": 0}])).mark_rule(color="#8c8c8c", strokeDash=[4, 3]).encode(y="none:Q")  # fmt: skip
    reach = base.mark_rule(strokeWidth=2, color=_INKS[0], opacity=0.6).encode(y=alt.Y("low:Q", title=title), y2="high:Q")  # fmt: skip
    points = base.mark_point(filled=True, size=60, opacity=1, color=_INKS[0]).encode(y=alt.Y("gain:Q", title=title), tooltip=tips)  # fmt: skip
    return charting.spec(alt.layer(zero, reach, points).properties(height=_HEIGHT))


@lru_cache(_KEPT)
def curve(points: tuple[Point, ...]) -> Spec:
    """Each account's cash and open positions at cost, over time."""
    import altair as alt

    rows = [{"at": _ms(one.at), "utc": f"{one.at:%Y-%m-%d %H:%M}", "equity": one.equity_usd, "model": one.model_version} for one in points]  # fmt: skip
    models = tuple(dict.fromkeys(one.model_version for one in points))
    line = alt.Chart(alt.InlineData(values=rows)).mark_line(interpolate="step-after", strokeWidth=1.8, point={"size": 12}).encode(
        x=_time("at"), y=alt.Y("equity:Q", title=None, axis=alt.Axis(format="$,.0f"), scale=alt.Scale(zero=False)), color=_colour("model", models),
        tooltip=[_tip("model", "", ""), _tip("utc", "UTC", ""), _tip("equity", "equity", "$,.2f")],
    )  # fmt: skip
    return charting.spec(line.properties(height=_HEIGHT))


@lru_cache(_KEPT)
def hours(found: tuple[Hour, ...]) -> Spec:
    """Dollars of large orders by the hour: of takers that bought, and of those that sold."""
    import altair as alt

    rows = [{"from": _ms(one.hour_at), "to": _ms(one.hour_at) + 3_600_000, "utc": f"{one.hour_at:%Y-%m-%d %H:%M}", "side": _side(one), "orders": one.orders, "usd": one.usd} for one in found]  # fmt: skip
    names = ("takers bought", "takers sold")
    bars = alt.Chart(alt.InlineData(values=rows)).mark_bar(opacity=0.85, orient="vertical").encode(
        x=_time("from"), x2="to:T", y=alt.Y("usd:Q", title=None, stack="zero", axis=alt.Axis(format="$,.3~s")), color=_colour("side", names, (_BUYS, _SELLS)),
        tooltip=[_tip("utc", "hour from, UTC", ""), _tip("side", "", ""), _tip("orders", "orders", ",d"), _tip("usd", "dollars", "$,.0f")],
    )  # fmt: skip
    return charting.spec(bars.properties(height=_HEIGHT - 60))


def _side(one: Hour) -> str:
    return "takers bought" if one.is_buy else "takers sold"


def _bin(name: str, one: Bin) -> dict[str, Any]:
    return {"forecast": name, "said": one.said, "came": one.came.value, "low": one.came.low, "high": one.came.high, "groups": one.groups}  # fmt: skip


def _ends(one: Week) -> dict[str, float | None]:
    return {name: None if end is None else 1e3 * end for name, end in (("low", one.gain.low), ("high", one.gain.high))}  # fmt: skip


def _time(column: str) -> Any:
    import altair as alt

    return alt.X(
        f"{column}:T",
        title=None,
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(
            labelExpr=charts.CLOCK, labelOverlap=True, labelSeparation=charts.LABELS_APART, tickCount=8
        ),
    )


def _colour(column: str, names: Sequence[str], inks: Sequence[str] = _INKS) -> Any:
    import altair as alt

    scale = alt.Scale(domain=list(names), range=[inks[n % len(inks)] for n in range(len(names))])
    return alt.Color(f"{column}:N", title=None, scale=scale, legend=alt.Legend(orient="top", symbolOpacity=1))


def _tip(name: str, title: str, written: str) -> Any:
    import altair as alt

    return alt.Tooltip(f"{name}:Q", title=title, format=written) if written else alt.Tooltip(f"{name}:N", title=title or name)  # fmt: skip


def _ms(at: datetime) -> int:
    """Milliseconds since 1970, as charts have instants."""
    return round(at.timestamp() * 1e3)
