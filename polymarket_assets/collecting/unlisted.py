"""Markets that no listing shows and that matter all the same: each is looked up by its id.

- *Vanished*: followed, and in no complete listing. Postponed beyond the lookahead, gone small, or over: the venue says which.
- *Announced*: the stream said that they are new.
- *Hidden*: a game ends by its start, while its `endDate` lies from half a day before to a week after (PROTOCOL section
  3); small ones are listed by neither walk though their end is near. The census knows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from polymarket_assets.collecting import queries
from polymarket_assets.collecting.walking import ANY_VOLUME_WITHIN
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

# Most vanished markets looked up in one run, twice twenty requests; where there are more they take turns.
LOOKED_UP = 2_000
TURN = timedelta(minutes=10)
# An announced market is looked up by the next discovery, and by the one after should that fail: the venue makes some fifty in ten minutes.
ANNOUNCED_WITHIN = timedelta(minutes=20)
LOOKED_UP_NEW = 500
# Small games on a Saturday, half a day around their end.
LOOKED_UP_HIDDEN = 2_000


def turn(vanished: Collection[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """The rows whose turn it is: all of them, or every n-th, each within n discoveries; the latest ends first."""
    ordered = sorted(vanished, key=lambda row: row["effective_close"] or row["received_at"], reverse=True)
    turns = max(1, -(-len(ordered) // LOOKED_UP))
    return ordered[int(now.timestamp() // TURN.total_seconds()) % turns :: turns]


def announced(lake: Lake, ids: Collection[str], now: datetime) -> list[str]:
    """Condition ids of `new_market` messages of late of markets not in `ids`, the newest first."""
    since = now - ANNOUNCED_WITHIN
    with queries.over(lake, market_events=Span(since, now + timedelta.resolution)) as connection:
        found = connection.execute(_ANNOUNCED, {"since": since}).fetchall()
    return [id_ for (id_,) in found if f"pm:{id_}" not in ids][:LOOKED_UP_NEW]


_ANNOUNCED = """
select condition_id from market_events where kind = 'new_market' and received_at > $since and condition_id is not null
group by 1 order by max(received_at) desc
"""


def hidden(lake: Lake, ids: Collection[str], now: datetime) -> list[str]:
    """Condition ids of open markets of the census near their end that are not in `ids`, the nearest first."""
    near = {"now": now, "from": now - ANY_VOLUME_WITHIN, "to": now + ANY_VOLUME_WITHIN}
    with queries.over(lake, census=None) as connection:
        found = connection.execute(_HIDDEN, near).fetchall()
    return [condition_id for market_id, condition_id in found if market_id not in ids][:LOOKED_UP_HIDDEN]


_HIDDEN = """
with near as (select distinct market_id from census where effective_close between $from and $to),
newest as (
    select * from census semi join near using (market_id) where received_at <= $now
    qualify row_number() over (partition by market_id order by received_at desc) = 1
)
select market_id, condition_id from newest
where fate = 'open' and why_not is distinct from 'no book' and condition_id is not null
    and effective_close between $from and $to
order by abs(epoch(effective_close - $now::timestamptz)), market_id
"""
