"""Prices of markets in the form all sources share, and which of them an instant sees."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from polymarket_assets.learning.evidence.series import (
    DAY_US,
    Flags,
    Reals,
    Series,
    Whole,
    earlier,
    flags,
    in_order,
    known,
    last_of_equal,
    whole,
)
from polymarket_assets.learning.features import price

# Of the mid whose log-odds are counted in millionths, whatever the tick.
_HALF_TICK = price.FINEST_TICK / 2


def quoted(rows: str) -> str:
    """SQL: prices with their mid, twice it in millionths, and its log-odds in millionths."""
    return f"""
        select *, round(mid * 2e6)::integer as mid_e6x2, round(1e6 * {price.logit("mid", str(_HALF_TICK))})::integer as logit_u
        from (select *, {price.mid("bid", "ask", "shown_price")} as mid from {rows})
    """


@dataclass(frozen=True)
class Prices:
    """Prices in order of market and receipt, of several received at once the last; where one is no price (`is_priced`), `mid_e6x2` and `logit_u` are 0."""

    held: pa.Table
    series: Series
    market: Whole
    at_us: Whole
    spacing_us: Whole
    stands_us: Whole
    mid_e6x2: Whole
    logit_u: Whole
    is_priced: Flags
    is_listened: Flags
    ask: Reals

    @classmethod
    def of(cls, found: pa.Table) -> Prices:
        """Of rows of `quoted`, in any order."""
        held = found.take(pa.array(last_of_equal(found)))
        market, at_us = whole(held, "m"), whole(held, "at_us")
        return cls(
            held, Series.over(market, at_us), market, at_us, whole(held, "spacing_us"), whole(held, "stands_us"), whole(held, "mid_e6x2"), whole(held, "logit_u"),
            is_priced=known(held, "mid_e6x2"), is_listened=flags(held, "is_listened"), ask=held.column("ask").to_numpy(),
        )  # fmt: skip

    def standing(self, market: Whole, at_us: Whole) -> Whole:
        """Where the newest price at an instant stands, if it is still valid then; −1 otherwise."""
        newest = self.series.latest(market, at_us)
        if newest.size and self.at_us.size:
            newest[at_us - self.at_us[newest] > self.stands_us[newest]] = -1
        return newest

    def same_market(self) -> Flags:
        """Whether the price before is of the same market."""
        found: Flags = earlier(self.market) == self.market
        return found


@dataclass(frozen=True)
class Instants:
    """Instants at which a price stands, in order of market and instant; `price` says which, `stands_us` how long things do."""

    market: Whole
    life: Whole
    as_of_us: Whole
    horizon_h: Reals
    price: Whole
    quoted_us: Whole
    stands_us: Whole

    @classmethod
    def of(cls, wanted: pa.Table, prices: Prices) -> Instants:
        """Of rows of `instants`, in any order: those that have a price."""
        wanted = wanted.take(pa.array(in_order(whole(wanted, "m"), whole(wanted, "as_of_us"))))
        market, life, as_of_us = (whole(wanted, name) for name in ("m", "life", "as_of_us"))
        price = prices.standing(market, as_of_us)
        kept = price >= 0
        horizon_h, price = wanted.column("horizon_h").to_numpy(), price[kept]
        return cls(market[kept], life[kept], as_of_us[kept], horizon_h[kept], price, prices.at_us[price], prices.stands_us[price])  # fmt: skip


def first_of_day(at: Instants, prices: Prices) -> Whole:
    """Where the first price of the day up to the newest one stands."""
    return prices.series.before(at.market, at.quoted_us - DAY_US)
