"""The charts of a page, as Vega-Lite by Altair. Prices are dollars a share, instants UTC, charts of a page share their time.

A chart is a function of rows and of the span it shows; the same charts, stacked, are the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from polymarket_assets.lake.spans import Span
from polymarket_assets.report.silences import NOT_HEARD, NOT_SAMPLED, Silence

if TYPE_CHECKING:
    import altair as alt

# Lines in a legend are strokes.
_STROKES: dict[str, Any] = {"symbolType": "stroke", "symbolStrokeWidth": 3}
# Days where a day begins, else as exact as the tick.
CLOCK = """utchours(datum.value) + utcminutes(datum.value) + utcseconds(datum.value) == 0 ? utcFormat(datum.value, '%-d %b')
    : utcFormat(datum.value, utcseconds(datum.value) == 0 ? '%H:%M' : '%H:%M:%S')"""
# `drawn_at` is an instant, or its milliseconds since 1970.
Rows = list[dict[str, Any]]

BUYS, SELLS = "taker buys", "taker sells"
BAND, MID, SHOWN = "bid to ask", "mid", "displayed price"
BIDS, ASKS = "bids", "asks"
# Told apart by the colour-blind, and on white and black paper (Okabe and Ito, and greys).
COLOURS = {
    BAND: "#7fb2e5", MID: "#2f78c4", SHOWN: "#2f78c4", BUYS: "#009e73", SELLS: "#d55e00", BIDS: "#009e73", ASKS: "#d55e00",
    NOT_HEARD: "#e0a800", NOT_SAMPLED: "#8c8c8c",
}  # fmt: skip
# Instants that end a market, or begin its game.
_RULES = ("#b0468c", "#7a5cc4", "#c43d3d", "#5b6b7a", "#8a6d3b")
LEGS = (
    "#2f78c4",
    "#d55e00",
    "#009e73",
    "#e0a800",
    "#56b4e9",
    "#cc6677",
    "#999933",
    "#9a8fe0",
    "#a6761d",
    "#8bc34a",
)
REST = "#8c8c8c"
# Pixels between labels of an axis of time.
LABELS_APART = 8
# The axis' labels take the same width in every chart, so that one instant lies at one place.
_LABELS = 46
HEIGHT, LOW_HEIGHT = 280, 130
# A picture of a price that never moved still has a scale.
_LEAST_RANGE = 0.02
# Below this range of prices hundredths are too coarse for an axis.
_FINE_RANGE = 0.05
# Air above what begins at nothing.
_HEADROOM = 1.12
# Lines of so few rows show each.
_FEW = 60
# Where trades or a band lie under the line, points of more would clutter.
_HARDLY_ANY = 5


@dataclass(frozen=True)
class Frame:
    """What all charts of a page have in common: the time they show, what was not known in it, instants marked in it."""

    span: Span
    silences: Sequence[Silence] = ()
    instants: dict[str, datetime] = field(default_factory=dict)

    @property
    def inside(self) -> dict[str, datetime]:
        """Instants within the time shown."""
        return {what: at for what, at in self.instants.items() if self.span.start <= at <= self.span.end}


def price(quotes: Rows, shown: Rows, dealt: Rows, frame: Frame) -> alt.LayerChart:
    """Bid to ask, mid, displayed prices and trades, a point's area its dollars."""
    low, high = _range(
        [r[c] for r in quotes for c in ("bid", "ask")] + [r["price"] for r in (*shown, *dealt)]
    )
    y = _axis(_written(low, high), domain=(low, high))
    sides = [
        name for name, is_buy in ((BUYS, True), (SELLS, False)) if any(r["is_buy"] is is_buy for r in dealt)
    ]
    names = [*([BAND, MID] if quotes else []), *([SHOWN] if shown else []), *sides]
    layers = [
        # Lines over points: many trades would hide the price.
        *([_points(dealt, names, frame, y)] if dealt else ()),
        *(_quoted(quotes, names, frame, y) if quotes else ()),
        *([_stepped(shown, "price", SHOWN, names, frame, y)] if shown else ()),
    ]
    return _framed(layers, frame, HEIGHT)


def spread(quotes: Rows, frame: Frame) -> alt.LayerChart:
    """Ask less bid, cents."""
    known = [r["spread_c"] for r in quotes if r["spread_c"] is not None]
    y = _axis(",.2~f", ticks=4, domain=(min(0.0, *known), max(known) * _HEADROOM or 1.0))
    line = (
        _chart(quotes, frame)
        .mark_line(interpolate="step-after", strokeWidth=1.4, color=COLOURS[MID], clip=True)
        .encode(y=_y("spread_c", y), tooltip=_tips(("spread_c", "spread, cents", ".2f")))
    )
    return _framed([line], frame, LOW_HEIGHT, told=False)


