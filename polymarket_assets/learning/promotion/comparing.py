"""Comparing like with like: which out-of-fold rows may stand beside what was said live, and on which rows two models can be compared."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.live import scoring
from polymarket_assets.learning.out_of_fold import MODEL, PRICE
from polymarket_assets.learning.splits import LEAST_GROUPS
from polymarket_assets.learning.tracking.provenance import RECORDED

# Live a market is spoken of from so many hours before its scheduled end on.
WITHIN_H = scoring.WITHIN / timedelta(hours=1)
KEY = ["market_id", "as_of"]
_ASKED = [*KEY, "group_id", "label", "label_seen_at", "weight", MODEL]


def as_live(rows: pa.Table) -> pa.Table:
    """The open out-of-fold rows of the kind that is asked about live: near their scheduled end, and recorded where enough groups of them were."""
    is_near = pc.less_equal(rows.column("horizon_h"), WITHIN_H)
    near = rows.filter(pc.and_(is_near, pc.invert(rows.column("is_sealed"))))
    recorded = near.filter(pc.equal(near.column("source"), RECORDED))
    return recorded if len(recorded.column("group_id").unique()) >= LEAST_GROUPS else near


def in_common(rows: pa.Table, said: pa.Table) -> pa.Table:
    """The sealed rows of a challenger on which another model spoke, too, with that in the place of the price; in the order of `KEY`,
    because a join has none and draws of groups follow it."""
    theirs = said.select([*KEY, MODEL]).rename_columns([*KEY, PRICE])
    ours = rows.filter(rows.column("is_sealed")).select(_ASKED)
    return ours.join(theirs, KEY, join_type="inner").sort_by([(name, "ascending") for name in KEY])
