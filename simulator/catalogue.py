"""The generated universe as the catalogue's rows."""

from __future__ import annotations

from collections.abc import Iterable

from simulator import event_rows, rows
from simulator.exchange import Exchange
from simulator.listing import Entry
from simulator.market import Event, Market
from simulator.rows import Row

# Lists are walked a page at a time, and every page is cut from all rows: where so many markets trade, a row is made anew this
# often, as an edge would. Making thirty thousand takes eight seconds; of fewer than a thousand all are made at once.
LARGE, ROWS_FOR_S = 1_000, 5.0
VERY_LARGE, LONGER_S = 10_000, 120.0


class Generated:
    """Rows of an exchange; those of closed markets never change and are kept."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._closed: dict[str, Entry] = {}
        self._open: dict[str, tuple[float, Entry]] = {}

    def markets(self, closed: bool) -> Iterable[Entry]:
        now = self._exchange.clock()
        listed = (market for market in self._exchange.universe.markets.values() if market.listed(now))
        return [self._recent(market, now) for market in listed if market.closed(now) == closed]

    def events(self, closed: bool) -> Iterable[Entry]:
        now = self._exchange.clock()
        return [
            self._event(event, now)
            for event in self._exchange.universe.events
            if all(market.closed(now) for market in event.markets if not market.placeholder) == closed
        ]

    def market(self, gamma_id: str) -> Entry | None:
        market = self._exchange.universe.markets.get(gamma_id)
        return None if market is None else self._entry(market, self._exchange.clock())

    def event(self, event_id: str) -> Entry | None:
        now = self._exchange.clock()
        return next((self._event(e, now) for e in self._exchange.universe.events if e.id == event_id), None)

    def tags(self) -> list[Row]:
        known = {tag["id"]: tag for event in self._exchange.universe.events for tag in event_rows.tags(event)}
        return list(known.values())

    def _recent(self, market: Market, now: float) -> Entry:
        """A row of a list: of this moment, or in a large universe of some seconds ago."""
        size = len(self._exchange.floors)
        if size < LARGE:
            return self._entry(market, now)
        kept_for_s = ROWS_FOR_S if size < VERY_LARGE else LONGER_S
        made, entry = self._open.get(market.id, (0.0, None))
        if entry is None or market.closed(now) or now - made > kept_for_s:
            entry = self._entry(market, now)
            self._open[market.id] = (now, entry)
        return entry

    def _entry(self, market: Market, now: float) -> Entry:
        if market.id in self._closed:
            return self._closed[market.id]
        row = rows.market(market, self._exchange.figures(market), now)
        # The trimmed parent stands where the venue puts it, before `ready`.
        parent = {"events": [self._parent(market.event, now)]}
        at = list(row).index("ready")
        row = dict([*list(row.items())[:at], *parent.items(), *list(row.items())[at:]])
        entry = Entry(row, row, tuple(event_rows.tags(market.event)))
        if market.closed(now):
            self._closed[market.id] = entry
        return entry

    def _parent(self, event: Event, now: float) -> Row:
        return event_rows.event(event, now, [self._exchange.figures(market) for market in event.markets])

    def _event(self, event: Event, now: float) -> Entry:
        children = [rows.market(market, self._exchange.figures(market), now) for market in event.markets]
        figures = [self._exchange.figures(market) for market in event.markets]
        row = event_rows.event(event, now, figures, children)
        return Entry(row, row, tuple(row["tags"]))
