"""Which markets somebody listened to, and how much of each window nobody did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence.gaps import Gaps
from polymarket_assets.learning.evidence.quotes import Instants, Prices, first_of_day
from polymarket_assets.learning.evidence.series import (
    US,
    Flags,
    Series,
    Whole,
    known,
    last_where,
    whole,
)
from polymarket_assets.learning.features.flow import LEAST_HEARD, WINDOWS_S

# Somebody listens while a trade was heard this recently, of any market that the same streamers carry.
ALIVE_US = 900 * US


@dataclass(frozen=True)
class Alive:
    """When somebody was heard: signs of life by share, and the share of each of `markets`, which grow; a single one is that of all."""

    markets: Whole
    share: Whole
    signs: Series
    at_us: Whole

    @classmethod
    def of(cls, shares: pa.Table, alive: pa.Table) -> Alive:
        """Of rows of `shares` in any order, and all of `alive` in order."""
        shares, at_us = shares.sort_by("m"), whole(alive, "first_us")
        return cls(whole(shares, "m"), whole(shares, "share"), Series.over(whole(alive, "share"), at_us), at_us)  # fmt: skip

    def is_near(self, market: Whole, as_of_us: Whole) -> Flags:
        """Whether there was a sign of the market's share so recently."""
        if not self.at_us.size:
            return np.zeros(market.size, dtype=bool)
        share = self.share[np.minimum(np.searchsorted(self.markets, market), self.markets.size - 1)]
        newest = self.signs.latest(share, as_of_us)
        found: Flags = (newest >= 0) & (as_of_us - self.at_us[newest] <= ALIVE_US)
        return found


@dataclass(frozen=True)
class Listened:
    """Of each instant: whether somebody listened (elsewhere the rest is of no meaning), since when, and how long in each window nobody did."""

    is_heard: Flags
    since_us: Whole
    unheard_us: dict[str, Whole]

    def is_whole(self, window: str) -> Flags:
        """Whether the window was listened to for long enough."""
        most_us = round((1 - LEAST_HEARD[window]) * WINDOWS_S[window] * US)
        return self.is_heard & (self.unheard_us[window] <= most_us)


def listened(
    at: Instants, prices: Prices, heard: pa.Table, alive: Alive, deaf: pa.Table, began_us: Whole
) -> Listened:
    """Of rows of `heard` and `deaf` in any order, signs of life, and when each instant's market was listed.

    Of a window, that part is not heard which lies before listening began, or in a gap; before a market was listed there was
    nothing to hear.
    """
    is_told, told_us = _told(at.market, heard)
    is_listened = alive.is_near(at.market, at.as_of_us) & prices.is_listened[at.price]
    is_heard = is_listened | (is_told & (at.as_of_us >= told_us))
    since_us, gaps = np.where(is_told, told_us, _since_us(at, prices)), Gaps.of(deaf, at)
    unheard_us = {}
    for window, seconds in WINDOWS_S.items():
        begins_us = at.as_of_us - seconds * US
        silent_us = np.maximum(0, since_us - np.maximum(began_us, begins_us))
        deaf_us = gaps.within_us(at.market, np.maximum(begins_us, since_us), at.as_of_us)
        unheard_us[window] = np.minimum(seconds * US, silent_us + deaf_us)
    return Listened(is_heard, since_us, unheard_us)


def _told(market: Whole, heard: pa.Table) -> tuple[Flags, Whole]:
    """Since when trades of the market are known, where that is told."""
    if not heard.num_rows:
        return np.zeros(market.size, dtype=bool), np.zeros(market.size, dtype=np.int64)
    heard = heard.sort_by("m")
    markets = whole(heard, "m")
    place = np.minimum(np.searchsorted(markets, market), markets.size - 1)
    is_told = (markets[place] == market) & known(heard, "since_us")[place]
    return is_told, whole(heard, "since_us")[place]


def _since_us(at: Instants, prices: Prices) -> Whole:
    """Listening began with the newest price of the day that nobody listened at, or with the day."""
    first = first_of_day(at, prices)
    return prices.at_us[np.maximum(last_where(~prices.is_listened)[at.price], first)]
