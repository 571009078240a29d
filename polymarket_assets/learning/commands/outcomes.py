"""Outcomes of scored rows, by the rules of the training set, and which of them the model may have learnt from.

Rows of `features` get label, weight and group from the training set that the lake gives now: what it leaves out is left out. Rows of
an instant stand in no training set; they are held to the same rules (final and labelled, due by their scheduled end, before the result was
known) and weigh one over the markets of their group at that instant.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import queries
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import ends, training_set
from polymarket_assets.learning.commands.scoring import FEATURES, Scored

KEY = ("market_id", "as_of")
# How it ended, what it weighs, and with what it goes.
ENDED = ("label", "label_seen_at", "was_disputed", "weight", "group_id", "group_began_at")

_BEGAN = "select group_id, min(as_of) as group_began_at from {rows} group by group_id"
_OF_FEATURES = f"""
    select s.* exclude (group_id), b.* exclude (market_id, as_of), group_began_at
    from scored s join built b using (market_id, as_of) join ({_BEGAN.format(rows="built")}) g on g.group_id = b.group_id order by market_id, as_of
"""
# A group may have been trained on through any row of features of it, not only those that were scored.
_OF_INSTANT = f"""
    with newest as ({ends.NEWEST}), held as (
        select * replace (coalesce(group_id, market_id) as group_id) from scored
    ), seen as (
        select group_id, as_of from held union all select h.group_id, f.as_of from held h join features f using (market_id)
    )
    select h.*, label, label_seen_at, was_disputed, group_began_at, 1.0 / count(*) over (partition by group_id, as_of) as weight
    from held h join newest using (market_id) join ({_BEGAN.format(rows="seen")}) using (group_id)
    where {ends.IS_DECIDED}
    order by market_id, as_of
"""


def joined(lake: Lake, scored: pa.Table, told: Scored, *, now: datetime) -> pa.Table:
    """Scored rows that are decided at `now`, with the columns `ENDED`."""
    with queries.over(lake, resolutions=None, features=None) as connection:
        connection.register("scored", scored)
        if told.of == FEATURES:
            built = training_set.build(lake, now=now).rows.select([*KEY, *(name for name in ENDED if name != "group_began_at")])  # fmt: skip
            connection.register("built", built)
            return connection.sql(_OF_FEATURES).to_arrow_table()
        return connection.sql(_OF_INSTANT, params={"now": now}).to_arrow_table()


def unseen(rows: pa.Table, told: Scored) -> pa.Table:
    """The rows of groups that began after the last row the model may have learnt from: all of them, of one that says the price."""
    if told.says_the_price:
        return rows
    if told.learnt_until is None:
        return rows.slice(0, 0)
    until = pa.scalar(told.learnt_until, pa.timestamp("us", tz="UTC"))
    return rows.filter(pc.greater(rows.column("group_began_at"), until))
