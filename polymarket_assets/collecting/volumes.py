"""Volume counted once.

Every trade has two sides. `trades` holds the taker's only: the stream says nothing of makers, and the Data API is
asked for takers (PROTOCOL 6.3: makers' rows, most of them of the other token, would double it). So dollars are
summed as they stand, and no token is left out. Buying the second outcome is selling the first, which decides the flow.
"""

from __future__ import annotations

import pyarrow as pa

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake


def one_sided(lake: Lake, span: Span) -> pa.Table:
    """Volume of each market traded within a span, by the clock of `traded_at`.

    Columns: `market_id`, `trades`, `usd_e6` and `size_e6` (takers' dollars and shares), `towards_usd_e6` and
    `against_usd_e6` (of these dollars, for and against the first outcome), all int64; in order of `usd_e6`, largest first.
    """
    with queries.over(lake, trades=span) as connection:
        return connection.sql(_ONE_SIDED, params={"start": span.start, "end": span.end}).to_arrow_table()


_ONE_SIDED = """
select market_id, count(*) as trades, sum(usd_e6)::bigint as usd_e6, sum(size_e6)::bigint as size_e6,
    coalesce(sum(usd_e6) filter (is_buy = (outcome_index = 0)), 0)::bigint as towards_usd_e6,
    coalesce(sum(usd_e6) filter (is_buy <> (outcome_index = 0)), 0)::bigint as against_usd_e6
from trades where traded_at >= $start and traded_at < $end
group by market_id order by usd_e6 desc, market_id
"""
