"""What of the past a lake holds, by source and category: markets, labels, rows, and over which days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from polymarket_assets.lake import reading
from polymarket_assets.lake.writing import Lake

_SERIES = ("history_prices", "history_books", "history_trades")


@dataclass(frozen=True)
class Counted:
    """One source and category; a market that several sources have counts in each."""

    source: str
    category: str | None
    markets: int
    labelled: int
    # Share of the labelled whose canonical outcome won; None where none is labelled.
    won: float | None
    prices: int
    books: int
    trades: int
    first_close: date
    last_close: date


@dataclass(frozen=True)
class Census:
    """The past, source by source; `distinct` markets and how many of them have a label."""

    rows: tuple[Counted, ...]
    distinct: int
    labelled: int


def census(lake: Lake) -> Census:
    """Count what the lake holds of closed markets, imported or fetched.

    Raises:
        DamagedFile, SchemaMismatch: a file of the lake cannot be read.
    """
    with reading.connected(lake) as connection:
        rows = connection.execute(_BY_SOURCE).fetchall()
        ((distinct, labelled),) = connection.execute(_DISTINCT).fetchall()
    return Census(tuple(Counted(*row) for row in rows), distinct, labelled)


_NEWEST = """
    select market_id, label from resolutions qualify row_number() over (partition by market_id order by version desc, seen_at desc) = 1
"""

_BY_SOURCE = f"""
    with newest as ({_NEWEST}),
    {", ".join(f"{table}_rows as (select market_id, source, count(*) as n from {table} group by market_id, source)" for table in _SERIES)}
    select m.source, m.category, count(*), count(label), avg(label),
        {", ".join(f"coalesce(sum({table}_rows.n), 0)::bigint" for table in _SERIES)}, min(close_day), max(close_day)
    from history_markets m left join newest using (market_id)
    {" ".join(f"left join {table}_rows on {table}_rows.market_id = m.market_id and {table}_rows.source = m.source" for table in _SERIES)}
    group by m.source, m.category order by m.source, count(*) desc
"""

_DISTINCT = f"""
    select count(*), count(label) from (select distinct market_id from history_markets) left join ({_NEWEST}) using (market_id)
"""
