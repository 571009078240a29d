"""The markets of a set at the instants of its rows: which were listed, which had a price, and what the prices add up to."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence.quotes import Instants, Prices
from polymarket_assets.learning.evidence.series import (
    HOUR_US,
    Columns,
    Flags,
    Series,
    Whole,
    earlier,
    ends,
    given,
    in_order,
    key,
    last_where,
    whole,
)


def members(first: int, last: int) -> str:
    """SQL: at each instant of the markets `first` to `last` all that were listed of its set, of sets that ever had two."""
    return f"""
        with asked as (select distinct l.set_no, i.as_of_us from instants i join lives l using (life) where l.set_no is not null and i.m between {first} and {last}),
        sets as (select set_no from lives semi join asked using (set_no) group by set_no having count(distinct m) > 1)
        select asked.set_no, asked.as_of_us, l.m from asked semi join sets using (set_no)
        join lives l on asked.set_no = l.set_no and asked.as_of_us >= l.known_from_us and asked.as_of_us < l.known_to_us
    """


@dataclass(frozen=True)
class Members:
    """Markets of sets at instants, in order of market and instant, and what each was priced."""

    series: Series
    market: Whole
    as_of_us: Whole
    set_no: Whole
    is_live: Flags
    is_priced: Flags
    mid_e6x2: Whole
    is_asked: Flags
    ask_e6: Whole
    is_moved: Flags
    moved_e6x2: Whole

    @classmethod
    def of(cls, found: pa.Table, prices: Prices) -> Members:
        """Of rows of `members`, in any order. A market moved where it had a mid an hour ago, too."""
        order = in_order(whole(found, "m"), whole(found, "as_of_us"))
        market, as_of_us, set_no = (whole(found, name)[order] for name in ("m", "as_of_us", "set_no"))
        now, before = prices.standing(market, as_of_us), prices.standing(market, as_of_us - HOUR_US)
        is_live, ask = now >= 0, prices.ask
        is_priced, is_asked = is_live & prices.is_priced[now], is_live & ~np.isnan(ask[now])
        is_moved = is_priced & (before >= 0) & prices.is_priced[before]
        mid, ask_e6 = (
            np.where(is_priced, prices.mid_e6x2[now], -1),
            np.round(1e6 * np.where(is_asked, ask[now], 0)).astype(np.int64),
        )
        moved = np.where(is_moved, np.abs(mid - prices.mid_e6x2[before]), 0)
        return cls(
            Series.over(market, as_of_us),
            market,
            as_of_us,
            set_no,
            is_live,
            is_priced,
            mid,
            is_asked,
            ask_e6,
            is_moved,
            moved,
        )

    def taken(self, order: Whole) -> Members:
        """The same in another order."""
        return replace(self, **{field.name: getattr(self, field.name)[order] for field in fields(self) if field.name != "series"})  # fmt: skip


def siblings(at: Instants, held: Members) -> Columns:
    """Of each instant its market among its set; a market without a set, or alone in it, has no values but counts of 1."""
    place = held.series.exactly(at.market, at.as_of_us)
    found = {name: column.take(pa.array(place, mask=place < 0)) for name, column in _among(held).items()}
    return found | {name: found[name].fill_null(1) for name in ("siblings", "siblings_live")}


def _among(held: Members) -> Columns:
    """Of each member what its set adds up to, the rank of its mid, the best of the others, and how far they moved."""
    order = np.lexsort((-held.mid_e6x2, key(held.set_no, held.as_of_us, int(held.as_of_us.min(initial=0)))))
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return {name: column.take(pa.array(back)) for name, column in _in_sets(held.taken(order)).items()}


def _in_sets(held: Members) -> Columns:
    """The same of members that lie set by set, the highest mid first and those without one last."""
    is_first = np.roll(ends(held.set_no, held.as_of_us), 1)
    begins, mid = last_where(is_first), held.mid_e6x2

    def whole_set(terms: Any) -> Whole:
        sums = np.add.reduceat(terms.astype(np.int64), np.flatnonzero(is_first))
        found: Whole = sums[np.cumsum(is_first) - 1]
        return found

    count, movers, moved = whole_set(np.ones(mid.size)), whole_set(held.is_moved), whole_set(held.moved_e6x2)
    is_best, second = mid == mid[begins], np.where(count > 1, mid[np.minimum(begins + 1, mid.size - 1)], -1)
    other = np.where(held.is_priced & is_best, second, mid[begins])
    rank = last_where(is_first | (earlier(mid) != mid)) - begins + 1
    return {
        "siblings": pa.array(count), "siblings_live": pa.array(whole_set(held.is_live)),
        "sibling_mids": pa.array(whole_set(held.is_priced)), "sibling_mid_e6x2": pa.array(whole_set(mid * held.is_priced)),
        "sibling_asks": pa.array(whole_set(held.is_asked)), "sibling_ask_e6": pa.array(whole_set(held.ask_e6)),
        "sibling_rank": given(rank, held.is_priced), "best_other_e6x2": given(other, other >= 0),
        "others_moved_e6x2": given(moved - held.moved_e6x2, movers > held.is_moved),
    }  # fmt: skip
