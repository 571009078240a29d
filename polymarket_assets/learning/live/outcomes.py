"""Outcomes of stored predictions: the only test set that nobody could have looked at."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.collecting import queries
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning import ends

if TYPE_CHECKING:
    import duckdb

# One row a market and hour of each hour's last prediction: fifteen minutes later the same outcome says little more. Hours are
# counted as they were planned at the time: those that spoke of the group so far, and those left to the last scheduled end of its markets.
_ROWS = f"""
    with newest as ({ends.NEWEST}), last_words as (
        select p.*, coalesce(group_id, market_id) as held_group, date_trunc('hour', as_of) as hour from predictions p
        where model_version = $model and as_of >= $since and as_of <= $now and scheduled_end <= $now
        qualify row_number() over (partition by market_id, hour order by as_of desc) = 1
    ), hours as (
        select held_group, hour, count(*) as markets, row_number() over (partition by held_group order by hour)
            + greatest(max(date_diff('hour', hour, scheduled_end - interval 1 microsecond)), 0) as planned
        from last_words group by held_group, hour
    )
    select market_id, as_of, held_group as group_id, category, tier, neg_risk, yesno_labels, updown_labels, horizon_h, spread_c, was_disputed,
        label, label_seen_at, mid, probability, correction_sd, 1.0 / markets / planned as weight
    from last_words join hours using (held_group, hour) join newest using (market_id)
    where {ends.IS_DECIDED} and created_at < label_seen_at
    order by market_id, as_of
"""

_FIRST = (
    "select min(as_of) from predictions where model_version = $model and as_of >= $since and as_of <= $now"
)


def decided(lake: Lake, model_version: str, *, since: datetime, now: datetime) -> pa.Table:
    """Predictions of a model from `since` on whose markets were due and are decided, with label and weight.

    The weight is one over the markets of the group that were spoken of in the same hour, and over the hours planned for the group: known
    then, and about one a group, as in a training set. Rows are chosen by their instant and their scheduled end, as a training set's are.
    """
    span = Span(since, now)
    with queries.over(lake, predictions=span, resolutions=span) as connection:
        return decided_of(connection, model_version, since=since, now=now)


def decided_of(connection: duckdb.DuckDBPyConnection, model_version: str, *, since: datetime, now: datetime) -> pa.Table:  # fmt: skip
    """The same of a connection that has `predictions` and `resolutions` of that span."""
    given = {"model": model_version, "since": since, "now": now}
    return connection.sql(_ROWS, params=given).to_arrow_table()


def first(lake: Lake, model_version: str, *, since: datetime, now: datetime) -> datetime | None:
    """The instant of a model's first stored prediction from `since` on; None: there is none."""
    given = {"model": model_version, "since": since, "now": now}
    with queries.over(lake, predictions=Span(since, now)) as connection:
        found = connection.execute(_FIRST, given).fetchone()
    return found[0] if found else None
