"""The endpoints' answers, made of what the parts of pages are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from console.markets import ladder, predicted, slices, spans, staging
from console.markets.answers import (
    Book,
    Event,
    Facts,
    Gap,
    Market,
    Prices,
    Quote,
    Trade,
    Trades,
    Version,
)
from console.markets.event_parts import Leg
from console.place import Place
from polymarket_assets.report import ends
from polymarket_assets.report.subject import Subject

_NEWEST = 20
_GAPS = 200


def market(place: Place, found: Subject, choice: str) -> Market:
    """Everything newest of a market within a choice of time."""
    staged, quote = staging.stage(place, found, choice, is_drawn=False), ladder.newest_quote(place, found)
    said = predicted.predictions(place, found, choice, _NEWEST)
    gaps = sorted(staged.silences.found, key=lambda s: s.start, reverse=True)[:_GAPS]
    return Market(
        facts(found), quote_of(quote) if quote else None, _book(place, ladder.book_of(place, found, quote)), [_trade(t) for t in staged.dealt.newest.slice(0, _NEWEST).to_pylist()], said,
        [_version(v) for v in staged.known], [Gap(s.start, s.end, s.what, s.cause) for s in gaps],
        staged.held,
    )  # fmt: skip


def facts(found: Subject) -> Facts:
    """A market's row as an answer."""
    row = found.row
    names = [name for name in Facts.__dataclass_fields__ if name not in ("market_id", "source", "closed_at")]
    lists = {name: list(row.get(name) or ()) for name in ("outcomes", "token_ids", "tags")}
    given: dict[str, Any] = {**{name: row.get(name) for name in names}, **lists}
    return Facts(market_id=found.market_id, source=found.source, closed_at=found.closed_at, **given)


def quote_of(row: dict[str, Any]) -> Quote:
    """A row of `snapshots`."""
    return Quote(**{name: row[name] for name in Quote.__dataclass_fields__})


def book(place: Place, found: Subject) -> Book | None:
    """The newest book, and how old it is."""
    return _book(place, ladder.newest_book(place, found))


def _book(place: Place, newest: ladder.Book | None) -> Book | None:
    if newest is None:
        return None
    age = place.clock() - newest.received_at
    return Book(newest.slot_at, newest.received_at, age.total_seconds(), age <= ladder.FRESH, list(newest.bids), list(newest.asks))  # fmt: skip


def prices(place: Place, found: Subject, choice: str, limit: int, offset: int) -> Prices:
    """A page of the quotes of a choice of time."""
    looked = spans.look([found], choice, place.clock())
    rows = slices.rows(place, "snapshots", [found.market_id], looked.hours) if looked.hours else slices.empty("snapshots")  # fmt: skip
    if looked.since is not None:
        rows = rows.filter(_from(rows.column("received_at"), looked.since))
    page = rows.sort_by([("slot_at", "descending")]).slice(offset, limit).to_pylist()
    return Prices(found.market_id, rows.num_rows, limit, offset, [quote_of(row) for row in page])


def _from(column: Any, at: datetime) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.greater_equal(column, pa.scalar(at, pa.timestamp("us", tz="UTC")))


def trades(place: Place, found: Subject, choice: str, limit: int, offset: int) -> Trades:
    """A page of the trades of a choice of time, those heard included whose hour is not built yet."""
    count, page = staging.trades(place, found, choice, limit, offset)
    return Trades(found.market_id, count, limit, offset, [_trade(t) for t in page])


def _trade(row: dict[str, Any]) -> Trade:
    return Trade(row["drawn_at"], row["price"], row["is_buy"], row["usd"], row["shares"], row["source"])


def _version(version: ends.Version) -> Version:
    row = version.row
    names = ("version", "seen_at", "state", "label", "reason", "was_disputed", "resolved_at", "label_seen_at")
    return Version(
        **{name: row[name] for name in names}, payouts=version.payouts, evidence=list(version.said)
    )


def event(title: str, legs: list[Leg], together: list[str]) -> Event:
    """Markets with their sum; one-sided and unsampled ones are not in it."""
    mids = [leg.price for leg in legs if leg.market_id in together and leg.price is not None]
    return Event(title, len(together), len(mids), sum(mids) if mids and len(together) > 1 else None, legs)
