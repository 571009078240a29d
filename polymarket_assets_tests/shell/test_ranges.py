"""A range of partitions in one run: each is reported with its own rows."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from polymarket_assets.assets.features import history_features
from polymarket_assets.lake import reading
from polymarket_assets.lake.spans import Span
from polymarket_assets.lake.writing import Lake
from polymarket_assets.resources import LakeResource
from polymarket_assets_tests.learning.rows import HOUR, closed_market, price, publish

DAYS = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]


def test_each_day_of_a_range_says_how_many_rows_it_holds(lake: Lake) -> None:
    close = DAYS[1] + 20 * HOUR
    publish(lake, "history_markets", [closed_market("m", close)])
    publish(lake, "history_prices", [price("m", DAYS[0] + n * HOUR, 500_000) for n in range(40)])
    instance = dg.DagsterInstance.ephemeral()
    tags = {
        "dagster/asset_partition_range_start": f"{DAYS[0]:%Y-%m-%d}",
        "dagster/asset_partition_range_end": f"{DAYS[-1]:%Y-%m-%d}",
    }
    run = dg.materialize([history_features], resources={"lake": LakeResource(root=lake.root)}, instance=instance, tags=tags)  # fmt: skip
    told = {
        event.partition: event.step_materialization_data.materialization.metadata[
            "dagster/partition_row_count"
        ].value
        for event in run.get_asset_materialization_events()
    }
    held = {f"{day:%Y-%m-%d}": reading.rows(lake, "features", Span.day(day.date())).num_rows for day in DAYS}
    assert told == held
    assert len(set(held.values())) > 1
