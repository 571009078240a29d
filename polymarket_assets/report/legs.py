"""The prices of an event's markets side by side, and their sums over time. DuckDB over `quotes` and `shown` of `sources`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from polymarket_assets.lake.spans import Span
from polymarket_assets.report.thinning import Rows

# Instants at which sums are taken: two of three pixels of a wide page.
_INSTANTS = 600
# Legs that come within this share of the picture came with the others.
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
    return rows


def added(rows: Rows, span: Span) -> dict[str, datetime]:
    """When more markets were priced than before, after the beginning of the picture: what, and when."""
    start = rows[0]["drawn_at"] + (span.end - span.start) * _AT_THE_START
    found: dict[str, datetime] = {}
    for before, after in zip(rows, rows[1:], strict=False):
        if after["legs"] > before["legs"] and after["drawn_at"] > start:
            found[f"{before['legs']} → {after['legs']} legs"] = after["drawn_at"]
    return found


def last(connection: Any) -> dict[str, dict[str, Any]]:
    """The newest price of each market."""
    return {row["market_id"]: row for row in connection.sql(_LAST).to_arrow_table().to_pylist()}


def short_names(titles: Mapping[str, str]) -> dict[str, str]:
    """Titles without the words that all share at either end, cut to a legible length, and told apart where equal."""
    words = {id_: title.split() for id_, title in titles.items()}
    front = len(os.path.commonprefix(list(words.values()))) if len(words) > 1 else 0
    back = len(os.path.commonprefix([w[front:][::-1] for w in words.values()])) if len(words) > 1 else 0
    named: dict[str, str] = {}
    for id_, parts in words.items():
        short = " ".join(parts[front : len(parts) - back]) or titles[id_]
        short = short if len(short) <= _NAME_CHARACTERS else f"{short[: _NAME_CHARACTERS - 1]}…"
        named[id_] = short if short not in named.values() else f"{short} ({id_[-6:]})"
    return named


_PRICED = """
create temp table priced as
select market_id, drawn_at, mid as price, bid, ask from quotes where mid is not null
union all select market_id, drawn_at, price, null, null from shown where market_id not in (select market_id from quotes)
"""

_TOTAL = f"""
with own as (
    select * from priced where list_contains($ids, market_id)
), instants as (
    select drawn_at, row_number() over (order by drawn_at) as n, count(*) over () as instants from (select distinct drawn_at from own)
), grid as (
    select drawn_at, market_id from instants cross join (select distinct market_id from own)
    where n = 1 or n = instants or n % (instants // {_INSTANTS} + 1) = 0
)
select g.drawn_at as drawn_at, sum(price) as total, count(price) as legs,
    case when count(bid) = count(price) then sum(bid) end as bids,
    case when count(ask) = count(price) then sum(ask) end as asks
from grid g asof left join own p on g.market_id = p.market_id and g.drawn_at >= p.drawn_at
group by g.drawn_at order by g.drawn_at
"""

_LAST = "select * from priced qualify row_number() over (partition by market_id order by drawn_at desc) = 1"
