"""The parts of a market's page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from console.blocks import Block, Cell, Custom, Empty, Facts, Grid, Link, Note
from console.markets import ending, ladder, linking, naming, predicted, spans, staging
from console.parts import Asked, Part
from console.place import Place
from polymarket_assets.report import coverage, ends, facts
from polymarket_assets.report.silences import Silence
from polymarket_assets.report.subject import Subject
from polymarket_assets.tiers import BY_NAME

# Levels of a side that are shown; the sums are of all.
_LEVELS = 15
_TRADES = 40
_GAPS = 30


def head(place: Place, asked: Asked) -> Iterable[Block]:
    """What the market is."""
    found = naming.market(place, asked.of)
    known = ending.versions(place, found)
    quote = ladder.newest_quote(place, found)
    yield Custom("market_head.html", {
        "title": found.title, "badges": facts.badges(found, ends.verdict(known, found.canonical)), "quote": quote, "canonical": found.canonical,
        "links": _links(place, found),
    })  # fmt: skip


def about(place: Place, asked: Asked) -> Iterable[Block]:
    """Its names, dates and terms, as last listed."""
    yield Facts(facts.told(naming.market(place, asked.of)))


def _links(place: Place, found: Subject) -> list[Link]:
    row, links = found.row, []
    event = row.get("event_slug") or row.get("event_id") or row.get("neg_risk_id")
    if event:
        links.append(Link(f"Event: {row.get('event_title') or event}", linking.event(str(event))))
    tables = ("snapshots", "orderbooks", "trades", "resolutions")
    links += [Link(f"rows of {table}", linking.rows(table, found.market_id)) for table in tables]
    tier = row.get("tier")
    sampled = [("snapshots", tier)] if tier else []
    return [*links, *(Link(f"{'/'.join(key)} in Dagster", linking.asset(place, *key)) for key in (*sampled, ("trades",)))]  # fmt: skip


def _chart(name: str) -> Callable[[Place, Asked], Iterable[Block]]:
    def build(place: Place, asked: Asked) -> Iterable[Block]:
        return staging.stage(place, naming.market(place, asked.of), spans.asked(asked)).charts[name]()

    return build


def book(place: Place, asked: Asked) -> Iterable[Block]:
    """The ladder of the newest book, and how old it is."""
    found = naming.market(place, asked.of)
    newest = ladder.newest_book(place, found)
    if newest is None:
        yield Empty(f"No book was sampled: {coverage.absence(found, 'snapshots')}.")
        return
    age = place.clock() - newest.received_at
    if age > ladder.FRESH:
        yield Note(f"This book is {told(age)} old, the newest there is: {_pace(found)}.", "warning")
    sides = (newest.asks[:_LEVELS][::-1], newest.bids[:_LEVELS])
    widest = max((level.usd for side in sides for level in side), default=0.0) or 1.0
    yield Custom("ladder.html", {
        "asks": sides[0], "bids": sides[1], "widest": widest, "at": newest.received_at, "canonical": found.canonical,
        "more": [max(0, len(side) - _LEVELS) for side in (newest.asks, newest.bids)],
    })  # fmt: skip


def _pace(found: Subject) -> str:
    if found.row.get("phase") == "closed":
        return "the market is closed"
    tier = BY_NAME.get(str(found.row.get("tier")))
    return f"{tier.name.upper()} is sampled every {told(tier.every)}" if tier else "it is in no tier"


def told(span: timedelta) -> str:
    """How long, in the largest unit of which there are two."""
    seconds = span.total_seconds()
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"


def model(place: Place, asked: Asked) -> Iterable[Block]:
    """What models say, beside the price."""
    return predicted.shown(place, predicted.predictions(place, naming.market(place, asked.of), spans.asked(asked)))  # fmt: skip


def trades(place: Place, asked: Asked) -> Iterable[Block]:
    """The newest trades."""
    found = naming.market(place, asked.of)
    newest = staging.stage(place, found, spans.asked(asked)).dealt.newest.slice(0, _TRADES).to_pylist()
    if not newest:
        yield Empty(f"No trades: {coverage.absence(found, 'trades' if found.recorded_at else 'history_trades')}.")  # fmt: skip
        return
    rows = [[t["drawn_at"], "buy" if t["is_buy"] else "sell", t["price"], t["shares"], t["usd"], t["source"]] for t in newest]  # fmt: skip
    yield Grid(["traded", "taker", "price", "shares", "dollars", "source"], rows, "In terms of the canonical outcome; heard: their hour is not built yet.")  # fmt: skip
    yield Facts([("All of them", Link("rows of trades", linking.rows("trades", found.market_id)))])


def evidence(place: Place, asked: Asked) -> Iterable[Block]:
    """How it ended, version by version, and what each service said."""
    found = naming.market(place, asked.of)
    known = ending.versions(place, found)
    if not known:
        yield Empty(f"No version in resolutions: {coverage.absence(found, 'resolutions')}.")
        return
    rows = []
    for version in reversed(known):
        row, said = version.row, version.said
        words = [f"{s.service}{f' ({s.seen_at})' if s.seen_at else ''}: {s.words}" for s in said]
        label = None if row["label"] is None else f"{row['label']} ({found.canonical} {'won' if row['label'] else 'lost'})"  # fmt: skip
        disputed = "; was disputed" if row["was_disputed"] else ""
        rows.append([row["version"], row["seen_at"], row["state"], label, version.payouts or None, row["reason"] + disputed, " ⏐ ".join(words) or None,
                     row["resolved_at"], row["label_seen_at"]])  # fmt: skip
    headings = ["version", "seen", "state", "label", "payouts", "why", "what each service said", "resolved", "label usable since"]  # fmt: skip
    yield Grid(headings, rows, "The newest version comes first; training says which it saw.", frozenset({5, 6}))  # fmt: skip


def held(place: Place, asked: Asked) -> Iterable[Block]:
    """What there is of it in the span, and when nothing was known."""
    found, choice = naming.market(place, asked.of), spans.asked(asked)
    staged = staging.stage(place, found, choice)
    rows = [[Link(h.table, linking.rows(h.table, found.market_id)), h.rows, h.first, h.last, h.note] for h in staged.held]  # fmt: skip
    yield Grid(["table", "rows", "first", "last", ""], rows, sentences=frozenset({4}))
    frame = staged.frame
    outside = [
        f"{what} {at:%Y-%m-%d %H:%M:%S}" for what, at in frame.instants.items() if what not in frame.inside
    ]
    if outside:
        yield Note(f"Outside the time shown: {', '.join(outside)}.")
    if not staged.is_heard_known:
        yield Note("Gaps and missed slots are being looked up; they are here in a moment.")
    yield from _silences(staged.silences.found)


def _silences(found: Sequence[Silence]) -> Iterable[Block]:
    if not found:
        return
    newest = sorted(found, key=lambda s: s.start, reverse=True)[:_GAPS]
    rest = f"{len(found) - _GAPS:,} earlier ones are left out." if len(found) > _GAPS else ""
    rows: list[list[Cell]] = [
        [s.start, s.end, s.what, round((s.end - s.start).total_seconds(), 1), s.cause] for s in newest
    ]
    yield Grid(["from", "to", "what", "seconds", "why"], rows, rest, frozenset({4}))


PARTS = (
    Part("head", "The market", head, 30.0),
    Part("price", "Price", _chart("price"), 15.0),
    Part("book", "Book", book, 5.0),
    Part("model", "Model against market", model, 60.0),
    Part("spread", "Spread", _chart("spread"), 15.0),
    Part("depth", "Depth", _chart("depth"), 15.0),
    Part("volume", "Volume", _chart("volume"), 15.0),
    Part("trades", "Trades", trades, 15.0),
    Part("evidence", "How it ended", evidence, 60.0),
    Part("about", "What it is", about, 60.0),
    Part("held", "What there is, and what is missing", held, 30.0),
)