def depth(quotes: Rows, frame: Frame) -> alt.LayerChart:
    """Dollars resting within 5 cents of the best price (light) and within 1 cent (dark): asks upwards, bids downwards."""
    sizes = [f"{side}_{cents}c" for side in ("bid", "ask") for cents in (1, 5)]
    rows = [{**r, **{f"under_{c}": None if r[c] is None else -r[c] for c in sizes[:2]}} for r in quotes]
    y = _axis("$.2~s", ticks=4, expression="format(abs(datum.value), '$.2~s')")
    tips = _tips(*((c, f"{c[:3]}s within {c[4]} c", "$,.0f") for c in sizes))
    base = _chart(rows, frame).encode(tooltip=tips)
    layers = [
        _in(base.mark_area(interpolate="step-after", opacity=opacity, clip=True), name, [ASKS, BIDS]).encode(
            y=_y(column, y)
        )
        for cents, opacity in ((5, 0.35), (1, 0.85))
        for column, name in ((f"ask_{cents}c", ASKS), (f"under_bid_{cents}c", BIDS))
    ]
    return _framed(layers, frame, LOW_HEIGHT + 30, told=False)


def volume(bars: Rows, frame: Frame) -> alt.LayerChart:
    """Dollars traded, by the taker's side."""
    import altair as alt

    bought = {r["drawn_at"]: r["usd"] for r in bars if r["is_buy"]}
    rows = [
        {
            "drawn_at": r["drawn_at"],
            "until": r["until"],
            "usd": r["usd"],
            "trades": r["trades"],
            "side": BUYS if r["is_buy"] else SELLS,
            "low": 0.0 if r["is_buy"] else bought.get(r["drawn_at"], 0.0),
        }
        for r in bars
    ]
    rows = [{**r, "high": r["low"] + r["usd"]} for r in rows]
    names = [name for name in (BUYS, SELLS) if any(r["side"] == name for r in rows)]
    # Rectangles: Vega-Lite lays bars between two instants on their side.
    bar = (
        _chart(rows, frame)
        .mark_rect(clip=True)
        .encode(
            x2=alt.X2("until:T"),
            y=_y("low", _axis("$.2~s", ticks=4, domain=(0.0, max(r["high"] for r in rows) * _HEADROOM))),
            y2=alt.Y2("high:Q"),
            color=alt.Color("side:N", title=None, scale=_scale(names), legend=_legend()),
            tooltip=_tips(("usd", "dollars", "$,.2f"), ("trades", "trades", ",d")),
        )
    )
    return _framed([bar], frame, LOW_HEIGHT, told=False)


def legs(rows: Rows, labels: Sequence[str], rest: Rows, frame: Frame) -> alt.LayerChart:
    """The price of each leg (`label`), and that of all others together."""
    import altair as alt

    every = [*rows, *rest]
    names = [*labels, *([rest[0]["label"]] if rest else [])]
    colours = [*LEGS[: len(labels)], *([REST] if rest else [])]
    low, high = _range([r["price"] for r in every])
    y = _axis(_written(low, high), domain=(low, high))
    scale = alt.Scale(domain=names, range=colours)
    line = (
        _chart(every, frame)
        .mark_line(interpolate="step-after", strokeWidth=1.6, clip=True, point=_dots(every, _FEW))
        .encode(
            y=_y("price", y),
            color=alt.Color("label:N", title=None, scale=scale, legend=_legend(columns=2, **_STROKES)),
            tooltip=[alt.Tooltip("label:N", title="leg"), *_tips(("price", "price", ".4f"))],
        )
    )
    return _framed([line], frame, HEIGHT + 40)


