"""From evidence to the `features` table: every declared feature by its expression, in the declared order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from polymarket_assets.lake import TABLES
from polymarket_assets.lake.writing import conform
from polymarket_assets.learning import groups
from polymarket_assets.learning.features import market, price

if TYPE_CHECKING:
    import duckdb

EXPRESSIONS: dict[str, str] = {**price.MID, **price.FEATURES, **market.FEATURES}

# What of a row is not a feature.
IDENTITY: tuple[str, ...] = (
    "market_id", "as_of", "source", "event_id", "scheduled_end", "horizon_h", "coverage", "sources",
)  # fmt: skip
KEYS: tuple[str, ...] = ("event_id", "neg_risk_id", "game_id")


def rows(connection: duckdb.DuckDBPyConnection, evidence: str) -> pa.Table:
    """The `features` rows of the relation `evidence`, in order of market and instant."""
    computed = ", ".join(f"{sql} as {name}" for name, sql in {**price.FEATURES, **market.FEATURES}.items())
    identity = ", ".join(
        "coalesce(event_id, market_id) as event_id" if name == "event_id" else name for name in IDENTITY
    )
    found = connection.sql(f"""
        select {identity}, mid, {computed}
        from (select *, {price.MID["mid"]} as mid from {evidence})
        order by market_id, as_of
    """).to_arrow_table()
    return conform(TABLES["features"], _with_groups(found, _links(connection, evidence)))


def _links(connection: duckdb.DuckDBPyConnection, evidence: str) -> dict[str, str]:
    """The group of each market of `evidence`."""
    found = connection.execute(f"select distinct market_id, {', '.join(KEYS)} from {evidence}").fetchall()
    return groups.of_markets((market_id, dict(zip(KEYS, keys, strict=True))) for market_id, *keys in found)


def _with_groups(found: pa.Table, group_of: dict[str, str]) -> pa.Table:
    named = [group_of[market_id] for market_id in found.column("market_id").to_pylist()]
    return found.append_column("group_id", pa.array(named, pa.string()))
