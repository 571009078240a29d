"""Comparing like with like: which out-of-fold rows may stand beside what was said live."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.learning.live import scoring
from polymarket_assets.learning.splits import LEAST_GROUPS
from polymarket_assets.learning.tracking.provenance import RECORDED

# Live a market is spoken of from so many hours before its scheduled end on.
WITHIN_H = scoring.WITHIN / timedelta(hours=1)


def as_live(rows: pa.Table) -> pa.Table:
    """The open out-of-fold rows of the kind that is asked about live: near their scheduled end, and recorded where enough groups of them were."""
    is_near = pc.less_equal(rows.column("horizon_h"), WITHIN_H)
    near = rows.filter(pc.and_(is_near, pc.invert(rows.column("is_sealed"))))
    recorded = near.filter(pc.equal(near.column("source"), RECORDED))
    return recorded if len(recorded.column("group_id").unique()) >= LEAST_GROUPS else near
