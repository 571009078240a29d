"""From evidence to the `features` table: every declared feature by its expression, in the declared order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import conform
from polymarket_assets.learning.features import market, price

if TYPE_CHECKING:
    import duckdb

EXPRESSIONS: dict[str, str] = {**price.MID, **price.FEATURES, **market.FEATURES}

# What of a row is not a feature and passes as it is.
_IDENTITY: tuple[str, ...] = (
    "market_id",
    "as_of",
    "source",
    "scheduled_end",
    "horizon_h",
    "coverage",
    "sources",
)

# Own ids only, the widest first, so that a partition gives the same rows whatever stands in others: the venue puts a
# negRisk set into one event, and bet types of one game into several. `training_set` joins what shares either.
_GROUP = """coalesce('game:' || game_id, 'neg_risk:' || neg_risk_id, 'event:' || event_id, 'market:' || market_id)"""


def rows(connection: duckdb.DuckDBPyConnection, evidence: str) -> pa.Table:
    """The `features` rows of the relation `evidence`, in order of market and instant."""
    computed = ", ".join(f"{sql} as {name}" for name, sql in {**price.FEATURES, **market.FEATURES}.items())
    found = connection.sql(f"""
        select {", ".join(_IDENTITY)}, coalesce(event_id, market_id) as event_id, {_GROUP} as group_id, mid, {computed}
        from (select *, {price.MID["mid"]} as mid from {evidence})
        order by market_id, as_of
    """).to_arrow_table()
    return conform(TABLES["features"], found)
