"""Trades as heard, once each, however often, on whatever sockets and in whatever order they came.

The venue sends one message per settlement transaction and token, from the taker's side (PROTOCOL 8.4), so messages
equal in transaction, token, side, price and size are copies: of another socket, of a connection made anew, or
delivered twice. Messages that differ in price or size are several fills.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import HOUR, Span
from polymarket_assets.lake.writing import Lake

# A message dated farther than this from its receipt (0.09 s is usual) tells nothing about the match: it is filed by its
# receipt. As far lie the files that a build of an hour looks into, so that all builds see the same copies.
MISDATED = timedelta(hours=1)

# Of the neighbouring hours, matches this near: their blocks may lie in the hour (two seconds later is usual).
NEAR = timedelta(minutes=15)


def heard_around(lake: Lake, span: Span) -> list[dict[str, Any]]:
    """Trades as heard in the hour and near it, once each, by the first copy, in order of `matched_at`, which files them.

    Columns are those of `trades_raw`, with `tx_hash` standing in where `real_hash` is null, and `n` numbering the
    messages of one transaction, token and side.
    """
    near = {"start": span.start - NEAR, "end": span.end + NEAR}
    with queries.over(lake, trades_raw=_around(span)) as connection:
        rows: list[dict[str, Any]] = connection.sql(_HEARD, params=near).to_arrow_table().to_pylist()
    return rows


def _around(span: Span) -> Span:
    return Span(span.start - HOUR, span.end + HOUR)


def heard_by_hour(lake: Lake, span: Span) -> dict[datetime, int]:
    """Rows of `trades_raw` by the hour of their match, every copy counted."""
    with queries.over(lake, trades_raw=_around(span)) as connection:
        return dict(connection.sql(f"select date_trunc('hour', {MATCHED_AT}), count(*) from trades_raw group by all").fetchall())  # fmt: skip


# The instant of a row's match: what files it.
MATCHED_AT = f"""case when abs(epoch_us(received_at) - epoch_us(venue_at)) <= {MISDATED // timedelta.resolution}
then venue_at else received_at end"""

# A trade without a transaction is named by what is known of it, in as many bytes.
_HEARD = f"""
with dated as (
    select *, {MATCHED_AT} as matched_at from trades_raw
), named as (
    select * exclude (tx_hash), tx_hash as real_hash,
        coalesce(tx_hash, unhex(sha256(concat_ws(':', market_id, epoch_us(venue_at), price_e6, size_e6)))) as tx_hash
    from dated
), once as (
    select * from named
    qualify row_number() over (
        partition by market_id, tx_hash, token_id, is_buy, price_e6, size_e6
        order by received_at, session_id, connection, sequence
    ) = 1
)
select *, row_number() over (partition by tx_hash, token_id, is_buy order by price_e6, size_e6, market_id) - 1 as n
from once
qualify matched_at >= $start and matched_at < $end
order by matched_at, tx_hash, token_id, is_buy, n
"""
