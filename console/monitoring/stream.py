"""The page Stream: what is heard of what should be, sockets, silent tokens, gaps, frames that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from console import charting
from console.blocks import Badge, Block, Chart, Empty, Facts, Grid, Level, Link, Note
from console.monitoring import heard, overview, streamers
from console.monitoring.drawn import drawn
from console.parts import Asked, Page, Part
from console.place import Place
from polymarket_assets.lake.spans import DAY

if TYPE_CHECKING:
    from datetime import datetime

_START = "python -m streamer run"
_SHOWN = 100
# Bars that can be told apart in a day's line; the widest are drawn.
_DRAWN = 400
# What is narrower is not seen in the line of a day.
_WIDE = timedelta(minutes=2)
_STATES: dict[str, Level] = {"listening": "good", "live": "good", "awaited": "plain", "silent": "plain", "late": "warning", "deaf": "warning", "troubled": "warning", "away": "critical", "stuck": "critical"}  # fmt: skip
_REACHES = {"everything": "all of a streamer", "connection": "a socket", "market": "a market"}


def _streamers(place: Place, _: Asked) -> Iterator[Block]:
    for one in streamers.streamers(place).value:
        if not one.answers:
            yield Note(f"{one.name}: {one.why}", "critical")
            yield Empty("What it heard before, and its gaps, are below.", _START)
            continue
        yield Facts((
            ("streamer", one.name), ("status", Badge(str(one.status), _STATES.get(str(one.status), "plain"))), ("shard", one.shard), ("since", one.since),
            ("last data", one.last_data), ("sockets", f"{one.sockets_open} of {one.sockets_wanted} open"),
            ("tokens", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in one.tokens.items())),
            ("frames", f"{sum(one.frames.values()):,}"), ("reconnects", one.reconnects), ("gaps", one.gaps),
        ))  # fmt: skip
        for reason in one.reasons:
            yield Note(reason, "critical")


def _coverage(place: Place, _: Asked) -> Iterator[Block]:
    wanted = place.settings.alert_coverage_pct
    rows = [row for one in streamers.streamers(place).value for row in one.coverage]
    if not rows:
        yield Empty("No streamer tells what it should hear.", _START)
        return
    yield Grid(
        ("tier", "streamer", "shard", "should be", "heard", "share"),
        [(one.tier.upper(), one.streamer, one.shard, one.should_be, one.heard, Badge(f"{one.pct:.1f} %", "good" if one.pct >= wanted else "warning")) for one in rows],
        note=f"Less than {wanted:g} % is told (ALERT_COVERAGE_PCT).",
    )  # fmt: skip


def _sockets(place: Place, _: Asked) -> Iterator[Block]:
    told = streamers.streamers(place).value
    rows = [row for one in told for row in one.connections]
    if any(one.answers and one.sockets_wanted and not one.connections for one in told):
        yield Note("A streamer of another version tells how many sockets it has, and nothing of each.")
    elif not rows:
        yield Empty("There are no sockets: nobody listens, or to nothing.", _START)
        return
    headings = ("streamer", "socket", "state", "open since", "last data", "deaf since", "tokens", "subscribed", "without book", "late", "failed attempts")  # fmt: skip
    yield Grid(headings, [
        (one.streamer, one.number, Badge(one.state, _STATES.get(one.state, "plain")), one.opened, one.last_data, one.deaf_since, one.tokens, one.subscribed, one.without_book, one.late, one.failures)
        for one in rows
    ])  # fmt: skip


def _silent(place: Place, _: Asked) -> Iterator[Block]:
    found = streamers.subscriptions(place).value
    for why in found.unknown:
        yield Note(why, "warning")
    if found.wanted:
        counts = ", ".join(f"{count:,} {state}" for state, count in sorted(found.states.items()))
        yield Note(f"{found.wanted:,} tokens: {counts}.")
    rows = [
        (Badge(one.state, _STATES.get(one.state, "plain")), Link(_short(one.market), f"/market/{quote(one.market)}"), one.last_data, one.connection, _short(one.token), one.streamer)
        for one in found.silent[:_SHOWN]
    ]  # fmt: skip
    if rows:
        yield Grid(("state", "market", "last heard", "socket", "token", "streamer"), rows, note="silent: live, and without a word for ten minutes; awaited, late: without a first book; away: its socket is; stuck: asked for again in vain.")  # fmt: skip
    elif found.wanted:
        yield Note("Every token is heard.", "good")
    elif not found.unknown:
        yield Empty("There are no tokens to listen to: no market of STREAM_TIERS is listed.", "make up")


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:14]}…{name[-6:]}"


def _gaps(place: Place, _: Asked) -> Iterator[Block]:
    seen, now = heard.gaps(place), place.clock().replace(second=0, microsecond=0)
    found = seen.value
    standing = overview.standing(place)
    since = standing.last_data if standing.word == "DISCONNECTED" else None
    if not found and since is None:
        yield Note("No gap ended in the last day.", "good")
        return
    yield Chart("gaps", drawn(place, "gaps", (seen.at, since, now), lambda: _gaps_spec(found, since, now)), "Intervals of the last day in which the stream was deaf, by cause; those of all of a streamer stand out. A gap is recorded when it ends; short ones are drawn two minutes wide.")  # fmt: skip
    rows = [
        (Badge(_REACHES[one.reach], "critical" if one.reach == "everything" else "plain"), one.cause, one.from_at, one.to_at, round(one.seconds, 1), one.shard, one.connection, _market(one.market_id))
        for one in found[:_SHOWN]
    ]  # fmt: skip
    more = f" The newest {_SHOWN} of {len(found):,}; all: /api/monitoring/gaps." if len(found) > _SHOWN else ""  # fmt: skip
    yield Grid(("deaf", "cause", "from", "to", "seconds", "shard", "socket", "market"), rows, note=f"What was missed is asked for again when the hour is over.{more}")  # fmt: skip


def _market(market_id: str | None) -> Link | None:
    return Link(_short(market_id), f"/market/{quote(market_id)}") if market_id else None


def _gaps_spec(found: Sequence[heard.Gap], since: datetime | None, now: datetime) -> dict[str, Any]:
    import altair as alt

    widest = sorted(found, key=lambda one: (one.reach != "everything", -one.seconds))[:_DRAWN]
    values = [_bar(one.cause, _REACHES[one.reach], max(one.from_at, now - DAY), one.to_at) for one in widest]
    if since is not None:
        values.append(_bar("not heard now", _REACHES["everything"], max(since, now - DAY), now))
    span = alt.Scale(type="utc", domain=[_ms(now - DAY), _ms(now)])
    chart = alt.Chart(alt.InlineData(values=values)).mark_bar(height=14).encode(
        x=alt.X("from:T", title="UTC", scale=span, axis=alt.Axis(format="%H:%M")), x2="to:T", y=alt.Y("cause:N", title=None),
        color=alt.Color("deaf:N", title="deaf", scale=alt.Scale(domain=list(_REACHES.values()), range=["#d1495b", "#e09f3e", "#5b8db8"])),
        tooltip=["cause:N", "deaf:N", alt.Tooltip("seconds:Q", format=",.1f")],
    ).properties(height=alt.Step(26))  # fmt: skip
    return charting.spec(chart)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1_000)


def _bar(cause: str, deaf: str, from_at: datetime, to_at: datetime) -> dict[str, Any]:
    return {"cause": cause, "deaf": deaf, "from": _ms(from_at), "to": _ms(max(to_at, from_at + _WIDE)), "seconds": (to_at - from_at).total_seconds()}  # fmt: skip


def _rejects(place: Place, _: Asked) -> Iterator[Block]:
    found = heard.rejects(place).value
    if not found:
        yield Note("Every frame of the last day could be read.", "good")
        return
    rows = [(one.at, one.reason, one.payload, one.connection) for one in found[:_SHOWN]]
    yield Grid(("at", "what was wrong", "frame, its beginning", "socket"), rows, note=f"The newest of {len(found):,} in the last day; they are kept verbatim in `rejects`.", sentences=frozenset({1, 2}))  # fmt: skip


PAGE = Page(
    "stream",
    "Stream",
    (
        Part("streamers", "Streamers", _streamers, 5.0),
        Part("coverage", "Coverage", _coverage),
        Part("sockets", "Sockets", _sockets),
        Part("silent", "Silent tokens", _silent, 30.0),
        Part("gaps", "Gaps", _gaps, 30.0),
        Part("rejects", "Frames that could not be read", _rejects, 30.0),
    ),
    says="What is heard from the socket, and what is not.",
)
