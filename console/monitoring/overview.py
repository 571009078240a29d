"""The page Overview: whether it is live, what is wrong, what the tiers and the disks do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from console import charting
from console.blocks import Badge, Block, Chart, Empty, Grid, Level, Link, Note, Tile, Tiles
from console.kept import NotYet
from console.monitoring import asking, disks, heard, linking, sampled, state, streamers
from console.monitoring.drawn import drawn
from console.parts import Asked, Page, Part
from console.place import Place
from console.rendering import size
from polymarket_assets.venue.errors import PolymarketError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_LEVELS: dict[str, Level] = {"LIVE": "good", "STALE": "warning", "DISCONNECTED": "critical"}
_SHADES: dict[str, Level] = {"fine": "good", "warning": "warning", "error": "critical", "critical": "critical", "ok": "good"}  # fmt: skip
# What of health says that the stream lacks something, beside what a streamer says itself.
_OF_STREAM = ("stream_no_trades", "stream_coverage")
_START = "python -m streamer run"
# Days of a forecast that is no forecast any more.
_YEARS = 3_650
# A success rate below this is told by alerts unless it is set otherwise.
_WELL_PCT = 99.0


def standing(place: Place) -> state.State:
    """LIVE, STALE or DISCONNECTED. Raises `NotYet`."""
    told = streamers.streamers(place).value
    in_lake = _in_lake(place)
    found = _or_none(lambda: asking.health(place).value.findings) or ()
    return state.state(told, in_lake, [one.text for one in found if one.kind in _OF_STREAM], place.clock())


def _in_lake(place: Place) -> datetime | None:
    """The newest receipt in the lake; None where there is none, or none is to be had."""
    try:
        return heard.heard(place).value.last_data
    except NotYet:
        raise
    except PolymarketError:
        return None


def _or_none(ask: Callable[[], Any]) -> Any:
    """What cannot be had makes the word no better."""
    try:
        return ask()
    except PolymarketError:
        return None


def _now(place: Place, _: Asked) -> Iterator[Block]:
    found = standing(place)
    trades = _or_none(lambda: heard.heard(place).value)
    a_minute = trades.a_minute if trades else None
    yield Tiles((
        Tile("stream", found.word, level=_LEVELS[found.word], href="/stream"),
        Tile("last heard", _ago(found.last_data, place.clock()), f"{found.last_data:%Y-%m-%d %H:%M:%S} UTC" if found.last_data else ""),
        Tile("trades a minute", a_minute, "mean of the last five minutes that are whole"),
        *_health_tiles(place),
        *_disk_tiles(place),
    ))  # fmt: skip
    for reason in found.reasons[:5]:
        yield Note(reason, _LEVELS[found.word])
    if found.word == "DISCONNECTED":
        yield Empty("Nothing is recorded from the socket; tiers are sampled all the same.", _START)


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "never"
    seconds = max(0.0, (now - at).total_seconds())
    return f"{seconds:.0f} s ago" if seconds < 120 else f"{seconds / 60:.0f} min ago" if seconds < 7_200 else f"{seconds / 3_600:,.0f} h ago"  # fmt: skip


def _health_tiles(place: Place) -> Iterator[Tile]:
    found = _or_none(lambda: asking.health(place).value)
    if found is not None:
        count, waiting = len(found.findings), sum(one.asked_at is None for one in found.sources)
        said = f"{count} finding{'s' * (count != 1)}" + (f", {waiting} sources not asked yet" if waiting else "")  # fmt: skip
        yield Tile("health", found.status, said, _SHADES.get(found.status, "warning"), "#findings")  # fmt: skip


def _disk_tiles(place: Place) -> Iterator[Tile]:
    found = _or_none(lambda: disks.forecast(place).value)
    if found is None:
        return
    yield Tile("lake", size(found.bytes), f"{len(found.tables)} tables", href="/lake")
    for disk in found.disks:
        when = "never" if disk.full_in_days is None else f"{disk.full_in_days:,.0f} days" if disk.full_in_days < _YEARS else "ten years or more"  # fmt: skip
        yield Tile(f"{disk.name} is full in", when, f"{size(disk.free)} free" if disk.free is not None else "no end", _SHADES.get(disk.level, "plain"))  # fmt: skip


def _findings(place: Place, _: Asked) -> Iterator[Block]:
    seen = asking.health(place)
    real = [one for one in seen.value.findings if one.kind != "unknown"]
    if real:
        yield Grid(("severity", "since", "what", "next step", "in Dagster"), [_finding(one) for one in real], sentences=frozenset({2, 3}))  # fmt: skip
    else:
        yield Note("Nothing that could be asked about is wrong.", "good")
    yield from _unknown(seen.value)


def _finding(one: asking.Found) -> tuple[Any, ...]:
    word = f"{one.severity}, muted" if one.muted else one.severity
    return Badge(word, one.severity), one.since, one.text, one.step, Link("open", one.link) if one.link else None  # fmt: skip


def _unknown(found: asking.Health) -> Iterator[Block]:
    """Sources that cannot be asked, those with the same reason together."""
    by_reason: dict[str, list[str]] = {}
    for source in found.sources:
        if source.unknown is not None:
            by_reason.setdefault(source.unknown, []).append(source.name)
    for reason, names in by_reason.items():
        yield Note(f"Not known of {', '.join(names)}: {reason}", "plain" if reason == asking.NOT_ASKED else "warning")  # fmt: skip


def _tiers(place: Place, _: Asked) -> Iterator[Block]:
    found = sampled.sampled(place).value
    if not any(one.day.expected for one in found.tiers):
        yield Empty("No slot was accounted for in the last day: nothing is sampled before the first listing.", "make up")  # fmt: skip
        return
    headings = ("tier", "every", "last slot", "markets", "hour: taken", "late", "missed", "success", "day: taken", "late", "missed", "success", "in Dagster")  # fmt: skip
    yield Grid(headings, [_tier(place, one) for one in found.tiers], note="Slots taken of those that were due; missed ones include slots that nobody accounted for. Success is of the markets that were due in them.")  # fmt: skip
    if not place.settings.watch_windows:
        yield Note("WATCH_WINDOWS is off: windows are started by hand, and slots outside of them are taken by nobody.")  # fmt: skip


def _tier(place: Place, one: sampled.SampledTier) -> tuple[Any, ...]:
    link = Link("job", linking.dagster(place.settings, f"/jobs/window_{one.tier}"))
    return one.tier.upper(), _pace(one.every_s), one.last_at, one.markets, *_tally(place, one.hour), *_tally(place, one.day), link  # fmt: skip


def _pace(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


def _tally(place: Place, tally: sampled.Tally) -> tuple[Any, ...]:
    if not tally.expected:
        return "–", "–", "–", None
    lost = tally.missed + tally.unaccounted
    pct = tally.success_pct or 0.0
    level: Level = "good" if pct >= _WELL_PCT else "warning" if pct >= place.settings.alert_success_pct else "critical"  # fmt: skip
    return f"{tally.taken} of {tally.expected}", f"{tally.late}", f"{lost}", Badge(f"{pct:.1f} %", level)


def _trades(place: Place, _: Asked) -> Iterator[Block]:
    seen = heard.heard(place)
    found = seen.value
    if not any(one.trades for one in found.minutes):
        yield Empty("No trade was heard in the last six hours.", _START)
        return
    yield Chart("trades", drawn(place, "trades", seen.at, lambda: _trades_spec(found)), "Trades heard a minute, as they are in the lake; of the newest two minutes not all is there yet.")  # fmt: skip


def _trades_spec(found: heard.Heard) -> dict[str, Any]:
    import altair as alt

    values = [{"at": one.at.isoformat(), "trades": one.trades} for one in found.minutes]
    chart = alt.Chart(alt.InlineData(values=values)).mark_area(line=True, opacity=0.35, interpolate="step-after").encode(
        x=alt.X("at:T", title="UTC", scale=alt.Scale(type="utc"), axis=alt.Axis(format="%H:%M")), y=alt.Y("trades:Q", title="trades a minute"),
        tooltip=[alt.Tooltip("at:T", format="%H:%M", formatType="time", title="at"), "trades:Q"],
    ).properties(height=180)  # fmt: skip
    return charting.spec(chart)


def _forecast(place: Place, _: Asked) -> Iterator[Block]:
    found = disks.forecast(place).value
    if not found.tables:
        yield Empty("The lake is empty.", "make up")
        return
    for disk in found.disks:
        yield Note(disk.said, _SHADES.get(disk.level, "plain"))
    rows = [
        (Link(one.table, f"/lake/{one.table}"), one.files, size(one.bytes), size(one.bytes_a_day) if one.bytes_a_day is not None else None, one.goes or "stays")
        for one in found.tables
    ]  # fmt: skip
    yield Grid(("table", "files", "size", "a day", "where as much goes"), rows, note=f"Growth is of the {found.hours} hours recorded in the last three days." if found.hours else "What grows by the hour shows once an hour is over.")  # fmt: skip


def _elsewhere(place: Place, _: Asked) -> Iterator[Block]:
    pages = (
        ("runs", "Dagster", "what ran and what waits", linking.dagster(place.settings, "/runs")),
        ("assets", "Dagster", "lineage, partitions, checks", linking.dagster(place.settings, "/assets")),
        ("alerts", "Dagster", "the sensor that tells", linking.dagster(place.settings, "/automation")),
        ("trainings", "MLflow", "runs and versions of models", linking.mlflow(place.settings)),
    )
    yield Grid(("page", "of", "what is there"), [(Link(name, href), of, said) for name, of, said, href in pages])  # fmt: skip


PAGE = Page(
    "overview",
    "Overview",
    (
        Part("now", "Now", _now, 5.0),
        Part("findings", "Findings", _findings),
        Part("tiers", "Tiers", _tiers),
        Part("trades", "Trades a minute", _trades, 30.0),
        Part("disks", "Disk forecast and lake", _forecast, 60.0),
        Part("elsewhere", "Elsewhere", _elsewhere, 0.0),
    ),
    says="Whether the market reaches the lake, and what needs a person.",
)
