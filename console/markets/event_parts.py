"""The parts of an event's page: its markets side by side, and what the prices of a negRisk set sum to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.blocks import Block, Facts, Grid, Link, Note
from console.charting import trust
from console.markets import drawing, ending, linking, naming, slices, spans, staging
from console.markets.recall import Recall
from console.parts import Asked, Part
from console.place import Place
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.report import ends, event, facts, legs, market, sources
from polymarket_assets.report.event import Legs
from polymarket_assets.report.silences import Silences

_MOST, _FOR_S = 12, 10.0
# Legs that have no price within this lead to their page, which says why.
_LATELY = 26 * HOUR


@dataclass(frozen=True)
class Leg:
    """A market of the event with its newest prices, dollars; `label`: 1 where it is known to have won, 0 lost."""

    market_id: str
    name: str
    slug: str | None
    phase: str | None
    tier: str | None
    bid: float | None
    ask: float | None
    price: float | None
    priced_at: datetime | None
    volume_usd: float | None
    state: str | None
    label: int | None


@dataclass(frozen=True)
class Drawn:
    """The charts of an event, made once for its parts."""

    prices: list[Block]
    total: list[Block]


class Events:
    """Those made lately."""

    def __init__(self, _: Place) -> None:
        self.drawn: Recall[Drawn] = Recall(_MOST, _FOR_S)
        self.legs: Recall[list[Leg]] = Recall(4 * _MOST, _FOR_S / 2)


def held(place: Place, name: str) -> tuple[str, Legs]:
    """The title of an event and its markets, the largest volume first. Raises as `naming.event`."""
    title, found = naming.event(place, name)
    kept = event.largest(found)
    return title, event.named_legs(kept, len(found) - len(kept), ending.all_versions(place, kept))


def newest(place: Place, found: Legs) -> list[Leg]:
    """Its markets with their newest prices, the dearest first."""
    key = tuple(s.market_id for s in found.found)
    return place.own(Events).legs.get(key, lambda: _newest(place, found))


def _newest(place: Place, found: Legs) -> list[Leg]:
    now = place.clock()
    ids = [s.market_id for s in found.found]
    rows = slices.rows(place, "snapshots", ids, Span(now - 2 * HOUR, now + HOUR))
    away = sorted(set(ids) - set(rows.column("market_id").to_pylist()))
    older = slices.rows(place, "snapshots", away, Span(now - _LATELY, now - 2 * HOUR))
    last = {row["market_id"]: row for table in (older, rows) for row in table.sort_by("slot_at").to_pylist()}
    made = [_leg(found, s.market_id, s.row, last.get(s.market_id, {})) for s in found.found]
    return sorted(made, key=lambda leg: (-(leg.price if leg.price is not None else -1.0), leg.market_id))


def _leg(found: Legs, market_id: str, row: dict[str, Any], quote: dict[str, Any]) -> Leg:
    known = found.known.get(market_id)
    end = known[-1].row if known else {}
    return Leg(
        market_id, found.labels[market_id], row.get("slug"), row.get("phase"), row.get("tier"), quote.get("best_bid"), quote.get("best_ask"), quote.get("mid"),
        quote.get("received_at"), row.get("volume_usd"), end.get("state"), end.get("label"),
    )  # fmt: skip


def head(place: Place, asked: Asked) -> Iterable[Block]:
    """What the event is."""
    title, found = held(place, asked.of)
    first = found.found[0]
    row, together = first.row, found.together
    yield Note(title)
    ids = sorted({str(leg.row["neg_risk_id"]) for leg in found.found if leg.row.get("neg_risk_id")})
    volume = sum(leg.row.get("volume_usd") or 0.0 for leg in found.found)
    yield Facts([pair for pair in (
        ("Markets", len(found.found) + found.unread), ("negRisk set", f"{len(together)} markets, of which exactly one ends YES" if together else "none: several can end YES, or none"),
        ("negRisk id", ", ".join(ids)), ("Event id, slug", " · ".join(str(row[k]) for k in ("event_id", "event_slug") if row.get(k))), ("Category", row.get("category") or "not known"),
        ("Effective close", row.get("effective_close")), ("Volume of its markets, $", round(volume)), ("Ended", ", ".join(_won(found))),
    ) if pair[1] != ""])  # fmt: skip


def _won(found: Legs) -> list[str]:
    return [f"{found.labels[id_]}: {ends.verdict(known, 'YES')}" for id_, known in found.known.items() if known[-1].row["label"] == 1]  # fmt: skip


def _drawn(place: Place, asked: Asked) -> Drawn:
    _, found = held(place, asked.of)
    choice = spans.asked(asked)
    key = (tuple(s.market_id for s in found.found), choice)
    return place.own(Events).drawn.get(key, lambda: _made(place, found, choice))


def _made(place: Place, found: Legs, choice: str) -> Drawn:
    trust()
    looked = spans.look(found.found, choice, place.clock())
    # None of its charts shows a trade.
    tables = staging.recorded(place, found.found, looked)
    with slices.connected(tables) as connection:
        sources.fill(connection, [s.market_id for s in found.found], (looked.since, None), [name for name in ("snapshots", "history_prices", "history_books") if tables[name].num_rows])  # fmt: skip
        legs.prepare(connection)
        frame = market.frame_of(connection, facts.instants(found.found[0]), Silences((), 0))
        return Drawn(
            drawing.blocks("prices", event.prices(connection, found, frame)),
            drawing.blocks("total", event.total(connection, found, frame)),
        )


def prices(place: Place, asked: Asked) -> Iterable[Block]:
    """Its markets in one chart."""
    return _drawn(place, asked).prices


def total(place: Place, asked: Asked) -> Iterable[Block]:
    """What the set sums to."""
    return _drawn(place, asked).total


def table(place: Place, asked: Asked) -> Iterable[Block]:
    """Its markets, the dearest first."""
    _, found = held(place, asked.of)
    rows = [
        [Link(leg.name, linking.market(leg.market_id)), leg.price, leg.bid, leg.ask, leg.priced_at, None if leg.volume_usd is None else round(leg.volume_usd),
         leg.tier, leg.phase, leg.state or "not known", leg.label]
        for leg in newest(place, found)
    ]  # fmt: skip
    rest = f"{found.unread:,} more are left out, those of the least volume." if found.unread else ""
    yield Grid(["market", "mid", "bid", "ask", "seen", "volume, $", "tier", "phase", "end", "label"], rows, rest)  # fmt: skip


PARTS = (
    Part("head", "The event", head, 60.0),
    Part("prices", "Prices of its markets", prices, 15.0),
    Part("total", "Sum of the set", total, 15.0),
    Part("legs", "Its markets", table, 15.0),
)
