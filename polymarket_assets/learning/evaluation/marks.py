"""The marks that charts of a judgement are made of: intervals in rows, a rule at nothing, colours, axes, tooltips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polymarket_assets.learning.evaluation.intervals import Interval
from polymarket_assets.learning.evaluation.slices import LEAST_GROUPS
from polymarket_assets.learning.out_of_fold import MODEL, PRICE

if TYPE_CHECKING:
    import altair as alt

Rows = list[dict[str, Any]]

# Told apart by the colour-blind, and on white and black paper (Okabe and Ito, and greys), as the report of a market.
INK = "#2f78c4"
CALLED = {MODEL: "model", PRICE: "market's price"}
BETTER, WORSE, UNDECIDED, DESCRIBED = "better", "worse", "no difference found", f"under {LEAST_GROUPS} groups: described only"  # fmt: skip
COLOURS = {
    "model": INK, "market's price": "#d55e00", BETTER: "#009e73", WORSE: "#d55e00", UNDECIDED: INK, DESCRIBED: "#9aa1ab",
    "over groups": INK, "over resolution days": "#9ec5ee", "week": "#9ec5ee", "all weeks so far": INK,
}  # fmt: skip
QUIET = "#8c8c8c"
HEIGHT, STEP = 280, 19
# Intervals beyond this many times the range of all values run out of the picture: one wild row would squeeze all others.
_REACH = 2.5


def ranged(
    rows: Rows, row: str, title: str, kind: str, kinds: Sequence[str], tips: Sequence[Any], domain: Sequence[float], *, offset: bool = False
) -> alt.LayerChart:  # fmt: skip
    """Figures and their intervals, a line of the picture for each value of `row`; with `offset`, its kinds beneath one another."""
    import altair as alt

    shift: dict[str, Any] = {"yOffset": alt.YOffset(f"{kind}:N", sort=list(kinds)[::-1])} if offset else {}
    y = alt.Y(f"{row}:N", title=None, sort=None, axis=alt.Axis(labelLimit=230))
    base = chart(rows).encode(y=y, color=coloured(kind, kinds), tooltip=list(tips), **shift)
    scale = {"domain": list(domain), "nice": False}
    return layered(
        [
            zero("x"),
            base.mark_rule(strokeWidth=2.5, clip=True).encode(
                x=quantity("low", title, scale=scale), x2="high:Q"
            ),
            base.mark_point(filled=True, size=60, opacity=1, clip=True).encode(
                x=quantity("value", title, scale=scale)
            ),
        ],
        alt.Step(STEP * (0.7 if offset else 1)),
    )


def layered(layers: Sequence[Any], height: Any) -> alt.LayerChart:
    """One picture of marks over one another."""
    import altair as alt

    return alt.LayerChart(layer=list(layers)).properties(height=height)


def zero(axis: str) -> alt.Chart:
    """A rule where nothing is gained and nothing lost."""
    import altair as alt

    rule: alt.Chart = alt.Chart(alt.InlineData(values=[{"none": 0}])).mark_rule(color=QUIET, strokeDash=[4, 3], strokeWidth=1.2)  # fmt: skip
    placed: alt.Chart = rule.encode(y="none:Q") if axis == "y" else rule.encode(x="none:Q")
    return placed


def coloured(column: str, names: Sequence[str]) -> alt.Color:
    """The colours of names, told at the top."""
    import altair as alt

    legend = alt.Legend(orient="top", symbolType="square", symbolOpacity=1, symbolStrokeWidth=0)
    scale = alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])
    return alt.Color(f"{column}:N", title=None, scale=scale, legend=legend)


def quantity(column: str, title: str, **more: Any) -> dict[str, Any]:
    """A measured position, as Vega-Lite writes it."""
    axis = {
        "title": title,
        "tickCount": 9,
        "titleFontWeight": "normal",
        **({"format": more.pop("format")} if "format" in more else {}),
    }
    return {"field": column, "type": "quantitative", "axis": axis, **more}


def named(column: str, **more: Any) -> dict[str, Any]:
    """A position by name, in the order of the rows."""
    return {"field": column, "type": "nominal", "sort": None, "title": None, **more}


def tooltips(*columns: tuple[str, str, str]) -> list[alt.Tooltip]:
    """Column, title, format; without a format it is text."""
    import altair as alt

    return [
        alt.Tooltip(f"{name}:Q", title=title, format=written) if written else alt.Tooltip(f"{name}:N", title=title or name)
        for name, title, written in columns
    ]  # fmt: skip


def chart(rows: Rows) -> alt.Chart:
    import altair as alt

    return alt.Chart(alt.InlineData(values=rows))


def drawn(figure: Interval) -> dict[str, float | None]:
    """An interval in thousandths for JSON, which knows no infinity."""
    ends = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {name: 1e3 * end if np.isfinite(end) else None for name, end in ends.items()}


def range_of(figures: Sequence[Interval]) -> list[float]:
    """In thousandths, from the least to the greatest end, but no further than some times the range of the values, and always around 0."""
    values = [figure.value for figure in figures] or [0.0]
    ends = [end for f in figures for end in (f.low, f.high) if np.isfinite(end)] or values
    low, high = min(0.0, *values), max(0.0, *values)
    widths = [f.width for f in figures if np.isfinite(f.width)] or [0.0]
    reach = _REACH * max(high - low, float(np.median(widths)) / 2, 1e-6)
    ends_at = max(min(0.0, *ends), low - reach), min(max(0.0, *ends), high + reach)
    air = 0.04 * max(ends_at[1] - ends_at[0], 1e-6)
    return [1e3 * (ends_at[0] - air), 1e3 * (ends_at[1] + air)]
