"""The prices of an event's markets side by side, and their sums over time. DuckDB over `quotes` and `shown` of `sources`."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from polymarket_assets.report.thinning import Rows

# Slices of time of which a sum is taken at their last instant: two of three pixels of a wide page. The prices of a set come
# one after the other, so that sums between them are of half a set.
_SLICES = 600
# Legs that come within this share of the time came with the others.
_AT_THE_START = 0.03
# A legend of longer names covers its chart.
_NAME_CHARACTERS = 44


def prepare(connection: Any) -> None:
    """Make `priced`: market_id, drawn_at, price (mid, else displayed), bid, ask."""
    connection.execute(_PRICED)


def by_size(connection: Any, market_ids: Sequence[str], volumes: Mapping[str, float | None]) -> list[str]:
    """Markets that have prices: by volume where it is known, then by the highest price they had."""
    highest = dict(connection.execute("select market_id, max(price) from priced group by 1").fetchall())
    return sorted(
        (id_ for id_ in market_ids if id_ in highest), key=lambda id_: (-(volumes[id_] or 0.0), -highest[id_], id_)
    )  # fmt: skip


def draw(connection: Any, market_ids: Sequence[str]) -> None:
    """Make `drawn`: the prices of these markets."""
    connection.execute("create temp table drawn as select * from priced where list_contains($ids, market_id)", {"ids": list(market_ids)})  # fmt: skip


def total(connection: Any, market_ids: Sequence[str]) -> Rows:
    """At some instants the sum of these markets' last prices, of their bids and asks where all have one, and how many are priced."""
    rows: Rows = connection.sql(_TOTAL, params={"ids": list(market_ids)}).to_arrow_table().to_pylist()
    start = (
        rows[0]["drawn_at"] + (rows[-1]["drawn_at"] - rows[0]["drawn_at"]) * _AT_THE_START if rows else None
    )
    whole = max((row["legs"] for row in rows if row["drawn_at"] <= start), default=0)
    return [row for row in rows if row["legs"] >= whole]


def added(rows: Rows) -> dict[str, datetime]:
    """When more markets were priced than before: what, and when."""
    found: dict[str, datetime] = {}
    for before, after in itertools.pairwise(rows):
        if after["legs"] > before["legs"]:
            found[f"{before['legs']} → {after['legs']} legs"] = after["drawn_at"]
    return found


def last(connection: Any) -> dict[str, dict[str, Any]]:
    """The newest price of each market."""
    return {row["market_id"]: row for row in connection.sql(_LAST).to_arrow_table().to_pylist()}


def short_names(titles: Mapping[str, str]) -> dict[str, str]:
    """Titles without the words that all share at either end, cut to a legible length, and told apart where equal."""
    words = {id_: title.split() for id_, title in titles.items()}
    front = _shared(list(words.values()))
    back = _shared([parts[front:][::-1] for parts in words.values()])
    named: dict[str, str] = {}
    for id_, parts in words.items():
        short = " ".join(parts[front : len(parts) - back]) or titles[id_]
        short = short if len(short) <= _NAME_CHARACTERS else f"{short[: _NAME_CHARACTERS - 1]}…"
        named[id_] = short if short not in named.values() else f"{short} ({id_[-6:]})"
    return named


def _shared(parts: Sequence[Sequence[str]]) -> int:
    """How many words all begin with; none where there is only one."""
    if len(parts) < 2:
        return 0
    return sum(1 for _ in itertools.takewhile(lambda words: len(set(words)) == 1, zip(*parts, strict=False)))


_PRICED = """
create temp table priced as
select market_id, drawn_at, mid as price, bid, ask from quotes where mid is not null
union all select market_id, drawn_at, price, null, null from shown where market_id not in (select market_id from quotes)
"""

_TOTAL = f"""
with own as (
    select * from priced where list_contains($ids, market_id)
), sliced as (
    select drawn_at, epoch_us(drawn_at) as us, min(us) over () as first_us, max(us) over () as last_us from own
), instants as (
    select max(drawn_at) as drawn_at from sliced group by (us - first_us) * {_SLICES} // greatest(last_us - first_us, 1)
), grid as (
    select drawn_at, market_id from instants cross join (select distinct market_id from own)
)
select g.drawn_at as drawn_at, sum(price) as total, count(price) as legs,
    case when count(bid) = count(price) then sum(bid) end as bids,
    case when count(ask) = count(price) then sum(ask) end as asks
from grid g asof left join own p on g.market_id = p.market_id and g.drawn_at >= p.drawn_at
group by g.drawn_at order by g.drawn_at
"""

_LAST = "select * from priced qualify row_number() over (partition by market_id order by drawn_at desc) = 1"
