"""Checks that hold wrong rows back: keys are unique, rows lie in the partition that files them, values are possible.

The first two are derived from the tables' own declarations. A blocking failure keeps what is downstream in the same
run from being built on them; those of `trade_checks` only say what a person should look at.
"""

from collections.abc import Callable
from datetime import date, datetime

import dagster as dg

from polymarket_assets import tier_checks, trade_checks
from polymarket_assets.collecting import whales
from polymarket_assets.collecting.hearing import MISDATED
from polymarket_assets.lake import layout, reading
from polymarket_assets.lake.schemas import TABLES
from polymarket_assets.lake.spans import Span
from polymarket_assets.partitions import DAY, HOUR
from polymarket_assets.resources import LakeResource

# Asset -> the table it fills, and its partitions.
_CHECKED: dict[str, tuple[str, dg.PartitionsDefinition | None]] = {
    "trades": ("trades", HOUR),
    "whale_events": ("whale_events", HOUR),
    "market_hours": ("market_hours", HOUR),
    "features": ("features", HOUR),
    "history_features": ("features", DAY),
    "history_markets": ("history_markets", DAY),
    "history_prices": ("history_prices", DAY),
    "history_trades": ("history_trades", DAY),
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


# Table -> rules by name: what makes a row impossible, and what holds instead.
RULES: dict[str, dict[str, tuple[str, str]]] = {
    "trades": {
        "prices_are_possible": ("price_e6 not between 0 and 1000000", "A share costs from nothing to a dollar."),
        "sizes_are_positive": ("size_e6 <= 0", "Something was traded."),
        "dollars_are_price_times_size": ("usd_e6 <> price_e6::hugeint * size_e6 // 1000000", "usd_e6 is price × size, rounded down."),
        "known_after_the_match": (f"received_at < traded_at - interval {MISDATED.total_seconds():.0f} second", "No trade reached us long before the venue's clock says that it was made."),
        "sources_are_known": ("source not in ('stream', 'rest', 'both') or (tx_hash is null and source <> 'stream')", "Every trade says who told it; what the Data API told has a transaction."),
    },
    "whale_events": {
        "shares_are_positive": ("depth_share <= 0 or day_volume_share <= 0 or fills < 1", "An order takes some of what rests and adds to the volume."),
        "whales_are_large": (f"usd_e6 < {whales.AT_LEAST_USD * 1_000_000}", "No order below the least size is a whale."),
    },
}  # fmt: skip


def impossible(lake: LakeResource, table: str, rule: str, span: Span | None) -> int:
    """How many rows of a span break one of the table's `RULES`."""
    import duckdb

    files = reading.files(lake.open(), table, span)
    if not files:
        return 0
    wrong = RULES[table][rule][0]
    counted = duckdb.execute(
        f"select count(*) from read_parquet($files, union_by_name = true) where {wrong}", {"files": files}
    ).fetchone()
    return int(counted[0]) if counted else 0


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


def _rule(asset: str, rule: str) -> dg.AssetChecksDefinition:
    table, partitions = _CHECKED[asset]

    @dg.asset_check(
        asset=asset, name=rule, partitions_def=partitions, blocking=True, description=RULES[table][rule][1]
    )
    def check(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
        wrong = _count(lambda lake, table, span: impossible(lake, table, rule, span), context, lake, table)
        return dg.AssetCheckResult(passed=wrong == 0, metadata={"rows that break it": wrong})

    return check


def _count(
    counted: Callable[[LakeResource, str, Span | None], int],
    context: dg.AssetCheckExecutionContext,
    lake: LakeResource,
    table: str,
) -> int:
    span = None
    if context.has_partition_key or context.has_partition_key_range:
        span = trade_checks.span_of(context)
    return counted(lake, table, span)


ALL = [
    *(
        _check(name, asset)
        for asset, (table, _) in _CHECKED.items()
        for name in _SAID
        if name != "rows_are_filed_right" or TABLES[table].filed_by is not None
    ),
    *(_rule(asset, rule) for asset, (table, _) in _CHECKED.items() for rule in RULES.get(table, ())),
    *trade_checks.WARNINGS,
    *tier_checks.ALL,
]
