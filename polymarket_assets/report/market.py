"""The page of one market, from what the lake has of it; what is missing says in its place why, and what to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import (
    charts,
    coverage,
    ends,
    facts,
    finding,
    silences,
    sources,
    subject,
    thinning,
)
from polymarket_assets.report.charts import Frame, Rows
from polymarket_assets.report.coverage import absence
from polymarket_assets.report.ends import Version
from polymarket_assets.report.page import Grid, Page, Panel, instant
from polymarket_assets.report.silences import Silences
from polymarket_assets.report.subject import Subject

if TYPE_CHECKING:
    import altair as alt

# An instant beyond the data by more than this part of its span would squeeze what there is to see.
_AIR = 0.35
# Seconds of data are shown within a minute; a single price with what lies hours from it.
_LEAST_SPAN = timedelta(minutes=1)
_AROUND = timedelta(hours=3)
_LEVELS_SHOWN = 5


def page(
    lake: Lake, name: str, *, clock: Callable[[], datetime], since: datetime | None = None, until: datetime | None = None
) -> Page:  # fmt: skip
    """The page of the market that a name means, of the time from `since` up to `until`.

    Raises:
        NotFound, Ambiguous: the name means no market, or several.
    """
    now = clock()
    market_id = finding.market(lake, name, now=now)
    (found,) = subject.subjects(lake, [market_id], now=now, since=since)
    known = ends.versions(lake, [market_id]).get(market_id, [])
    hours = subject.window([found], since, until, now)
    with sources.opened(lake, [found], hours, (since, until)) as connection:
        unknown = silences.silences(lake, connection, market_id, _cut(hours, now))
        frame = frame_of(connection, {**facts.instants(found), **ends.instants(known)}, unknown)
        drawn = panels(connection, found, frame)
        held = coverage.held(connection, found, unknown, len(known))
        book = _book(connection, market_id)
    grids = [_coverage(held), *book, _evidence(found, known)]
    return Page(
        name=f"{market_id.split(':')[0]}-{found.row.get('slug') or market_id.split(':', 1)[-1]}",
        title=found.title,
        badges=[*facts.badges(found, ends.verdict(known, found.canonical)), *shown(frame)],
        facts=facts.told(found),
        panels=drawn,
        grids=grids,
        notes=_notes(found, frame, hours, since),
        made=made(lake, now),
    )


def made(lake: Lake, now: datetime) -> str:
    """When and from what a page was made."""
    return f"Made {instant(now)} UTC from the lake at {lake.root}. All instants are UTC."


def shown(frame: Frame) -> list[str]:
    """The time that the charts show, where there is any."""
    return [f"{frame.span.start:%Y-%m-%d %H:%M} … {frame.span.end:%Y-%m-%d %H:%M} UTC"] if frame.span.start < frame.span.end else []  # fmt: skip


def frame_of(connection: Any, instants: dict[str, datetime], unknown: Silences) -> Frame:
    """The time of the data, with those instants that lie near it."""
    ((first, last),) = connection.execute(_EXTENT).fetchall()
    if first is None:
        return Frame(Span(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)))
    alone = first == last
    air = _AROUND if alone else max((last - first) * _AIR, _LEAST_SPAN)
    near = [at for at in instants.values() if first - air <= at <= last + air]
    first, last = min([first, *near]), max([last, *near])
    margin = max((last - first) / 100, (_LEAST_SPAN - (last - first)) / 2) if first < last else _AROUND / 6
    span = Span(first - margin, last + margin)
    return Frame(span, tuple(silences.drawn(unknown.found, span)), instants)


def _cut(hours: Span | None, now: datetime) -> Span | None:
    """Nothing is amiss about the future."""
    return hours and Span(min(hours.start, now), min(hours.end, now))


def panels(connection: Any, found: Subject, frame: Frame) -> list[Panel]:
    """Price, spread, depth and volume, of `quotes`, `shown` and `dealt` (`sources`)."""
    return [draw(connection, found, frame) for draw in PANELS.values()]


def _spread(connection: Any, found: Subject, frame: Frame) -> Panel:
    return _of_quotes(connection, found, frame, "Spread, cents", ["spread_c"], charts.spread, "")


def _depth(connection: Any, found: Subject, frame: Frame) -> Panel:
    said = "Resting within 5 cents of the best price (light) and within 1 cent (dark); asks upwards, bids downwards."
    return _of_quotes(connection, found, frame, "Depth, dollars", ["bid_5c", "ask_5c", "bid_1c", "ask_1c"], charts.depth, said)  # fmt: skip


def _price(connection: Any, found: Subject, frame: Frame) -> Panel:
    quotes = thinning.thinned(connection, "quotes", ["bid", "ask"], more=["mid"])
    shown, dealt = (
        thinning.thinned(connection, "shown", ["price"]),
        thinning.thinned_trades(connection, "dealt"),
    )
    title = f"Price of “{found.canonical}”, dollars a share"
    if not quotes and not shown and not dealt:
        why = absence(found, "snapshots" if found.recorded_at else "history_prices")
        return Panel(title, f"No price is known: {why}.")
    said = [
        *_thinned(connection, "quotes", len(quotes), "quotes"),
        *_thinned(connection, "shown", len(shown), "prices"),
        *_trades_said(connection, dealt),
    ]
    return Panel(title, " ".join(said), charts.price(quotes, shown, dealt, frame))


def _thinned(connection: Any, table: str, drawn: int, what: str) -> list[str]:
    """How many rows are drawn of how many, and what they are of."""
    ((count, source),) = connection.execute(f"select count(*), any_value(source) from {table}").fetchall()
    if not count:
        return []
    if count == drawn:
        return [f"{what.capitalize()} of {source}: {count:,}."]
    return [f"{drawn:,} of {count:,} {what} of {source} are drawn: the first, last, least and greatest of each slice of time."]  # fmt: skip


def _trades_said(connection: Any, dealt: Rows) -> list[str]:
    ((count, usd, heard),) = connection.execute("select count(*), sum(usd), count(*) filter (source = 'heard') from dealt").fetchall()  # fmt: skip
    if not count:
        return []
    said = f"{count:,} trades for ${usd:,.0f}; the area of a point is its dollars, a trade in another outcome is drawn as one of this."
    if count > len(dealt):
        left = usd - sum(row["usd"] for row in dealt)
        said += f" Drawn are {len(dealt):,}: the largest of each slice and its extreme prices; ${left:,.0f} are left out."  # fmt: skip
    return [said + (f" {heard:,} are as heard, their hour is not built yet." if heard else "")]


def _of_quotes(
    connection: Any,
    found: Subject,
    frame: Frame,
    title: str,
    columns: Sequence[str],
    draw: Callable[[Rows, Frame], alt.LayerChart],
    said: str,
) -> Panel:
    rows = thinning.thinned(connection, "quotes", columns)
    if all(row[column] is None for row in rows for column in columns):
        return Panel(title, f"{_no_quotes(connection, found, bool(rows), title)}.")
    return Panel(title, said, draw(rows, frame))


def _no_quotes(connection: Any, found: Subject, quoted: bool, title: str) -> str:
    if quoted:
        return "The quotes of this market have the best prices only" if title.startswith("Depth") else "The book was never two-sided"  # fmt: skip
    why = absence(found, "snapshots")
    ((count,),) = connection.execute("select count(*) from shown").fetchall()
    return f"{found.source} has displayed prices, no quotes: {why}" if count else f"No quotes: {why}"


def _volume(connection: Any, found: Subject, frame: Frame) -> Panel:
    bars, width = thinning.volumes(connection, "dealt", (frame.span.end - frame.span.start).total_seconds())
    if not bars:
        why = absence(found, "trades" if found.recorded_at else "history_trades")
        return Panel("Volume, dollars", f"No trades: {why}.")
    return Panel(f"Volume, dollars per {width}", "", charts.volume(bars, frame))


# By what they show, from top to bottom.
PANELS: dict[str, Callable[[Any, Subject, Frame], Panel]] = {
    "price": _price,
    "spread": _spread,
    "depth": _depth,
    "volume": _volume,
}


def _book(connection: Any, market_id: str) -> list[Grid]:
    """The newest book that was sampled, best prices first."""
    found = connection.execute(_NEWEST_BOOK, {"id": market_id}).fetchall()
    if not found:
        return []
    ((at, bids, asks),) = found
    rows = []
    for n in range(min(_LEVELS_SHOWN, max(len(bids), len(asks)))):
        bid, ask = (_level(side[n]) if n < len(side) else ("–", "–") for side in (bids, asks))
        rows.append([*bid[::-1], *ask])
    remark = f"{len(bids)} bids and {len(asks)} asks at {instant(at)}; the best {_LEVELS_SHOWN} of each."
    return [Grid("Newest book", ["shares", "bid", "ask", "shares"], rows, remark, frozenset({0, 1, 2, 3}))]


def _level(level: dict[str, int]) -> tuple[str, str]:
    return f"{level['price_e6'] / 1e6:.4g}", f"{level['size_e6'] / 1e6:,.2f}"


def _coverage(held: Sequence[coverage.Held]) -> Grid:
    rows = [[h.table, f"{h.rows:,}", instant(h.first), instant(h.last), h.note] for h in held]
    return Grid("What there is", ["table", "rows", "first", "last", ""], rows, numbers=frozenset({1}))


def _evidence(found: Subject, known: Sequence[Version]) -> Grid:
    if not known:
        return Grid("How it ended", [], [], f"No version in resolutions: {absence(found, 'resolutions')}.")
    rows = []
    for version in known:
        row = version.row
        said = [f"{s.service}{f' ({s.seen_at})' if s.seen_at else ''}: {s.words}" for s in version.said]
        label = "–" if row["label"] is None else f"{row['label']} ({found.canonical} {'won' if row['label'] else 'lost'})"  # fmt: skip
        disputed = "; was disputed" if row["was_disputed"] else ""
        rows.append([
            str(row["version"]), instant(row["seen_at"]), row["state"], label, version.payouts or "–", row["reason"] + disputed,
            " ⏐ ".join(said) or "–", instant(row["resolved_at"]), instant(row["label_seen_at"]),
        ])  # fmt: skip
    headings = ["version", "seen", "state", "label", "payouts", "why", "what each service said, and when we saw it", "resolved", "label usable since"]  # fmt: skip
    return Grid("How it ended", headings, rows, "The newest version is last; training says which it saw.")


def _notes(found: Subject, frame: Frame, hours: Span | None, since: datetime | None) -> list[str]:
    outside = {what: at for what, at in frame.instants.items() if what not in frame.inside}
    notes = [f"Outside the time shown: {', '.join(f'{what} {instant(at)}' for what, at in outside.items())}."] if outside else []  # fmt: skip
    listed = found.row.get("listed_at")
    if hours and since is None and listed is not None and listed < hours.end - subject.LOOK_BACK:
        notes.append(f"Listed since {instant(listed)}; looked at are the last {subject.LOOK_BACK.days} days, --since looks further.")  # fmt: skip
    return notes


_EXTENT = "select min(drawn_at), max(drawn_at) from (select drawn_at from quotes union all select drawn_at from shown union all select drawn_at from dealt)"

_NEWEST_BOOK = (
    "select received_at, bids, asks from orderbooks where market_id = $id order by received_at desc limit 1"
)
