"""The state of the venue that all its services read: markets, their floors, their trades, the figures of their rows."""

from __future__ import annotations

from collections.abc import Callable

from simulator.books import Snapshot
from simulator.ladder import ONE
from simulator.market import Market
from simulator.pulse import Pulse
from simulator.rows import Figures
from simulator.tape import Tape
from simulator.trading import Trade, Trading
from simulator.universe import Universe

DAY_S = 86_400.0
# Rows are refreshed by jobs: quotes in them are this old at most.
FIGURES_FOR_S = 15.0
# A trade reaches the Data API with its block, about so long after the match.
BLOCK_AFTER_S = 2.2


class Exchange:
    """One venue."""

    def __init__(self, universe: Universe, seed: int, clock: Callable[[], float]) -> None:
        self.universe, self.seed, self.clock = universe, seed, clock
        self.started_at = universe.start
        self.floors: dict[str, Trading] = {}
        # What traded since the start, by market; stays after the floor is gone.
        self.live_trades: dict[str, list[Trade]] = {}
        self._tapes: dict[str, Tape] = {}
        self._figures: dict[str, tuple[float, Figures]] = {}
        rate = universe.profile.rate
        at_start = sum(
            market.trades(self.started_at) and not market.placeholder for market in universe.markets.values()
        )
        # Floors open one after the other: the first must not move as if they were alone.
        self._pulse = None if rate is None else Pulse(rate, lambda: max(len(self.floors), at_start))

    def open_floor(self, market: Market, now: float) -> Trading:
        """Begin trading."""
        floor = self.floors[market.id] = Trading(market, self.seed, now, self._pulse)
        floor.last = self.tape(market).last
        self.live_trades[market.id] = floor.trades
        return floor

    def close_floor(self, market: Market) -> None:
        """No book from now on; the row keeps its last quotes."""
        self._figures.pop(market.id, None)
        self.figures(market)
        self.floors.pop(market.id, None)

    def book(self, token: str) -> Snapshot | None:
        """A token's book, if it is served."""
        found = self.universe.by_token.get(token)
        if found is None or found[0].id not in self.floors or not found[0].trades(self.clock()):
            return None
        return self.floors[found[0].id].show()[found[1]]

    def condition(self, token: str) -> str | None:
        """The market a token belongs to."""
        found = self.universe.by_token.get(token)
        return None if found is None else found[0].condition_id

    def tape(self, market: Market) -> Tape:
        """Trades from before the start."""
        if market.id not in self._tapes:
            self._tapes[market.id] = Tape(market, self.seed, self.started_at)
        return self._tapes[market.id]

    def trades(self, market: Market, now: float) -> list[Trade]:
        """All that are in a block by now, oldest first."""
        live = [made for made in self.live_trades.get(market.id, ()) if made.at + BLOCK_AFTER_S <= now]
        return self.tape(market).trades() + live

    def figures(self, market: Market) -> Figures:
        """What the row of a market says of trading."""
        now = self.clock()
        held = self._figures.get(market.id)
        if held is not None and (now - held[0] < FIGURES_FOR_S or market.id not in self.floors):
            return held[1]
        made = self._figures_now(market, now)
        self._figures[market.id] = (now, made)
        return made

    def _figures_now(self, market: Market, now: float) -> Figures:
        tape, live = self.tape(market), self.live_trades.get(market.id, [])
        recent = float(tape.usd[tape.at > now - DAY_S].sum()) + sum(made.usd for made in live)
        whole = float(tape.usd.sum()) + sum(made.usd for made in live)
        at = min(now, market.ending.book_until)
        floor = self.floors.get(market.id)
        if floor is None:
            bid, ask = _around(market, at)
            return Figures(whole, recent, 0.0, bid, ask, _last(market, tape, live), market.mid(at), market.tick, at)  # fmt: skip
        ladder = floor.ladder
        liquidity = sum(price * size for price, size in ladder.bids.items()) / ONE / 50
        return Figures(whole, recent, liquidity, ladder.best_bid, ladder.best_ask, floor.last, market.mid(at), ladder.tick, now)  # fmt: skip


def _around(market: Market, at: float) -> tuple[int | None, int | None]:
    """The last quotes of a market that nobody watched."""
    mid = round(market.mid(at) * ONE)
    bid, ask = mid - market.tick, mid + market.tick
    return (bid if bid > 0 else None, ask if ask < ONE else None)


def _last(market: Market, tape: Tape, live: list[Trade]) -> int | None:
    if not live:
        return tape.last
    return live[-1].price if live[-1].side == 0 else ONE - live[-1].price
