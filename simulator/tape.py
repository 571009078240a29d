"""Trades from before we started: drawn once per market, from its listing to the start or its end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator import edge
from simulator.chance import Array, dice, digest, many
from simulator.ladder import ONE
from simulator.market import Market
from simulator.trading import MEDIAN_TRADE_USD, OF_BUYS, OF_FIRST_TOKEN, TRADE_SPREAD, Trade, wallet

FEWEST, MOST = 20, 150


class Tape:
    """The trades of one market before `until`, oldest first."""

    def __init__(self, market: Market, seed: int, until: float) -> None:
        self._market, self._seed = market, seed
        end = min(market.ends_at, until, market.ending.book_until)
        chance = many(seed, market.id, "tape")
        count = self._count(end, chance) if market.has_book and not market.placeholder else 0
        # Trading picks up towards the end of a life.
        share = (end - market.listed_at) / (market.ends_at - market.listed_at)
        self.at: Array = np.sort(market.listed_at + (end - market.listed_at) * chance.beta(1.2, 1.2 - 0.4 * share, count))  # fmt: skip
        self.side = (chance.random(count) >= OF_FIRST_TOKEN).astype(int)
        self.buys = chance.random(count) < OF_BUYS
        self.price = self._prices(chance)
        usd = MEDIAN_TRADE_USD * np.exp(chance.normal(0, TRADE_SPREAD, count))
        self.size = np.maximum(np.round(usd / (self.price / ONE) * 100), 500).astype(int)
        self.usd: Array = self.price / ONE * self.size / 100

    def _count(self, end: float, chance: np.random.Generator) -> int:
        minutes = max(0.0, end - self._market.listed_at) / 60
        if minutes < 5:
            return int(chance.poisson(self._market.pace * minutes))
        return int(np.clip(chance.poisson(self._market.pace * minutes / 10 + FEWEST), FEWEST, MOST))

    def _prices(self, chance: np.random.Generator) -> NDArray[np.int64]:
        market = self._market
        mid = edge.quoted(market.path.at(self.at)[market.leg], market.edge)
        paid = np.where(self.side == 0, mid, 1 - mid)
        tick = market.tick
        away = market.half_spread * tick * chance.random(len(paid))
        shifted = (paid * ONE + np.where(self.buys, away, -away)) / tick
        whole = np.where(self.buys, np.ceil(shifted), np.floor(shifted)) * tick
        prices: NDArray[np.int64] = np.clip(whole, tick, ONE - tick).astype(np.int64)
        return prices

    def trades(self) -> list[Trade]:
        """All of them, oldest first."""
        roll = dice(self._seed, self._market.id, "wallets")
        return [
            Trade(float(at), int(side), bool(buys), int(price), int(size), self._tx(i), wallet(roll))
            for i, (at, side, buys, price, size) in enumerate(
                zip(self.at, self.side, self.buys, self.price, self.size, strict=True)
            )
        ]

    @property
    def last(self) -> int | None:
        """The last price in terms of the first outcome."""
        if not len(self.at):
            return None
        return int(self.price[-1] if self.side[-1] == 0 else ONE - self.price[-1])

    def _tx(self, i: int) -> str:
        return f"0x{digest(self._seed, self._market.id, 'old', i).hex()}"
