"""Groups: markets whose outcomes depend on each other, and when the last of each was over (ML.md 2.4).

A row of features names one key of its market (`game:…`, else `neg_risk:…`, `event:…`, `market:…`) from its own ids only. Here
markets are joined over all rows, and over all that was known of markets, through every id they have; those that no game id tells apart also
where they ask the same question of one day. A group is named after the smallest of its keys.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.learning.components import joined
from polymarket_assets.learning.questions import same_question

if TYPE_CHECKING:
    import duckdb

# A market that closed so long ago, or was last heard of, and has no label will not get one.
GIVEN_UP = timedelta(days=30)
# A week of ends is a fair sample when this share of its groups have ended (ML.md 2.4), rounded down so that one may always be
# missing: by deadline, YES comes early. Groups due within the last days are not missed yet: two hours of challenge and the days
# a dispute takes.
COMPLETE = 0.98
MISSED_AFTER = timedelta(days=3)
# Of data shorter than eight weeks an eighth stands for a week, as embargoes shrink with them.
WEEK_US, WEEKS_AT_LEAST = 7 * 86_400_000_000, 8

_MEMBERS = pa.schema([("market_id", pa.string()), ("joined_id", pa.string())])


def make(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Of the relations `judged` and `newest` the relation `members` (market_id, joined_id) and temp table `overs` (joined_id, group_over_at, week_complete_at: null where it is not)."""
    connection.execute(f"create temp table there as {_THERE}", {"now": now})
    found = joined(
        (market_id, [*filter(None, keys), *filter(None, [None if game else same_question(question, ends)])])
        for market_id, keys, game, question, ends in connection.execute(_KEYS).fetchall()
    )
    connection.register(
        "members", pa.table({"market_id": list(found), "joined_id": list(found.values())}, schema=_MEMBERS)
    )
    connection.execute(f"create temp table overs as {_OVERS}", {"now": now})


# What is known of each market: a row of features, its newest metadata, and what was fetched when it had closed.
_THERE = """
    select market_id, event_id, null as neg_risk_id, case when group_id like 'game:%' then group_id[6:] end as game_id, group_id, null as question,
        scheduled_end, null::timestamptz as closed_at, as_of as seen_at
    from judged
    union all by name
    select market_id, event_id, neg_risk_id, game_id, question, effective_close as scheduled_end, case when phase = 'closed' then received_at end as closed_at, received_at as seen_at
    from markets where received_at <= $now qualify row_number() over (partition by market_id order by received_at desc) = 1
    union all by name
    select market_id, event_id, neg_risk_id, game_id, question, effective_close as scheduled_end, closed_at, closed_at as seen_at
    from history_markets where closed_at <= $now
"""

_KEYS = """
    select distinct market_id, [group_id, 'event:' || event_id, 'neg_risk:' || neg_risk_id, 'game:' || game_id], max(game_id) over (partition by market_id), question, scheduled_end
    from there order by market_id
"""

# A market is over with its label, or when it was seen that it gets none (what is imported is seen late), not before it was due; without one, a while after it closed or was last heard of. One that is not leaves its
# group open: early ends among siblings of which others still trade tell of the outcome.
_OVERS = f"""
    with markets_of as (
        select market_id, max(scheduled_end) as ends, min(closed_at) as closed_at, max(seen_at) as seen_at from there group by market_id
    ), ended as (
        select market_id, ends, case when state not in ('open', 'proposed', 'disputed') then coalesce(label_seen_at, resolved_at, least(newest.seen_at, closed_at + interval {GIVEN_UP.days} days))
            when closed_at is not null then closed_at + interval {GIVEN_UP.days} days
            when greatest(m.seen_at, ends) < $now - interval {GIVEN_UP.days} days then greatest(m.seen_at, ends) + interval {GIVEN_UP.days} days end as over_at,
            coalesce(state not in ('open', 'proposed', 'disputed'), false) as is_known
        from markets_of m left join newest using (market_id)
    ), grouped as (
        select joined_id, case when count(over_at) = count(*) then max(greatest(over_at, ends)) end as group_over_at,
            max(ends) as due_at, case when bool_and(is_known) then max(over_at) end as known_at
        from ended join members using (market_id) group by joined_id
    ), cut as (
        select greatest(least({WEEK_US}, (max(epoch_us(as_of)) - min(epoch_us(as_of))) // {WEEKS_AT_LEAST}), 1) as week_us from judged
    ), weeks as (
        select epoch_us(due_at) // week_us as week, list_sort(list(known_at) filter (known_at is not null)) as known, floor({COMPLETE} * count(*))::bigint as wanted
        from grouped cross join cut semi join (select distinct joined_id from judged join members using (market_id)) using (joined_id)
        where due_at < $now - interval {MISSED_AFTER.days} days group by week
    )
    select joined_id, group_over_at, case when coalesce(wanted, 0) = 0 then due_at else known[wanted] end as week_complete_at
    from grouped cross join cut left join weeks on week = epoch_us(due_at) // week_us
"""
