"""What makes the venue live: events in order of their instants, on the wall clock; frames to whoever listens.

Everything that will happen waits in one queue. A machine that is late does things late, in the same order and with the same dice.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

from simulator import frames
from simulator.connections import Socket
from simulator.exchange import Exchange
from simulator.ladder import FINE, Change, Fill
from simulator.ledger import FLUSH_EVERY_S, Ledger
from simulator.market import Event, Market
from simulator.sockets import Hub
from simulator.trading import Trade, Trading

# The engine looks at its queue this often at most: frames of one look leave together.
BREATH_S = 0.02
LONGEST_NAP_S = 0.5
# The message of a trade follows the books it made by so much.
TRADE_AFTER_S = 0.036


class Engine:
    """Runs an exchange."""

    def __init__(self, exchange: Exchange, hub: Hub, ledger: Ledger) -> None:
        self._exchange, self._hub, self._ledger = exchange, hub, ledger
        self._clock = exchange.clock
        self._queue: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self.resolved = 0

    def begin(self) -> None:
        """Open the floors of what is open; note what is over."""
        now = self._clock()
        for market in list(self._exchange.universe.markets.values()):
            if market.closed(now):
                self._ledger.write("past", market.ending.closed_at, **_ending(market))
            else:
                self._welcome(market, now)

    def loops(self) -> list[Coroutine[Any, Any, None]]:
        """What must run beside the servers."""
        return [self._run(), self._flush()]

    async def _run(self) -> None:
        while True:
            self.step(self._clock())
            nearest = min(self._queue[0][0] if self._queue else self._clock() + LONGEST_NAP_S, self._exchange.universe.next_at)  # fmt: skip
            await asyncio.sleep(min(max(nearest - self._clock(), BREATH_S), LONGEST_NAP_S))

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            self._ledger.flush()

    def step(self, now: float) -> None:
        """Do what is due."""
        for event in self._exchange.universe.appear(now):
            self._announce(event, now)
        while self._queue and self._queue[0][0] <= now:
            at, _, act = heapq.heappop(self._queue)
            act(at)

    def _at(self, when: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._queue, (when, next(self._order), act))

    # --- a market's life ------------------------------------------------------------------------------

    def _announce(self, event: Event, now: float) -> None:
        for market in event.markets:
            self._welcome(market, now)
            listeners = [socket for socket in self._hub.sockets if socket.custom]
            self._hub.send("new_market", market.tokens, [frames.new_market(market, _ms(now))], to=listeners, condition_id=market.condition_id)  # fmt: skip

    def _welcome(self, market: Market, now: float) -> None:
        if market.placeholder:
            return
        self._ledger.write("listed", condition_id=market.condition_id, gamma_id=market.id, token_ids=list(market.tokens), event=market.event.kind, slug=market.slug, listed_at=market.listed_at, ends_at=market.ends_at, by_deadline=market.by_deadline, edge_logit=market.edge, book=market.has_book)  # fmt: skip
        if market.trades(now):
            # From the scheduled instant on, so that a late machine draws the same dice at the same times.
            floor = self._exchange.open_floor(market, max(market.listed_at, self._exchange.started_at))
            self._at(floor.next_at, lambda at: self._go_on(floor, at))
            self._at(market.ending.book_until, lambda at: self._exchange.close_floor(market))
        self._at(market.ending.closed_at, lambda at: self._resolve(market))

    def _go_on(self, floor: Trading, at: float) -> None:
        if floor.market.id not in self._exchange.floors:
            return
        now = self._clock()
        if at == floor.trade_at:
            self._trade(floor, at, now)
        else:
            self._requote(floor, at, now)
        self._at(floor.next_at, lambda at: self._go_on(floor, at))

    def _resolve(self, market: Market) -> None:
        self.resolved += 1
        self._ledger.write("resolved", **_ending(market))
        told = [socket for socket in self._hub.hears(market.tokens) if socket.custom]
        self._hub.send("market_resolved", market.tokens, [frames.market_resolved(market, _ms(self._clock()))], to=told, condition_id=market.condition_id)  # fmt: skip

    # --- what happens on a floor ----------------------------------------------------------------------

    def _requote(self, floor: Trading, at: float, now: float) -> None:
        old = floor.ladder.tick
        if floor.sees_extremes(at):
            floor.touch(now)
            self._tell_grid(floor, old)
        market, listeners = floor.market, self._hub.hears(floor.market.tokens)
        top = (floor.ladder.best_bid, floor.ladder.best_ask)
        changes = floor.requote(at, now)
        if not changes or not listeners:
            return
        if top != (floor.ladder.best_bid, floor.ladder.best_ask):
            self._tell_top(floor, listeners)
        self._hub.send("price_change", market.tokens, _changes(floor, changes), to=listeners, condition_id=market.condition_id)  # fmt: skip

    def _tell_top(self, floor: Trading, listeners: set[Socket]) -> None:
        market, shown = floor.market, floor.show()
        for side in (0, 1):
            told = [socket for socket in listeners if socket.custom and market.tokens[side] in socket.tokens]
            if told:
                text = frames.best_bid_ask(market, side, floor.changed_ms, shown[side])
                self._hub.send("best_bid_ask", market.tokens[side : side + 1], [text], to=told, condition_id=market.condition_id)  # fmt: skip

    def _tell_grid(self, floor: Trading, old: int) -> None:
        market = floor.market
        for side, token in enumerate(market.tokens):
            text = frames.tick_size_change(market, side, old, FINE, floor.changed_ms)
            self._hub.send("tick_size_change", [token], [text], to=self._hub.hears([token]), condition_id=market.condition_id)  # fmt: skip
            self._tell_book(floor, side)

    def _tell_book(self, floor: Trading, side: int) -> None:
        token = floor.market.tokens[side]
        if listeners := self._hub.hears([token]):
            self._hub.send("book", [token], [floor.show()[side].live()], to=listeners, condition_id=floor.market.condition_id)  # fmt: skip

    def _trade(self, floor: Trading, at: float, now: float) -> None:
        made = floor.trade(at, now)
        if made is None:
            return
        for side in (made.side, 1 - made.side):
            self._tell_book(floor, side)
        asyncio.get_running_loop().call_later(TRADE_AFTER_S, self._tell_trade, floor.market, made)

    def _tell_trade(self, market: Market, made: Trade) -> None:
        token, at_ms = market.tokens[made.side], _ms(self._clock())
        text = frames.last_trade_price(market, made.side, made.buys, Fill(made.price, made.size), at_ms, made.tx)  # fmt: skip
        line = {"condition_id": market.condition_id, "token_id": token, "side": frames.SIDES[0 if made.buys else 1], "price": made.price / 1000, "size": made.size / 100, "tx_hash": made.tx}  # fmt: skip
        self._hub.send_trade(text, token, line)


def _changes(floor: Trading, changes: list[Change]) -> list[str]:
    shown = floor.show()
    return [frames.price_change(floor.market, change, floor.changed_ms, shown, change.size % 2) for change in changes]  # fmt: skip


def _ending(market: Market) -> dict[str, Any]:
    return {
        "condition_id": market.condition_id,
        "outcome": market.ending.outcome,
        "payouts": [payout / 1_000_000 for payout in market.ending.payouts],
        "was_disputed": market.ending.was_disputed,
        "true_probability_at_listing": round(market.truth(market.listed_at), 6),
        "by_deadline": market.by_deadline,
        "edge_logit": market.edge,
    }


def _ms(at: float) -> int:
    return int(at * 1000)
