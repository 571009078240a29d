"""Comparing like with like: which out-of-fold rows may stand beside what was said live, and on which rows two models can be compared."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.evidence.recorded import RECORDED
from polymarket_assets.learning.live import scoring
from polymarket_assets.learning.out_of_fold import MODEL, PRICE
from polymarket_assets.learning.splits import LEAST_GROUPS

# Live a market is spoken of from so many hours before its scheduled end on.
WITHIN_H = scoring.WITHIN / timedelta(hours=1)
KEY = ["market_id", "as_of"]
SAID = [*KEY, MODEL]
_ASKED = [*SAID, "group_id", "label", "label_seen_at", "weight"]


def as_live(rows: pa.Table) -> pa.Table:
    """The open out-of-fold rows of the kind that is asked about live: near their scheduled end, and recorded where enough groups of them were."""
    is_near = pc.less_equal(rows.column("horizon_h"), WITHIN_H)
    near = rows.filter(pc.and_(is_near, pc.invert(rows.column("is_sealed"))))
    recorded = near.filter(pc.equal(near.column("source"), RECORDED))
    return recorded if len(recorded.column("group_id").unique()) >= LEAST_GROUPS else near


def in_common(rows: pa.Table, said: pa.Table) -> pa.Table:
    """The sealed rows of a challenger on which another model spoke, too, with that in the place of the price; in the order of `KEY`,
    because a join has none and draws of groups follow it."""
    theirs = said.select(SAID).rename_columns([*KEY, PRICE])
    ours = rows.filter(rows.column("is_sealed")).select(_ASKED)
    return ours.join(theirs, KEY, join_type="inner").sort_by([(name, "ascending") for name in KEY])


def begun_since(rows: pa.Table, at: datetime) -> pa.Table:
    """The rows of groups whose first row lies at an instant or later: of others a model that learnt until then may know the outcome."""
    began = rows.group_by("group_id").aggregate([("as_of", "min")])
    later = began.filter(pc.greater_equal(began.column("as_of_min"), pa.scalar(at, pa.timestamp("us", tz="UTC"))))  # fmt: skip
    return rows.filter(pc.is_in(rows.column("group_id"), later.column("group_id").combine_chunks()))