def sums(rows: Rows, frame: Frame) -> alt.LayerChart:
    """The prices of all legs together, between the sums of their bids and asks, against 1."""
    import altair as alt

    quoted = any(r["bids"] is not None for r in rows)
    names = [*(["sum of bids to sum of asks"] if quoted else []), "sum of prices"]
    low, high = _range([r[c] for r in rows for c in ("total", "bids", "asks")] + [1.0], top=None)
    y = _axis(_written(low, high), ticks=5, domain=(low, high))
    base, colours = _chart(rows, frame), dict(zip(names[::-1], (COLOURS[MID], COLOURS[BAND]), strict=False))
    band = base.mark_area(interpolate="step-after", opacity=0.45, clip=True).encode(
        y=_y("bids", y), y2=alt.Y2("asks:Q")
    )
    tips = (("total", "sum", ".4f"), ("bids", "bids", ".4f"), ("asks", "asks", ".4f"), ("legs", "legs", ",d"))
    line = base.mark_line(
        interpolate="step-after", strokeWidth=1.6, clip=True, point=_dots(rows, _HARDLY_ANY)
    ).encode(y=_y("total", y), tooltip=_tips(*tips))
    one = alt.Chart(alt.InlineData(values=[{"one": 1}])).mark_rule(
        strokeDash=[2, 3], strokeWidth=1.5, color=REST
    )
    return _framed(
        [
            *([_in(band, names[0], names, colours)] if quoted else []),
            _in(line, names[-1], names, colours),
            one.encode(y=_y("one", y)),
        ],
        frame,
        HEIGHT - 50,
    )


def _written(low: float, high: float) -> str:
    """How prices of a range are written, so that no two ticks read alike."""
    return ".3f" if high - low < _FINE_RANGE else ".2f"


def _dots(rows: Rows, most: int) -> Any:
    """Points on a line of few rows: one row alone is no line."""
    return {"size": 40} if len(rows) <= most else False


def _quoted(quotes: Rows, names: Sequence[str], frame: Frame, y: _Axis) -> list[alt.Chart]:
    import altair as alt

    base = _chart(quotes, frame)
    band = base.mark_area(interpolate="step-after", opacity=0.45, clip=True)
    line = base.mark_line(
        interpolate="step-after", strokeWidth=1.6, clip=True, point=_dots(quotes, _HARDLY_ANY)
    )
    tips = _tips(("mid", "mid", ".4f"), ("bid", "bid", ".4f"), ("ask", "ask", ".4f"))
    return [
        _in(band.encode(y=_y("bid", y), y2=alt.Y2("ask:Q")), BAND, names),
        _in(line.encode(y=_y("mid", y), tooltip=tips), MID, names),
    ]


def _stepped(rows: Rows, column: str, name: str, names: Sequence[str], frame: Frame, y: _Axis) -> alt.Chart:
    """A line; of few rows with a point at each, for one row is no line."""
    line = _chart(rows, frame).mark_line(interpolate="step-after", strokeWidth=1.6, clip=True, point=_dots(rows, _FEW))  # fmt: skip
    return _in(line.encode(y=_y(column, y), tooltip=_tips((column, name, ".4f"))), name, names)


def _points(dealt: Rows, names: Sequence[str], frame: Frame, y: _Axis) -> alt.Chart:
    import altair as alt

    rows = [
        {**{k: r[k] for k in ("drawn_at", "price", "usd")}, "side": BUYS if r["is_buy"] else SELLS}
        for r in dealt
    ]
    size = alt.Size("usd:Q", scale=alt.Scale(type="sqrt", domainMin=0, range=[8, 260]), legend=None)
    points: alt.Chart = (
        _chart(rows, frame)
        .mark_point(filled=True, opacity=0.6, strokeWidth=0, clip=True)
        .encode(
            y=_y("price", y), size=size,
            color=alt.Color("side:N", title=None, scale=_scale(names), legend=_legend()),
            tooltip=[alt.Tooltip("side:N", title="trade"), *_tips(("price", "price", ".4f"), ("usd", "dollars", "$,.2f"))],
        )
    )  # fmt: skip
    return points


def _framed(layers: Sequence[Any], frame: Frame, height: int, *, told: bool = True) -> alt.LayerChart:
    """Layers over the shades of what was not known, under the rules of instants; the legend of these stands once a page."""
    import altair as alt

    shades = [
        {"drawn_at": s.start, "until": _ms(s.end), "what": s.what, "cause": s.cause} for s in frame.silences
    ]
    rules = [{"drawn_at": at, "what": what} for what, at in frame.inside.items()]
    kinds = [kind for kind in (NOT_HEARD, NOT_SAMPLED) if any(r["what"] == kind for r in shades)]
    under, over = _chart(shades, frame).mark_rect(opacity=0.28, clip=True), _chart(rules, frame)
    fill = alt.Fill("what:N", title=None, scale=_scale(kinds), legend=_legend() if told else None)
    rules_scale = alt.Scale(domain=list(frame.inside), range=list(_RULES[: len(frame.inside)]))
    stroke = alt.Stroke("what:N", title=None, scale=rules_scale, legend=_legend(**_STROKES) if told else None)
    why = [alt.Tooltip("what:N", title="what"), alt.Tooltip("cause:N", title="why"), *_tips()]
    what = [alt.Tooltip("what:N", title="instant"), *_tips()]
    over = over.mark_rule(strokeWidth=1.5, strokeDash=[5, 3], clip=True).encode(stroke=stroke, tooltip=what)
    every = [
        *([under.encode(x2=alt.X2("until:T"), fill=fill, tooltip=why)] if shades else []),
        *layers,
        *([over] if rules else []),
    ]
    framed = alt.LayerChart(height=height)
    # Layers that a chart is made with it copies twice, value by value; and again when it is written.
    framed.layer = every
    return framed


