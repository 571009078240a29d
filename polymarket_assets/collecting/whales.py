"""`trades` to `whale_events`: large orders of takers, the fills of each joined, beside what the market could bear.

An order is what one transaction settled of one token and side. Orders that the venue spreads over transactions stay
apart: neither the stream nor `trades` names the wallet that would join them.

Depth and volume are what we knew before the trade: of the newest snapshot received before it. A taker who buys the
first outcome or sells the second takes the asks of the canonical book, any other its bids; the share of the depth
is of dollars at that book's prices, whichever token was paid for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from polymarket_assets.collecting import queries
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake

# A whale anywhere: about one order in 700 of a minute of the whole venue in February 2026 (2,051 orders, 99.9 % below
# 5,353 dollars); one in 60 on a busy morning of October 2025.
ALWAYS_USD = 5_000
# A whale in its market: one order in 76 of that minute is as large, and of these only those count that take a quarter
# of the dollars within five cents of the best price, or make a twentieth of a day's volume at once.
AT_LEAST_USD = 500
DEPTH_SHARE = 0.25
DAY_VOLUME_SHARE = 0.05
# A book is sampled every minute where trades are streamed; an older one than two slots of T1 is not the book that was hit.
BOOK_KNOWN_FOR = timedelta(minutes=10)
# The volume of a day changes slowly, and a market of T0 is sampled hourly.
VOLUME_KNOWN_FOR = timedelta(hours=2)
# A trade that was not heard has the instant of its block, about two seconds after the book was hit.
BLOCK_AFTER = timedelta(seconds=5)
# One part holds the hour: built again, it is replaced.
PART = "hour"


@dataclass(frozen=True)
class WhalesReport:
    """Orders of an hour, and the large ones among them; of these, with a book and with a volume known before."""

    orders: int
    whales: int
    usd: float
    with_depth: int
    with_volume: int
    bytes: int


def build_whales(lake: Lake, hour: datetime) -> WhalesReport:
    """Build `whale_events` of an hour from its trades.

    Raises:
        LakeUnwritable: nothing was written.
    """
    span = Span.hour(hour)
    known = Span(span.start - VOLUME_KNOWN_FOR - HOUR, span.end)
    with queries.over(lake, trades=span, snapshots=known) as connection:
        connection.execute(_ORDERS, {"block_after": BLOCK_AFTER})
        (orders,) = connection.execute("select count(*) from orders").fetchall()
        rows = connection.sql(_WHALES, params=_THRESHOLDS).to_arrow_table()
    rows = rows.select(TABLES["whale_events"].names)
    written = lake.publish("whale_events", rows, part=PART, at=span.start)
    return WhalesReport(
        orders=orders[0],
        whales=rows.num_rows,
        usd=sum(rows.column("usd_e6").to_pylist()) / 1e6,
        with_depth=rows.num_rows - rows.column("depth_share").null_count,
        with_volume=rows.num_rows - rows.column("day_volume_share").null_count,
        bytes=written.bytes,
    )


_THRESHOLDS = {
    "always": ALWAYS_USD * 1_000_000,
    "least": AT_LEAST_USD * 1_000_000,
    "depth": DEPTH_SHARE,
    "volume": DAY_VOLUME_SHARE,
    "book_for": BOOK_KNOWN_FOR,
    "volume_for": VOLUME_KNOWN_FOR,
}

_ORDERS = """
create temp table orders as
select
    lower(hex(coalesce(tx_hash, trade_id))) || ':' || token_id || ':' || if(is_buy, 'B', 'S') as event_id,
    min(traded_at) as traded_at, any_value(market_id) as market_id, any_value(outcome_index) as outcome_index, is_buy,
    count(*)::int as fills, sum(price_e6::hugeint * size_e6)::double / sum(size_e6) / 1e6 as price,
    sum(usd_e6)::bigint as usd_e6,
    sum(if(outcome_index = 0, price_e6, 1000000 - price_e6)::hugeint * size_e6)::double / 1e12 as canonical_usd,
    min(if(source = 'rest', traded_at - $block_after, least(traded_at, received_at))) as before
from trades group by coalesce(tx_hash, trade_id), token_id, is_buy
"""

# An as-of join takes the newest snapshot received before; how old it may be is asked afterwards.
_WHALES = """
with measured as (
    select o.*,
        case when s.received_at >= o.before - $book_for then
            o.canonical_usd / nullif(if(o.is_buy = (o.outcome_index = 0), s.ask_depth_5c_usd, s.bid_depth_5c_usd), 0)
        end as depth_share,
        case when s.received_at >= o.before - $volume_for then o.usd_e6 / 1e6 / nullif(s.volume_24h_usd, 0) end
            as day_volume_share
    from orders o asof left join snapshots s on o.market_id = s.market_id and o.before > s.received_at
    where o.usd_e6 >= $least
)
select * from measured
where usd_e6 >= $always or depth_share >= $depth or day_volume_share >= $volume
order by traded_at, event_id
"""
