"""Checks of `trades` that warn: what a person should look at, and what a later build mends by itself.

Impossible rows are held back by `checks`.
"""

import dagster as dg

from polymarket_assets.assets.running import metadata
from polymarket_assets.collecting import comparing
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.partitions import HOUR
from polymarket_assets.resources import LakeResource


def _warned(passed: bool, figures: object) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=passed, severity=dg.AssetCheckSeverity.WARN, metadata=metadata(figures))


def span_of(context: dg.AssetCheckExecutionContext) -> Span:
    """The hours or days a check is about."""
    window = context.partition_time_window
    return Span(window.start, window.end)


@dg.asset_check(
    asset="trades",
    partitions_def=HOUR,
    description="Prices and sizes of trades that the stream and the Data API both have are the same in 99 %.",
)
def stream_and_data_api_agree(
    context: dg.AssetCheckExecutionContext, lake: LakeResource
) -> dg.AssetCheckResult:
    found = comparing.agreement(lake.open(), span_of(context))
    return _warned(found.holds, found)


@dg.asset_check(
    asset="trades",
    partitions_def=HOUR,
    description="Markets deaf in the hour are healed, and what was recovered was missed in a gap.",
)
def gaps_are_healed(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    rows = reading.rows(lake.open(), "trade_hours", span_of(context)).to_pylist()
    figures = {name: sum(row[name] for row in rows) for name in ("recovered", "unexplained", "unhealed")}
    return _warned(not figures["unhealed"] and not figures["unexplained"], figures)


@dg.asset_check(
    asset="trades",
    partitions_def=HOUR,
    description="Every trade heard stands in trades, and none also in a neighbouring hour.",
)
def trades_stand_once(context: dg.AssetCheckExecutionContext, lake: LakeResource) -> dg.AssetCheckResult:
    found = comparing.standing(lake.open(), span_of(context))
    return _warned(found.holds, found)


WARNINGS = [stream_and_data_api_agree, gaps_are_healed, trades_stand_once]
