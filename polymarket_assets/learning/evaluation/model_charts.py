"""The charts of what a model looked at: feature gain, feature effects, learning curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymarket_assets.learning.evaluation.marks import (
    HEIGHT,
    INK,
    QUIET,
    STEP,
    chart,
    layered,
    named,
    quantity,
    tooltips,
    zero,
)
from polymarket_assets.learning.explained import Explained

if TYPE_CHECKING:
    import altair as alt

# More lines are read by nobody; the artifact holds them all.
FEATURES_SHOWN = 15
# From a feature's low values to its high ones, told apart by the colour-blind; words are grey.
_LOW_TO_HIGH = ["#2f78c4", "#c9ccd1", "#d55e00"]


def gain(explained: Explained) -> alt.LayerChart:
    """Each feature's share of the total gain of splits."""
    import altair as alt

    rows = [{"feature": name, "share": share} for name, share in list(explained.gains.items())[:FEATURES_SHOWN] if share > 0]  # fmt: skip
    tips = tooltips(("feature", "", ""), ("share", "share of the gain", ".1%"))
    bars = chart(rows).mark_bar(color=INK, height={"band": 0.65}).encode(y=named("feature"), x=quantity("share", "share of the total gain", format=".0%"), tooltip=tips)  # fmt: skip
    return layered([bars], alt.Step(STEP))


def effects(explained: Explained) -> alt.LayerChart:
    """How far a feature moves the forecast, logits: a point for each bin of its values, coloured from low to high."""
    import altair as alt

    rows = [
        {"feature": name, "moves": moves, "value": _written(value), "rank": None if isinstance(value, str) else place / max(len(bins) - 1, 1)}
        for name, bins in _widest(explained)
        for place, (value, moves) in enumerate(bins)
    ]  # fmt: skip
    # Layers of words and of numbers would each bring an order of their own.
    y = {**named("feature"), "sort": list(dict.fromkeys(row["feature"] for row in rows))}
    tips = tooltips(("feature", "", ""), ("value", "value", ""), ("moves", "moves, logits", "+.4f"))
    base = chart(rows).encode(y=y, x=quantity("moves", "mean contribution, logits", format="+.3~f"), tooltip=tips)  # fmt: skip
    legend = alt.Legend(orient="top", title=None, gradientLength=140, values=[0, 1], labelExpr="datum.value < 0.5 ? 'low values' : 'high'")  # fmt: skip
    colour = alt.Color(
        "rank:Q", scale=alt.Scale(range=_LOW_TO_HIGH, domain=[0, 0.5, 1], interpolate="rgb"), legend=legend
    )
    numbers = base.transform_filter("datum.rank !== null").mark_point(filled=True, size=75, opacity=0.95, stroke="#8c8c8c", strokeWidth=0.4)  # fmt: skip
    words = base.transform_filter("datum.rank === null").mark_point(shape="diamond", filled=True, size=70, opacity=0.9, color=QUIET)  # fmt: skip
    return layered([zero("x"), words, numbers.encode(color=colour)], alt.Step(STEP + 3))


def learning_curve(explained: Explained) -> alt.LayerChart:
    """Log-loss gain over the price on the newest open fold, thousandths of a nat, by how many groups were trained on."""
    rows = [{"groups": groups, "gain": 1e3 * found} for groups, found in explained.learning_curve]
    tips = tooltips(("groups", "groups trained on", ",d"), ("gain", "gain", "+.2f"))
    x = quantity("groups", "groups trained on", format=",d", scale={"zero": False})
    line = chart(rows).mark_line(color=INK, point={"size": 60, "filled": True, "color": INK}).encode(x=x, y=quantity("gain", "gain, thousandths of a nat"), tooltip=tips)  # fmt: skip
    return layered([zero("y"), line], HEIGHT - 80)


def _widest(explained: Explained) -> list[tuple[str, list[tuple[float | str, float]]]]:
    """The features that move a forecast furthest, first those of the widest range."""
    reach = {name: max(moves) - min(moves) for name, bins in explained.effects.items() if (moves := [moved for _, moved in bins])}  # fmt: skip
    shown = sorted(reach, key=lambda name: -reach[name])[:FEATURES_SHOWN]
    return [(name, explained.effects[name]) for name in shown]


def _written(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"
