"""Checks that hold wrong rows back: keys are unique, rows lie in the partition that files them, values are possible.

The first two are derived from the tables' own declarations. A blocking failure keeps what is downstream in the same
run from being built on them; those of `trade_checks` only say what a person should look at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import dagster as dg

from polymarket_assets import learning_checks, tier_checks, trade_checks
from polymarket_assets.collecting import whales
from polymarket_assets.collecting.hearing import MISDATED
from polymarket_assets.lake import layout, opening, reading
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
    key = ", ".join(f'"{name}"' for name in TABLES[table].key)
    return _of_rows(reading.files(lake.open(), table, span), f"count(*) - count(distinct ({key}))")


def misfiled(lake: LakeResource, table: str, span: Span | None) -> int:
    """How many files of a span hold rows of another hour or day than their folder says."""

    files, column = reading.files(lake.open(), table, span), TABLES[table].filed_by
    if not files or column is None:
        return 0
    with opening.connected() as connection:
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
    wrong = RULES[table][rule][0]
    return _of_rows(reading.files(lake.open(), table, span), f"count(*) filter (where {wrong})")


def _of_rows(files: list[str], counted: str) -> int:
    """What an expression counts over the rows of files; 0 where there are none."""
    if not files:
        return 0
    with opening.connected() as connection:
        found = connection.execute(f"select {counted} from read_parquet($files, union_by_name = true)", {"files": files})  # fmt: skip
        ((count,),) = found.fetchall()
    return int(count)


def _within(span: Span | None, first: date | datetime, last: date | datetime) -> bool:
    if span is None:
        return True
    if not isinstance(first, datetime):
        return span.start.date() <= first <= last < span.end.date()
    return first in span and last in span


@dataclass(frozen=True)
class _Counted:
    """What must be 0: what it says of an asset, and how the figure is called."""

    said: str
    label: str
    # Of a lake, in a span.
    count: Callable[..., int]


def _counted(table: str) -> dict[str, _Counted]:
    """The checks of a table by name."""
    declared = TABLES[table]
    found = {"keys_are_unique": _Counted(f"No two rows share {', '.join(declared.key)}.", "rows that repeat a key", partial(duplicates, table=table))}  # fmt: skip
    if declared.filed_by is not None:
        found["rows_are_filed_right"] = _Counted(f"Rows lie where {declared.filed_by} files them.", "files with rows of another span", partial(misfiled, table=table))  # fmt: skip
    for rule, (_, said) in RULES.get(table, {}).items():
        found[rule] = _Counted(said, "rows that break it", partial(impossible, table=table, rule=rule))
    return found


def _checks(asset: str) -> dg.AssetChecksDefinition:
    """All of an asset in one step: a step is two more rows of Dagster's history, and half a second of its run."""
    table, partitions = _CHECKED[asset]
    counted = _counted(table)
    specs = [dg.AssetCheckSpec(name, asset=asset, description=of.said, blocking=True, partitions_def=partitions) for name, of in counted.items()]  # fmt: skip

    @dg.multi_asset_check(name=f"check_{asset}", specs=specs, can_subset=True)
    def check(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> Iterator[dg.AssetCheckResult]:
        partitioned = context.has_partition_key or context.has_partition_key_range
        span = trade_checks.span_of(context) if partitioned else None
        asked = {key.name for key in context.selected_asset_check_keys}
        for name, of in counted.items():
            if name in asked:
                wrong = of.count(lake, span=span)
                yield dg.AssetCheckResult(passed=wrong == 0, check_name=name, metadata={of.label: wrong})

    return check


ALL = [
    *(_checks(asset) for asset in _CHECKED),
    *trade_checks.WARNINGS,
    *tier_checks.ALL,
    *learning_checks.WARNINGS,
]
