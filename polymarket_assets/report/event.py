"""The page of an event: its markets in one chart and, of a negRisk set, what their prices sum to, which should be about 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.report import charts, ends, facts, finding, legs, silences, sources, subject, thinning
from polymarket_assets.report.charts import Frame, Rows
from polymarket_assets.report.ends import Version
from polymarket_assets.report.finding import EventName
from polymarket_assets.report.market import frame_of, made, shown
from polymarket_assets.report.page import Grid, Page, Panel, instant
from polymarket_assets.report.subject import Subject

# The venue's largest sets have some 130 markets; rows beyond this would be a page of nothing but table.
MOST_LEGS = 200
# Lines that can be told apart by their colour.
DRAWN = len(charts.LEGS)
# Rules for legs that came later; more are told in words.
_RULES = 3


@dataclass(frozen=True)
class Legs:
    """The markets of an event, largest volume first, by short names; `unread` are beyond `MOST_LEGS`."""

    found: list[Subject]
    labels: dict[str, str]
    unread: int
    known: dict[str, list[Version]]

    @property
    def together(self) -> list[str]:
        """Ids of the negRisk set: of several sets the largest."""
        sets: dict[str, list[str]] = {}
        for leg in self.found:
            if leg.row.get("neg_risk"):
                sets.setdefault(leg.row.get("neg_risk_id") or "", []).append(leg.market_id)
        return max(sets.values(), key=len, default=[])


def page(
    lake: Lake, name: str, *, clock: Callable[[], datetime], since: datetime | None = None, until: datetime | None = None
) -> Page:  # fmt: skip
    """The page of the event that a name means, of the time from `since` up to `until`.

    Raises:
        NotFound, Ambiguous: the name means no event, or several.
    """
    now = clock()
    named = finding.event(lake, name, now=now)
    held = _held(lake, named, now, since)
    hours = subject.window(held.found, since, until, now)
    with sources.opened(lake, held.found, hours, (since, until)) as connection:
        legs.prepare(connection)
        first = held.found[0]
        unknown = silences.silences(lake, connection, first.market_id, hours and Span(min(hours.start, now), min(hours.end, now)))  # fmt: skip
        frame = frame_of(connection, _instants(held), unknown)
        panels = [prices(connection, held, frame), total(connection, held, frame)]
        grid = _table(connection, held)
    return Page(
        name=f"event-{named.venue}-{named.slug or named.event_id or named.neg_risk_id}",
        title=named.title or named.slug or str(named.event_id or named.neg_risk_id),
        badges=[named.venue, f"{len(named.market_ids)} markets", *_set_said(held), *shown(frame)],
        facts=_facts(named, held),
        panels=panels,
        grids=[grid],
        notes=[f"Shaded is when “{held.labels[first.market_id]}” was not known."] if frame.silences else [],
        made=made(lake, now),
    )


def _held(lake: Lake, named: EventName, now: datetime, since: datetime | None) -> Legs:
    found = subject.subjects(lake, named.market_ids, now=now, since=since)
    kept = largest(found)
    return named_legs(kept, len(found) - len(kept), ends.versions(lake, [s.market_id for s in kept]))


def largest(found: Sequence[Subject]) -> list[Subject]:
    """The markets of an event that are read: those of the largest volume, that first."""
    return sorted(found, key=lambda s: (-(s.row.get("volume_usd") or 0.0), s.market_id))[:MOST_LEGS]


def named_legs(kept: list[Subject], unread: int, known: dict[str, list[Version]]) -> Legs:
    """Markets by short names, with what is known of their ends."""
    return Legs(kept, legs.short_names({s.market_id: s.title for s in kept}), unread, known)


def _instants(held: Legs) -> dict[str, datetime]:
    """Those of the largest leg, and when the first end was told."""
    told = [at for known in held.known.values() if (at := ends.instants(known).get("decided, as first told"))]
    return {**facts.instants(held.found[0]), **({"first end told": min(told)} if told else {})}


def _set_said(held: Legs) -> list[str]:
    size = len(held.together)
    won = [held.labels[id_] for id_, known in held.known.items() if known[-1].row["label"] == 1 and id_ in held.together]  # fmt: skip
    told = [f"ended: {', '.join(won)}"] if won else []
    return [f"negRisk set of {size}: exactly one ends YES" if size else "no negRisk set", *told]


def _facts(named: EventName, held: Legs) -> list[tuple[str, str]]:
    row = held.found[0].row
    volume = sum(leg.row.get("volume_usd") or 0.0 for leg in held.found)
    ids = {leg.row.get("neg_risk_id") for leg in held.found} - {None}
    pairs = [
        ("Event id, slug", " · ".join(part for part in (named.event_id, named.slug) if part)),
        ("negRisk set", ", ".join(sorted(map(str, ids)))),
        ("Category", row.get("category") or "not known"),
        ("Scheduled end", instant(row.get("scheduled_end"))),
        (
            "Effective close",
            f"{instant(row.get('effective_close'))} ({row.get('end_source') or 'not known'})",
        ),
        ("Resolution source", row.get("resolution_source") or "not named"),
        ("Volume of its markets as last listed", f"${volume:,.0f}" if volume else "not known"),
        ("Markets beyond those shown", f"{held.unread:,}" if held.unread else ""),
    ]
    return [(name, str(value)) for name, value in pairs if value]


def prices(connection: Any, held: Legs, frame: Frame) -> Panel:
    """The prices of the markets in one chart; the connection has `priced` (`legs.prepare`)."""
    title = "Prices of its markets, dollars a share of the canonical outcome"
    order = legs.by_size(connection, [s.market_id for s in held.found], {s.market_id: s.row.get("volume_usd") for s in held.found})  # fmt: skip
    if not order:
        return Panel(title, "No price of any market is known: `python -m polymarket_assets.report market ID` says of each why, and what to run.")  # fmt: skip
    drawn, others = order[:DRAWN], order[DRAWN:]
    legs.draw(connection, drawn)
    rows = thinning.thinned(connection, "drawn", ["price"], by="market_id")
    rows = [{"drawn_at": r["drawn_at"], "price": r["price"], "label": held.labels[r["market_id"]]} for r in rows]  # fmt: skip
    rest = legs.total(connection, others) if others else []
    told = "1 other" if len(others) == 1 else f"{len(others)} others together"
    said = [f"{len(order)} of {len(held.found)} markets have prices."] if len(order) < len(held.found) else []
    said += [f"Drawn are the {DRAWN} largest; {told} in grey."] if others else []
    rest_rows: Rows = [{"drawn_at": r["drawn_at"], "price": r["total"], "label": told} for r in rest]
    return Panel(
        title, " ".join(said), charts.legs(rows, [held.labels[id_] for id_ in drawn], rest_rows, frame)
    )


def total(connection: Any, held: Legs, frame: Frame) -> Panel:
    """What the prices of the negRisk set sum to."""
    title, together = "Sum over the negRisk set, dollars", held.together
    if len(together) < 2:
        return Panel(title, "These markets are no negRisk set: several can end YES, or none, and their sum means nothing.")  # fmt: skip
    rows = legs.total(connection, together)
    if not rows:
        return Panel(title, "No price of the set is known.")
    added = legs.added(rows)
    said = ["Of those priced by then, each at its last price. About 1 where the set is whole; asks below 1 or bids above it would be free money."]  # fmt: skip
    said += [f"Legs that were priced later: {', '.join(f'{what} at {instant(at)}' for what, at in added.items())}."] if added else []  # fmt: skip
    said += (
        [f"{missing} of {len(together)} never were."] if (missing := len(together) - rows[-1]["legs"]) else []
    )
    marked = replace(frame, instants={**dict(list(added.items())[:_RULES])})
    return Panel(title, " ".join(said), charts.sums(rows, marked))


def _table(connection: Any, held: Legs) -> Grid:
    last = legs.last(connection)
    rows = []
    for leg in sorted(held.found, key=lambda s: -(last.get(s.market_id, {}).get("price") or -1.0)):
        seen, known = last.get(leg.market_id, {}), held.known.get(leg.market_id, [])
        label = known[-1].row["label"] if known else None
        rows.append([
            held.labels[leg.market_id], _cents(seen.get("price")), _cents(seen.get("bid")), _cents(seen.get("ask")), instant(seen.get("drawn_at")),
            _dollars(leg.row.get("volume_usd")), known[-1].row["state"] if known else "not known", "–" if label is None else str(label), leg.market_id,
        ])  # fmt: skip
    headings = ["market", "last price", "bid", "ask", "seen", "volume", "end", "label", "id"]
    remark = f"{held.unread:,} more are left out, those of the least volume." if held.unread else ""
    return Grid("Its markets", headings, rows, remark, frozenset({1, 2, 3, 5, 7}))


def _cents(price: float | None) -> str:
    return "–" if price is None else f"{price:.4f}".rstrip("0").rstrip(".")


def _dollars(volume: float | None) -> str:
    return "–" if volume is None else f"${volume:,.0f}"
