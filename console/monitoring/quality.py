"""The page Quality: how complete what is recorded is, and what does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from console import charting
from console.blocks import Badge, Block, Chart, Empty, Grid, Level, Link, Note
from console.monitoring import asking, fields, sampled, worth
from console.monitoring.drawn import drawn
from console.parts import Asked, Page, Part
from console.place import Place
from polymarket_assets.report import charts

_RECORD = "make up"
_CHECKS = ("check_failed", "model_drifted", "model_live_gap", "partition_failed")
_WHOLE = 0.9999


def _fields(place: Place, _: Asked) -> Iterator[Block]:
    seen = fields.filled(place)
    found = seen.value
    if not found:
        yield Empty("No snapshot was taken in this hour or the one before.", _RECORD)
        return
    # The open hour of a tier only where the one before has nothing.
    whole = {one.tier for one in found if not one.is_open}
    shown = [one for one in found if one.is_open != (one.tier in whole)]
    named = _named(shown)
    by_tier = [one for one in shown if one.category == fields.ALL]
    yield Chart("tiers", drawn(place, "tiers", seen.at, lambda: _by_tier_spec(by_tier, named)), _said(shown))
    yield Chart(
        "fields",
        drawn(place, "fields", seen.at, lambda: _fields_spec(shown, named)),
        "The same by tier and category.",
    )
    below = [one for one in found if one.below]
    if below:
        rows = [
            (one.tier.upper(), one.category, column, Badge(f"{100 * one.columns[column]:.1f} %", "warning"), f"{100 * floor:g} %", one.rows, one.hour_at)
            for one in below
            for column, floor in one.below.items()
        ]  # fmt: skip
        yield Grid(("tier", "category", "column", "filled", "should be", "rows", "hour"), rows)
    else:
        yield Note("Every column that should be filled is.", "good")


def _said(shown: Sequence[fields.Filled]) -> str:
    rows = sum(one.rows for one in shown if one.category == fields.ALL)
    return f"Share of {rows:,} snapshots that fill a column, by tier; columns that every row fills are left out. All of them: /api/monitoring/field-completeness."  # fmt: skip


def _named(shown: Sequence[fields.Filled]) -> list[str]:
    """Columns that not every row fills; all where there are none."""
    names = list(shown[0].columns)
    return [name for name in names if any(one.columns[name] < _WHOLE for one in shown)] or names


def _shares(shown: Sequence[fields.Filled], named: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"tier": one.tier.upper(), "of": f"{one.tier.upper()} {one.category}", "column": name, "share": one.columns[name], "rows": one.rows}
        for one in shown
        for name in named
    ]  # fmt: skip


def _shade_of_share() -> Any:
    import altair as alt

    return alt.Color("share:Q", title="filled", scale=alt.Scale(scheme="redyellowgreen", domain=[0, 1]), legend=alt.Legend(format=".0%"))  # fmt: skip


def _by_tier_spec(shown: Sequence[fields.Filled], named: Sequence[str]) -> dict[str, Any]:
    import altair as alt

    one = alt.Chart(alt.InlineData(values=_shares(shown, named))).encode(
        x=alt.X("tier:N", title=None, axis=alt.Axis(labelAngle=0, orient="top")), y=alt.Y("column:N", title=None, sort=None),
        tooltip=["tier:N", "column:N", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("rows:Q", format=",")],
    )  # fmt: skip
    cells = one.mark_rect(stroke="#8884", strokeWidth=0.5).encode(color=_shade_of_share().legend(None))
    # Black is read on every shade but the darkest, which are of what is whole or absent.
    ink = alt.condition("datum.share > 0.9 || datum.share < 0.1", alt.value("white"), alt.value("black"))
    texts = one.mark_text(fontSize=10).encode(text=alt.Text("share:Q", format=".0%"), color=ink)
    return charting.spec((cells + texts).properties(height=alt.Step(16)))


def _fields_spec(shown: Sequence[fields.Filled], named: Sequence[str]) -> dict[str, Any]:
    import altair as alt

    values = _shares(shown, named)
    chart = alt.Chart(alt.InlineData(values=values)).mark_rect(stroke="#8884", strokeWidth=0.5).encode(
        x=alt.X("column:N", title=None, sort=None, axis=alt.Axis(labelAngle=-60, labelLimit=150, labelOverlap=True)), y=alt.Y("of:N", title=None),
        color=_shade_of_share(),
        tooltip=["of:N", "column:N", alt.Tooltip("share:Q", format=".1%"), alt.Tooltip("rows:Q", format=",")],
    ).properties(height=alt.Step(18))  # fmt: skip
    return charting.spec(chart)


def _hours(place: Place, _: Asked) -> Iterator[Block]:
    found = sampled.sampled(place).value.hours
    if not found:
        yield Empty("No slot was accounted for in the last day.", _RECORD)
        return
    worths = {(one.hour_at, one.tier): one for one in worth.hours(place).value}
    rows = [_hour(one, worths.get((one.hour_at, one.tier))) for one in found[:120]]
    yield Grid(("hour", "tier", "due", "taken", "late", "missed", "by nobody", "success", "markets", "complete", "two-sided"), rows, note="Complete: the mean share of a market's slots that has a snapshot, once the hour is over (market_hours).")  # fmt: skip


def _hour(one: sampled.SampledHour, held: worth.HourWorth | None) -> tuple[Any, ...]:
    tally = one.tally
    pct = tally.success_pct if tally.success_pct is not None else 0.0
    complete = _pct(held.completeness) if held else None
    return (
        one.hour_at, one.tier.upper(), tally.expected, tally.taken, tally.late, tally.missed, tally.unaccounted,
        Badge(f"{pct:.1f} %", _shade(pct)), held.markets if held else None, complete, _pct(held.two_sided) if held else None,
    )  # fmt: skip


def _pct(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f} %"


def _shade(pct: float) -> Level:
    return "good" if pct >= 99 else "warning" if pct >= 80 else "critical"


def _sound(place: Place, _: Asked) -> Iterator[Block]:
    found = worth.sound(place).value
    if not found:
        yield Empty("The last whole hour has no snapshots.", _RECORD)
        return
    headings = ("tier", "hour", "snapshots", "markets", "the same twice", "impossible prices")
    yield Grid(headings, [(one.tier.upper(), one.hour_at, one.rows, one.markets, _none(one.duplicate_keys), _none(one.impossible_prices)) for one in found])  # fmt: skip


def _none(count: int) -> Badge:
    return Badge(f"{count:,}", "critical" if count else "good")


def _signs(place: Place, _: Asked) -> Iterator[Block]:
    found = worth.signs(place).value
    if not found:
        yield Empty("There are no features of the last day: they are computed when an hour is over.", _RECORD)  # fmt: skip
        return
    rows = [(one.tier if len(one.tier) > 2 else one.tier.upper(), one.rows, one.heard, _pct(one.sign_quality)) for one in found]  # fmt: skip
    yield Grid(("tier", "rows of features", "with trades heard", "sides known"), rows, note="Sides known: the share of trades whose side is a taker's by a settlement transaction. Below 90 % features of sides stay out of the model.")  # fmt: skip


def _checks(place: Place, _: Asked) -> Iterator[Block]:
    found = asking.health(place).value
    unknown = [one for one in found.sources if one.name in ("checks", "partitions", "models") and one.unknown]
    for reason in dict.fromkeys(str(one.unknown) for one in unknown):
        yield Note(reason, "plain" if reason == asking.NOT_ASKED else "warning")
    held = [one for one in found.findings if one.kind in _CHECKS]
    if held:
        rows = [(Badge(one.severity, one.severity), one.since, one.text, one.step, Link("open", one.link) if one.link else None) for one in held]  # fmt: skip
        yield Grid(
            ("severity", "since", "what", "next step", "in Dagster"), rows, sentences=frozenset({2, 3})
        )
    elif not unknown:
        yield Note("Every check that was looked at holds.", "good")


def _labels(place: Place, _: Asked) -> Iterator[Block]:
    seen = worth.labels(place)
    found = seen.value
    if not found.census:
        yield Empty("No market has ended here yet: outcomes come when markets close, or with the public past.", "make bootstrap")  # fmt: skip
        return
    if found.days:
        yield Chart(
            "labels",
            drawn(place, "labels", seen.at, lambda: _labels_spec(found.days)),
            "Markets that got their label, by day and outcome.",
        )
    rows = [(one.source, Badge(one.state, "good" if one.state == "final" else "plain"), one.rule, one.markets, one.ones, one.zeros, one.example) for one in found.census[:40]]  # fmt: skip
    yield Grid(("source", "state", "rule", "markets", "label 1", "label 0", "for example"), rows, sentences=frozenset({6}))  # fmt: skip


def _labels_spec(days: Sequence[worth.LabelDay]) -> dict[str, Any]:
    import altair as alt

    values = [
        {"day": f"{one.day}", "label": label, "markets": count}
        for one in days
        for label, count in (("1", one.ones), ("0", one.zeros))
    ]
    chart = alt.Chart(alt.InlineData(values=values)).mark_bar().encode(
        x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=charts.LABELS_APART)), y=alt.Y("sum(markets):Q", title="markets"),
        color=alt.Color("label:N", title="label"), tooltip=["day:O", "label:N", "sum(markets):Q"],
    ).properties(height=180)  # fmt: skip
    return charting.spec(chart)


PAGE = Page(
    "quality",
    "Quality",
    (
        Part("fields", "Field completeness", _fields, 60.0),
        Part("checks", "What does not hold", _checks, 30.0),
        Part("hours", "Hours", _hours, 60.0),
        Part("sound", "Snapshots of the last whole hour", _sound, 120.0),
        Part("signs", "Sides of trades", _signs, 120.0),
        Part("labels", "Labels", _labels, 120.0),
    ),
    says="Whether what is recorded is complete and sound.",
)
