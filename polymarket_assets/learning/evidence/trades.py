"""Trades as they had been heard: sums over windows that end at the instant, as differences of sums since the beginning.

A trade counts when it was received before the instant, strictly. Sums are of whole millionths: their differences are exact
in whatever order they were added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from polymarket_assets.learning.evidence.moves import US
from polymarket_assets.learning.evidence.sums import Sums, Whole, one_sidedness, whole
from polymarket_assets.learning.features.flow import (
    LEAST_HEARD,
    VPIN_BUCKETS,
    VPIN_LEAST_TRADES,
    WHALE_USD,
    WINDOWS_S,
)
from polymarket_assets.learning.features.volatility import DAY_S

if TYPE_CHECKING:
    import duckdb

# Somebody listens while of any market a trade was heard this recently.
ALIVE_US = 900 * US
# No trade is worth more: sums of so many stay within 64 bits.
MOST_USD_E6 = 10**14
# SQL, of a trade of either outcome: its dollars, and the same for or against the canonical one, in millionths.
# Sizes whose product fits 64 bits, all there are in practice, take a sixth of the time.
_PLAIN_SIZE_E6 = 9 * 10**12
USD_E6 = f"""case when size_e6 < {_PLAIN_SIZE_E6} then least(price_e6::bigint * size_e6 // 1000000, {MOST_USD_E6})
    else least((price_e6::hugeint * size_e6) // 1000000, {MOST_USD_E6})::bigint end"""
SIGNED_E6 = "case when is_buy = (outcome_index = 0) then usd_e6 else -usd_e6 end"

_DAY_US = DAY_S * US


def take(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The relation `dealt_once`: trades of the markets of rows, without copies, in order of market and receipt; returned, too."""
    found = connection.sql(
        "select m, at_us, usd_e6, signed_e6, is_known, copy_of from dealt semi join placed using (m)"
    ).to_arrow_table()
    kept = found.take(pa.array(_order(found))).drop_columns(["copy_of"])
    connection.register("dealt_once", kept)
    return kept


def _order(found: pa.Table) -> Whole:
    """Where the first of all copies of each trade stands, by market, receipt and size."""
    market, at, usd, copy = (whole(found, name) for name in ("m", "at_us", "usd_e6", "copy_of"))
    order = np.lexsort((usd, at, market))
    _, first = np.unique(copy[order], return_index=True)
    return order[np.sort(first)]


def make(connection: duckdb.DuckDBPyConnection, once: pa.Table) -> None:
    """Temp tables `listened` and `flow`, by row `n`: rows of markets that nobody listened to are in neither."""
    connection.execute(f"create or replace temp table listened as {_LISTENED}")
    listened = connection.sql("select n, m, as_of_us from listened order by n").to_arrow_table()
    connection.register("summed", _summed(listened, once))
    connection.execute(f"create or replace temp table flow as {_FLOW}")
    connection.unregister("summed")


def _summed(listened: pa.Table, dealt: pa.Table) -> pa.Table:
    """Of each row, what had been received before it, strictly, and since each window began."""
    market, as_of_us, usd, signed = (
        whole(listened, "m"),
        whole(listened, "as_of_us"),
        whole(dealt, "usd_e6"),
        whole(dealt, "signed_e6"),
    )
    is_large = usd >= WHALE_USD * US
    sums = Sums.over(dealt, {
        "trades": np.ones(usd.size, dtype=np.int64), "usd_e6": usd, "signed_e6": signed, "whale_e6": usd * is_large,
        "whale_signed_e6": signed * is_large, "known_sides": whole(dealt, "is_known"),
    })  # fmt: skip
    now = sums.before(market, as_of_us)
    found = {"n": listened["n"], "last_us": sums.last_us(now, market)}
    for window, seconds in WINDOWS_S.items():
        since = sums.before(market, as_of_us - seconds * US)
        found |= {f"{name}_{window}_of": sums.between(name, since, now) for name in sums.of}
    many = np.flatnonzero((found["trades_24h_of"] >= VPIN_LEAST_TRADES) & (found["usd_e6_24h_of"] > 0))
    vpin = np.full(now.size, np.nan)
    vpin[many] = one_sidedness(sums.of["usd_e6"], sums.of["signed_e6"], since[many], now[many], VPIN_BUCKETS)
    return pa.table({**found, "vpin_24h_all": pa.array(vpin, from_pandas=True)})


def _windows() -> str:
    """The sums of windows that were listened to for long enough; others are null."""
    names = ("trades", "usd_e6", "signed_e6", "whale_e6", "whale_signed_e6", "known_sides")
    found = []
    for window, seconds in WINDOWS_S.items():
        is_heard = f"unheard_us_{window} <= {round((1 - LEAST_HEARD[window]) * seconds * US)}"
        found += [f"case when {is_heard} then {name}_{window}_of end as {name}_{window}" for name in names]
        if window == "24h":
            found.append(f"case when {is_heard} then vpin_24h_all end as vpin_24h_of")
    return ", ".join(found)


_FLOW = f"""
    select l.n, l.m, {_windows()}, unheard_us_1h / 3600e6 as unheard_1h_of, unheard_us_24h / {_DAY_US}.0 as unheard_24h_of,
        case when trades_24h is not null then as_of_us - greatest(last_us, since_us, as_of_us - {_DAY_US}) end as traded_us_ago
    from listened l join summed using (n)
"""


def _deaf_before(back_us: int) -> str:
    """Time of gaps before a window, or listening, begins: of gaps over by then, and of one that was on its way and is over by the row's instant."""
    at = f"greatest(h.as_of_us - {back_us}, h.since_us)"
    return f"""
        select h.n, g.before_us + case when g.to_us <= h.as_of_us then least(g.to_us, {at}) - g.from_us else 0 end as deaf_us
        from hearing h asof join gaps g on h.m = g.m and {at} >= g.from_us
    """


# A gap is known when it is over; of one, that part counts which lies after all that were known before it. Of a window, that part is
# not heard which lies before listening began, or in a gap; before a market was listed there was nothing to hear.
_LISTENED = f"""
    with hearing as (
        select p.n, p.m, p.as_of_us, coalesce(h.since_us, d.since_us) as since_us, coalesce(epoch_us(l.first_known_at), 0) as began_us
        from placed p join lives l using (life) join day d on p.m = d.m and p.quoted_us = d.quoted_us left join heard h on p.m = h.m
        asof left join alive a on p.as_of_us >= a.first_us
        where d.is_listened and p.as_of_us - a.first_us <= {ALIVE_US} or p.as_of_us >= h.since_us
    ), parts as (
        select m, greatest(from_us, coalesce(max(to_us) over (partition by m order by to_us, from_us rows between unbounded preceding and 1 preceding), from_us)) as from_us, to_us
        from deaf semi join hearing using (m)
    ), gaps as materialized (
        select *, coalesce(sum(to_us - from_us) over (partition by m order by from_us rows between unbounded preceding and 1 preceding), 0)::bigint as before_us
        from parts where from_us < to_us
    ), now as ({_deaf_before(0)}), {
    ", ".join(f"deaf_{name} as ({_deaf_before(seconds * US)})" for name, seconds in WINDOWS_S.items())
}
    select h.*, {
    ", ".join(
        f'''least({seconds * US}, greatest(0, since_us - greatest(began_us, as_of_us - {seconds * US}))
        + coalesce(now.deaf_us, 0) - coalesce(deaf_{name}.deaf_us, 0)) as unheard_us_{name}'''
        for name, seconds in WINDOWS_S.items()
    )
}
    from hearing h left join now using (n) {
    " ".join(f"left join deaf_{name} using (n)" for name in WINDOWS_S)
}
"""
