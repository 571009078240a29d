"""Outcomes of stored predictions: the only test set that nobody could have looked at."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake

# One row a market and hour of each hour's last prediction: fifteen minutes later the same outcome says little more.
_ROWS = """
    with newest as (
        select market_id, state, label, label_seen_at, was_disputed, least(decided_seen_at, resolved_at, label_seen_at) as known_end
        from resolutions where seen_at <= $now qualify row_number() over (partition by market_id order by version desc, seen_at desc) = 1
    ), last_words as (
        select p.*, coalesce(group_id, market_id) as held_group from predictions p
        where model_version = $model and as_of >= $since and as_of <= $now and scheduled_end <= $now
        qualify row_number() over (partition by market_id, date_trunc('hour', as_of) order by as_of desc) = 1
    ), spoken as (
        select *, 1.0 / count(*) over (partition by held_group, date_trunc('hour', as_of)) as weight from last_words
    )
    select market_id, as_of, held_group as group_id, category, tier, neg_risk, yesno_labels, updown_labels, horizon_h, spread_c, was_disputed,
        label, label_seen_at, mid, probability, correction_sd, weight
    from spoken join newest using (market_id)
    where state = 'final' and label is not null and label_seen_at <= $now and as_of < known_end and created_at < label_seen_at
    order by market_id, as_of
"""


def decided(lake: Lake, model_version: str, *, since: datetime, now: datetime) -> pa.Table:
    """Predictions of a model from `since` on whose markets were due and are decided, with label and weight.

    The weight is one over the markets of the group that were spoken of in the same hour: known then. Rows are chosen by their
    instant and their scheduled end, as a training set's are.
    """
    with reading.connect(lake, Span(since, now)) as connection:
        return connection.execute(
            _ROWS, {"model": model_version, "since": since, "now": now}
        ).to_arrow_table()
