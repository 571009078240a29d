"""The training set: feature rows with their label and weight, and a census of what was left out and why.

Rows are chosen by their instant and their *scheduled* end, never by when they actually ended (ML.md 0, 2.4, 2.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from polymarket_assets.lake import TABLES, reading
from polymarket_assets.lake.writing import Lake, Written, conform
from polymarket_assets.learning import ends, groups
from polymarket_assets.learning.evidence import grid
from polymarket_assets.learning.evidence.history import ONE_PRICE_SOURCES

# Siblings count as live at an instant when they have a row in the day before it, kept or not: whether they get
# a label is known later and must not weigh.
SIBLINGS_BACK = "interval 24 hours"

# Why a row is left out, beside `censored`: the first reason that holds; `kept` otherwise.
_REASONS: tuple[tuple[str, str], ...] = (
    ("duplicate", "repeated > 1"),
    ("no_label", "state is null or state = 'open'"),
    ("not_final", "state in ('proposed', 'disputed')"),
    ("split", "state = 'split'"),
    ("annulled", "state = 'annulled'"),
    ("ambiguous", "state = 'ambiguous' or label is null or label_seen_at is null"),
    ("label_later", "label_seen_at > $now"),
    ("not_due", "scheduled_end > $now"),
    ("decided", "as_of >= known_end"),
    ("no_mid", "mid is null"),
)


@dataclass(frozen=True)
class TrainingSet:
    """Rows in the `training_set` schema, and how many rows of `features` went where, by reason."""

    rows: pa.Table
    census: dict[str, int]


def build(lake: Lake, *, now: datetime) -> TrainingSet:
    """The training set as it could be built at `now`."""
    with reading.connected(lake) as connection:
        connection.execute(f"create temp table newest as {ends.NEWEST}", {"now": now})
        connection.execute(f"create temp table judged as {_JUDGED}", {"now": now})
        groups.make(connection, now)
        connection.execute(_CENSOR)
        counted = connection.execute(
            "select fate, count(*) from judged group by fate order by fate"
        ).fetchall()
        found = connection.sql(_WEIGHTED).to_arrow_table()
    census = {"kept": 0, **dict(counted)}
    return TrainingSet(conform(TABLES["training_set"], found), census)


def publish(lake: Lake, built: TrainingSet) -> Written:
    """Publish a training set; it replaces the former one."""
    return lake.publish("training_set", built.rows, part="0")


def read(lake: Lake) -> pa.Table:
    """The rows of the published training set."""
    return reading.rows(lake, "training_set")


_ONE_PRICE = ", ".join(repr(source) for source in ONE_PRICE_SOURCES)

# A market of the venue may stand under the id of a dataset, too, and with one price beside a grid of them: once counts.
_JUDGED = f"""
    with named as (
        select market_id, any_value('pm:' || condition_id) as real_id from history_markets
        where condition_id is not null and market_id not like 'pm:%' group by market_id
    ), held as (
        select f.*, coalesce(n.real_id, f.market_id) as real_id from features f left join named n using (market_id)
        where f.as_of <= $now
    ), joined as (
        select f.*, r.state, r.label, r.version as label_version, r.label_seen_at, r.was_disputed, r.known_end,
            case when f.market_id <> real_id and bool_or(f.market_id = real_id) over (partition by real_id) then 2
                when f.source in ({_ONE_PRICE}) and bool_or(f.source not in ({_ONE_PRICE})) over (partition by real_id) then 2
                else row_number() over (partition by f.market_id, f.as_of order by f.source <> 'recorded', f.source) end as repeated
        from held f left join newest r using (market_id)
    )
    select *, case {" ".join(f"when {holds} then '{reason}'" for reason, holds in _REASONS)} else 'kept' end as fate
    from joined
"""

# Of a week of which many have not ended, those that have are no fair sample.
_CENSOR = """
    update judged set fate = 'censored' where fate = 'kept'
        and market_id in (select market_id from members join overs using (joined_id) where week_complete_at is null)
"""

# Planned rows: of the life as it was planned at the instant; a source of one price planned one.
_LIFE_H = "(exp(age_h) - 1 + horizon_h)"
_PLANNED = f"case when source in ({_ONE_PRICE}) then 1 else {grid.planned_rows(_LIFE_H)} end"

# The sum is exact: of floating-point numbers it would depend on the order in which threads come, and a repeated run give other rows.
_WEIGHTED = f"""
    with grouped as (
        select * exclude (group_id), joined_id as group_id from judged join members using (market_id) join overs using (joined_id)
    ), shared as (
        select *, 1.0 / ({_PLANNED}) / count(distinct market_id) over (
            partition by group_id order by as_of range between {SIBLINGS_BACK} preceding and current row
        ) as share from grouped
    ), kept as (
        from shared where fate = 'kept'
    )
    select {", ".join(name for name in TABLES["training_set"].names if name != "weight")},
        share * (select count(distinct group_id) from kept) / sum(share::decimal(38, 20)) over ()::double as weight
    from kept order by market_id, as_of
"""
