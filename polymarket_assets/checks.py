"""Checks that hold wrong rows back: keys are unique, and rows lie in the partition that files them.

Derived from the tables' own declarations; a blocking failure keeps what is downstream in the same run from
being built on them.
"""

from collections.abc import Callable
from datetime import date, datetime

import dagster as dg

from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.partitions import DAY, HOUR
from polymarket_assets.resources import LakeResource

# Asset -> the table it fills, and its partitions.
_CHECKED: dict[str, tuple[str, dg.PartitionsDefinition | None]] = {
    "trades": ("trades", HOUR),
    "features": ("features", HOUR),
    "history_features": ("features", DAY),
    "history_markets": ("history_markets", DAY),
    "history_prices": ("history_prices", DAY),
    "resolutions": ("resolutions", None),
    "training_set": ("training_set", None),
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


def misfiled(lake: LakeResource, table: str, span: Span | None) -> int:
    """How many files of a span hold rows of another hour or day than their folder says."""
    import duckdb

    files, column = reading.files(lake.open(), table, span), TABLES[table].filed_by
    if not files or column is None:
        return 0
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = connection.execute(
            f'select filename, min("{column}"), max("{column}") from read_parquet($files, filename = true, union_by_name = true) group by filename',
            {"files": files},
        ).fetchall()
    return sum(not _within(layout.span_of(file), first, last) for file, first, last in found)


def _within(span: Span | None, first: date | datetime, last: date | datetime) -> bool:
    if span is None:
        return True
    if not isinstance(first, datetime):
        return span.start.date() <= first <= last < span.end.date()
    return first in span and last in span


_SAID = {
    "keys_are_unique": (duplicates, "rows that repeat a key", "No two rows share {key}."),
    "rows_are_filed_right": (misfiled, "files with rows of another span", "Rows lie where {filed_by} files them."),
}  # fmt: skip


def _check(name: str, asset: str) -> dg.AssetChecksDefinition:
    table, partitions = _CHECKED[asset]
    counted, label, said = _SAID[name]
    declared = TABLES[table]

    @dg.asset_check(
        asset=asset,
        name=name,
        partitions_def=partitions,
        blocking=True,
        description=said.format(key=", ".join(declared.key), filed_by=declared.filed_by),
    )
    def check(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
        wrong = _count(counted, context, lake, table)
        return dg.AssetCheckResult(passed=wrong == 0, metadata={label: wrong})

    return check


def _count(
    counted: Callable[[LakeResource, str, Span | None], int],
    context: dg.AssetCheckExecutionContext,
    lake: LakeResource,
    table: str,
) -> int:
    span = None
    if context.has_partition_key or context.has_partition_key_range:
        window = context.partition_time_window
        span = Span(window.start, window.end)
    return counted(lake, table, span)


ALL = [
    _check(name, asset)
    for asset, (table, _) in _CHECKED.items()
    for name in _SAID
    if name != "rows_are_filed_right" or TABLES[table].filed_by is not None
]
