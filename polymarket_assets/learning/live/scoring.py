"""Scoring: what models say of the newest snapshots, stored before the outcome is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from polymarket_assets.collecting import queries
from polymarket_assets.lake import TABLES
from polymarket_assets.lake.spans import Span, hour_of
from polymarket_assets.lake.writing import Lake, Written, conform
from polymarket_assets.learning.evidence.recorded import STANDS_INTERVALS, at_instants
from polymarket_assets.tiers import TIERS

if TYPE_CHECKING:
    from polymarket_assets.learning.served import Correction

# T0 is sampled once an hour, days before anything is decided: its rows of the decision grid are enough.
SCORED = tuple(tier.name for tier in TIERS if tier.name != "t0")
# Markets of the tiers that are scored have no more than this left.
WITHIN = min(tier.beyond for tier in TIERS if tier.name not in SCORED)
_BACK = STANDS_INTERVALS * max(tier.every for tier in TIERS if tier.name in SCORED)
# What of a feature row stands beside its forecast, so that a judgement can be sliced without the row.
KEPT = tuple(name for name in TABLES["predictions"].names if name in TABLES["features"].names)


def scored(
    lake: Lake,
    models: Mapping[str, tuple[str, Correction]],
    *,
    as_of: datetime,
    created_at: datetime,
    streamed: tuple[str, ...],
) -> pa.Table:
    """Rows of `predictions` of all markets with a snapshot that stands; `models` by role, each with its name."""
    rows = priced(lake, as_of, streamed)
    return pa.concat_tables(
        [
            TABLES["predictions"].schema.empty_table(),
            *(_said(rows, role, *model, created_at) for role, model in models.items()),
        ]
    )


def priced(lake: Lake, as_of: datetime, streamed: tuple[str, ...]) -> pa.Table:
    """Features of every market that was sampled just before an instant, as far as it has a price."""
    found = at_instants(lake, _sampled(lake, as_of), streamed=streamed)
    return found.filter(pc.is_valid(found.column("mid")))


def publish(lake: Lake, predicted: pa.Table, as_of: datetime) -> Written:
    """Publish the predictions of one instant; a repetition replaces them."""
    return lake.publish("predictions", predicted, part=f"{as_of:%M%S}", at=hour_of(as_of))  # fmt: skip


def _sampled(lake: Lake, as_of: datetime) -> pa.Table:
    """Markets that were sampled in a tier that is scored, and the instant."""
    span = Span(as_of - _BACK, as_of + timedelta(microseconds=1))
    tiers = ", ".join(f"'{tier}'" for tier in SCORED)
    with queries.over(lake, snapshots=span) as connection:
        asked = f"select distinct market_id, $at::timestamptz as as_of from snapshots where tier in ({tiers}) and received_at between $from and $at"
        return connection.sql(asked, params={"at": as_of, "from": span.start}).to_arrow_table()


def _said(rows: pa.Table, role: str, name: str, correction: Correction, created_at: datetime) -> pa.Table:
    count = rows.num_rows
    probability, spread = correction.said(rows.to_pandas())
    columns = {column: rows.column(column) for column in KEPT}
    columns |= {
        "model_version": pa.array([name] * count, pa.string()),
        "role": pa.array([role] * count, pa.string()),
        "probability": pa.array(probability),
        "correction_sd": pa.array(spread),
        "created_at": pa.array([created_at] * count, pa.timestamp("us", tz="UTC")),
    }
    return conform(TABLES["predictions"], pa.table(columns))
