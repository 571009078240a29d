"""When nobody was heard, as SQL over the lake: signs of life of the streamers, whose markets they stand for, gaps and silences.

A trade is a sign of life of the shard that heard it, and so of every market which that shard carries. Whatever counts of shards
there were one after the other, a market is judged by those that carried it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from polymarket_assets import shards
from polymarket_assets.lake.spans import Span
from polymarket_assets.learning.evidence import grid
from polymarket_assets.learning.evidence.listening import ALIVE_US

if TYPE_CHECKING:
    import duckdb

# Longer silences of all markets that the same shards carry are gaps: nobody may have listened.
ALIVE = timedelta(microseconds=ALIVE_US)
# Signs are looked at minute by minute.
MINUTE = timedelta(minutes=1)
_US = timedelta(microseconds=1)


def signs(span: Span) -> str:
    """The first trade of any market in each minute, by the shard that heard it: shard, minute, first_us; null: one that carries every market.

    Rows of `trades`, which stand in for messages that were removed, do not say who heard them, and count for all.
    """
    within = f"received_at >= '{span.start.isoformat()}' and received_at < '{span.end.isoformat()}'"
    minute = f"epoch_us(received_at) // {MINUTE // _US}"
    return f"""
        select {shards.OF_SESSION} as shard, minute, min(first_us) as first_us from (
            select session_id, {minute} as minute, min(epoch_us(received_at)) as first_us from trades_raw where {within} group by all
            union all
            select null, {minute}, min(epoch_us(received_at)) from trades where {within} and source <> 'rest' group by all
        ) group by all
    """


def add_carried(connection: duckdb.DuckDBPyConnection) -> None:
    """`carried`: the markets of each shard that heard something or had a gap, where several shared them."""
    named, markets = (
        [one for (one,) in connection.execute(f"select distinct {what}").fetchall()]
        for what in (
            f"shard from (select shard from signs union select {shards.OF_GAP} from stream_gaps where market_id is null) where shard is not null",
            "market_id from numbered",
        )
    )  # fmt: skip
    connection.register("carried", shards.carried(markets, named))


# Markets that the same shards carry have one share of what is heard: share, m, carriers. Where nobody shared them there is one
# share, of the market null, which stands for all.
SHARES = """
    select dense_rank() over (order by carriers) as share, m, carriers from (
        select m, coalesce(list(shard order by shard) filter (shard is not null), []) as carriers
        from numbered left join (select shard, market_id from carried semi join signs using (shard)) using (market_id) group by m
    ) where exists (from signs where shard is not null)
    union all
    select 0, null, []::varchar[] where not exists (from signs where shard is not null)
"""

# The first sign of life of each share in each minute: share, first_us.
ALIVE_BY_SHARE = """
    select share, min(first_us) as first_us from (select distinct share, carriers from shares) join signs
    on shard is null or list_contains(carriers, shard) group by share, minute
"""


def deaf(span: Span) -> str:
    """Gaps of markets; one without a market is taken for one of its whole shard, and a silence for one of its share: which of them it made deaf only the streamer knew."""
    longest_us = (ALIVE + MINUTE) // _US
    return f"""
        select m, epoch_us(from_at) as from_us, epoch_us(to_at) as to_us from stream_gaps join numbered using (market_id)
        union all
        select null, epoch_us(from_at), epoch_us(to_at) from stream_gaps where market_id is null and {shards.OF_GAP} is null
        union all
        select m, from_us, to_us from carried join numbered using (market_id) join (
            select {shards.OF_GAP} as shard, epoch_us(from_at) as from_us, epoch_us(to_at) as to_us from stream_gaps where market_id is null
        ) using (shard)
        union all
        select m, since_us, first_us from (
            select share, lag(first_us, 1, {grid.us(span.start)}) over (partition by share order by first_us) as since_us, first_us from alive
        ) join shares using (share) where first_us - since_us > {longest_us}
    """