def _chart(rows: Rows, frame: Frame) -> alt.Chart:
    """Rows with their instants as milliseconds, placed in the frame's time.

    They are one text: Altair looks at every value of a list, half a second for a chart.
    """
    import altair as alt

    # An expression: of a list Vega-Lite makes objects, which a page that evaluates no code cannot read.
    domain = alt.ExprRef(f"[{_ms(frame.span.start)}, {_ms(frame.span.end)}]")
    scale = alt.Scale(type="utc", domain=domain, nice=False)
    axis = alt.Axis(
        labelOverlap=True, labelFlush=True, labelSeparation=LABELS_APART, tickCount=8, labelExpr=CLOCK
    )
    return (
        alt.Chart(alt.InlineData(values=_text(rows), format=alt.JsonDataFormat(type="json")))
        .transform_calculate(utc="utcFormat(datum.drawn_at, '%Y-%m-%d %H:%M:%S')")
        .encode(x=alt.X("drawn_at:T", title=None, scale=scale, axis=axis))
    )


@dataclass(frozen=True)
class _Axis:
    """How values are written and which are shown (None: those there are)."""

    format: str
    ticks: int
    domain: tuple[float, float] | None
    expression: str | None


def _axis(
    format_: str, *, ticks: int = 6, domain: tuple[float, float] | None = None, expression: str | None = None
) -> _Axis:
    return _Axis(format_, ticks, domain, expression)


def _text(rows: Rows) -> str:
    return msgspec.json.encode([{**row, "drawn_at": _ms(row["drawn_at"])} for row in rows]).decode()


def _y(column: str, axis: _Axis, **more: Any) -> alt.Y:
    import altair as alt

    written: dict[str, Any] = {"labelExpr": axis.expression} if axis.expression else {"format": axis.format}
    drawn = alt.Axis(minExtent=_LABELS, maxExtent=_LABELS, tickCount=axis.ticks, **written)
    scale = alt.Scale(domain=list(axis.domain), nice=False, zero=False) if axis.domain else alt.Scale()
    return alt.Y(f"{column}:Q", title=None, axis=drawn, scale=scale, **more)


def _in(chart: alt.Chart, name: str, names: Sequence[str], colours: dict[str, str] = COLOURS) -> alt.Chart:
    """A mark in the colour of its name, which the legend of `names` tells."""
    import altair as alt

    scale = alt.Scale(domain=list(names), range=[colours[n] for n in names])
    # Of a line alone the legend would be an empty square.
    colour = alt.Color(
        "kind:N", title=None, scale=scale, legend=_legend(**(_STROKES if len(names) == 1 else {}))
    )
    return chart.transform_calculate(kind=f"'{name}'").encode(color=colour)


def _scale(names: Sequence[str]) -> alt.Scale:
    import altair as alt

    return alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])


def _legend(**more: Any) -> alt.Legend:
    import altair as alt

    return alt.Legend(**{"orient": "top", "symbolType": "square", "symbolOpacity": 1, **more})


def _tips(*columns: tuple[str, str, str]) -> list[alt.Tooltip]:
    import altair as alt

    at = alt.Tooltip("utc:N", title="UTC")
    return [at, *(alt.Tooltip(f"{name}:Q", title=title, format=format_) for name, title, format_ in columns)]


def _range(values: Sequence[float | None], *, top: float | None = 1.0) -> tuple[float, float]:
    """The values with a little air, not beyond what a price can be."""
    known = [value for value in values if value is not None] or [0.0, 1.0]
    low, high = min(known), max(known)
    air = max((high - low) * 0.05, (_LEAST_RANGE - (high - low)) / 2, 0.0)
    return max(low - air, 0.0), high + air if top is None else min(high + air, top)


def _ms(at: datetime | int) -> int:
    """Milliseconds since 1970: what Vega calls an instant, and what thinned rows have already."""
    return at if isinstance(at, int) else round(at.timestamp() * 1000)
