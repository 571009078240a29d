"""Checks that hold wrong rows back: keys are unique and rows lie in the partition that files them.

Derived from the tables' own declarations; a blocking failure keeps what is downstream in the same run from
being built on them.
"""

import dagster as dg

from polymarket_assets.lake import reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.partitions import DAY, HOUR
from polymarket_assets.resources import LakeResource

_CHECKED: dict[str, dg.PartitionsDefinition | None] = {
    "trades": HOUR,
    "features": HOUR,
    "history_markets": DAY,
    "history_prices": DAY,
    "training_set": None,
}


def duplicates(lake: LakeResource, table: str, span: Span | None) -> int:
    """How many rows of a span repeat the key of another."""
    import duckdb

    files = reading.files(lake.open(), table, span)
    if not files:
        return 0
    key = ", ".join(f'"{name}"' for name in TABLES[table].key)
    counted = duckdb.execute(
        f"select count(*) - count(distinct ({key})) from read_parquet($files, union_by_name = true)",
        {"files": files},
    ).fetchone()
    return int(counted[0]) if counted else 0


def _keys_are_unique(table: str, partitions: dg.PartitionsDefinition | None) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="keys_are_unique",
        partitions_def=partitions,
        blocking=True,
        description=f"No two rows share {', '.join(TABLES[table].key)}.",
    )
    def check(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
        span = None
        if context.has_partition_key or context.has_partition_key_range:
            window = context.partition_time_window
            span = Span(window.start, window.end)
        repeated = duplicates(lake, table, span)
        return dg.AssetCheckResult(passed=repeated == 0, metadata={"rows that repeat a key": repeated})

    return check


ALL = [_keys_are_unique(table, partitions) for table, partitions in _CHECKED.items()]
