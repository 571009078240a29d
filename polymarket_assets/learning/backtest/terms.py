"""Terms of a market: the fees in force at a decision, and when and what it paid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import queries
from polymarket_assets.collecting.known import KNOWN_FOR
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.learning.backtest import fees
from polymarket_assets.learning.backtest.fees import Schedule
from polymarket_assets.learning.backtest.portfolio import End
from polymarket_assets.learning.evidence.history import CLOSES_WITHIN

# A share of either outcome of a market that was split.
SPLIT = 0.5


def schedules(lake: Lake, decisions: pa.Table) -> list[Schedule]:
    """Of each decision (market_id, as_of) its fees: as recorded by then, else as listed later, else those of its era.

    A recorded row without a schedule is word of the venue that there is no fee; one fetched after the close is none, for
    closed markets lose theirs. Where nothing tells when a market was created, it was at the decision.
    """
    if not decisions.num_rows:
        return []
    ends: dict[str, datetime] = pc.min_max(decisions.column("as_of")).as_py()
    recorded = Span(ends["min"] - KNOWN_FOR, ends["max"] + timedelta.resolution)
    listed = Span(ends["min"], ends["max"] + CLOSES_WITHIN)
    with queries.over(lake, markets=recorded, history_markets=listed) as connection:
        connection.register("asked", _numbered(decisions))
        found = connection.execute(_SCHEDULES).fetchall()
    return [_schedule(*row) for row in found]


def _schedule(is_recorded: bool, text: str | None, category: str | None, created_at: datetime) -> Schedule:
    if text is not None:
        return fees.of_text(text)
    return fees.FREE if is_recorded else fees.of_era(category, created_at)


def ends(lake: Lake, market_ids: pa.Array, *, known_by: datetime | None = None, since: datetime | None = None) -> dict[str, End]:  # fmt: skip
    """How markets ended, by the first version that settles each: 1 or 0 a share, 0.50 of a split, NaN for the cost back.

    Capital is free at `resolved_at`, else from when the label could be used; asked what was known by an instant, from when we saw it.
    """
    at = "seen_at" if known_by else "coalesce(resolved_at, label_seen_at, seen_at)"
    span = Span(since, known_by + timedelta.resolution) if since and known_by else None
    with queries.over(lake, resolutions=span) as connection:
        connection.register("asked", pa.table({"market_id": market_ids}))
        found = connection.execute(_ENDS.format(at=at), {"known_by": known_by}).fetchall()
    return {market: End(at_us, _payout(state, label, paid_e6)) for market, state, label, paid_e6, at_us in found}  # fmt: skip


def _payout(state: str, label: int | None, paid_e6: Sequence[int] | None) -> float:
    if state == "final" and label is not None:
        return float(label)
    if state == "split":
        return paid_e6[0] / 1e6 if paid_e6 else SPLIT
    return float("nan")


def _numbered(rows: pa.Table) -> pa.Table:
    return rows.select(["market_id", "as_of"]).append_column("n", pa.array(range(rows.num_rows), pa.int64()))


_SCHEDULES = """
with wanted as (select distinct market_id from asked),
recorded as (
    select market_id, received_at, fee_schedule, category, listed_at from markets semi join wanted using (market_id)
),
listed as (
    select distinct on (market_id) market_id, fee_schedule, category, listed_at
    from history_markets semi join wanted using (market_id) order by market_id, received_at
)
select
    r.market_id is not null, case when r.market_id is null then l.fee_schedule else r.fee_schedule end,
    coalesce(r.category, l.category), coalesce(r.listed_at, l.listed_at, a.as_of)
from asked a asof left join recorded r on a.market_id = r.market_id and a.as_of >= r.received_at
left join listed l on a.market_id = l.market_id
order by a.n
"""

_ENDS = """
select market_id, state, label, payouts_e6, epoch_us({at})
from resolutions semi join asked using (market_id)
where state in ('final', 'split', 'annulled') and ($known_by is null or seen_at <= $known_by)
qualify row_number() over (partition by market_id order by version, seen_at) = 1
"""
